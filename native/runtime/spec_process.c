/* The `process` object of config.json and of exec --process. See spec.h. */
#include "capabilities.h"
#include "spec.h"

#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <strings.h>

static int invalid(struct error *err, const char *what, const char *value) {
    return error_set(err, "invalid_argument", "read process", NULL, "process: %s \"%.200s\"", what, value);
}

static const struct {
    const char *name;
    int resource;
} rlimit_names[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

static int read_rlimit(struct rlimit_spec *out, const struct json_value *value, struct error *err) {
    const char *type = json_get_string(value, "type", "");
    uint64_t soft, hard;
    out->resource = -1;
    for (size_t i = 0; i < sizeof(rlimit_names) / sizeof(rlimit_names[0]); i++)
        if (strcmp(rlimit_names[i].name, type) == 0)
            out->resource = rlimit_names[i].resource;
    if (out->resource < 0)
        return invalid(err, "unknown rlimit type", type);
    /* -1 is what several clients write for "unlimited". */
    if (json_get_int(value, "soft", 0) == -1)
        soft = RLIM_INFINITY;
    else if (!json_to_uint64(json_get(value, "soft"), &soft))
        return invalid(err, "no soft limit for", type);
    if (json_get_int(value, "hard", 0) == -1)
        hard = RLIM_INFINITY;
    else if (!json_to_uint64(json_get(value, "hard"), &hard))
        return invalid(err, "no hard limit for", type);
    out->limit = (struct rlimit){.rlim_cur = soft, .rlim_max = hard};
    return 0;
}

static int read_rlimits(struct arena *arena, struct process_spec *process, const struct json_value *value,
                        struct error *err) {
    const struct json_value *list;
    if (spec_array(value, "rlimits", &list, err) < 0)
        return -1;
    if (!list)
        return 0;
    process->rlimits = arena_array(arena, struct rlimit_spec, list->count);
    for (const struct json_value *v = json_first(list); v; v = v->next) {
        struct rlimit_spec *limit = &process->rlimits[process->rlimit_count];
        if (read_rlimit(limit, v, err) < 0)
            return -1;
        for (size_t i = 0; i < process->rlimit_count; i++)
            if (process->rlimits[i].resource == limit->resource)
                return invalid(err, "rlimit given twice:", json_get_string(v, "type", ""));
        process->rlimit_count++;
    }
    return 0;
}

/* Unknown names are skipped, as runc does with a warning: an older kernel's runtime must run newer images. */
static int read_capability_set(const struct json_value *caps, const char *key, uint64_t *out,
                               struct error *err) {
    const struct json_value *list;
    if (spec_array(caps, key, &list, err) < 0)
        return -1;
    for (const struct json_value *v = json_first(list); v; v = v->next) {
        if (v->type != JSON_STRING)
            return invalid(err, "capabilities must be strings in", key);
        int number = capability_number(v->string);
        if (number >= 0)
            *out |= UINT64_C(1) << number;
    }
    return 0;
}

static int read_capabilities(struct process_spec *process, const struct json_value *value,
                             struct error *err) {
    const struct json_value *caps;
    if (spec_object(value, "capabilities", &caps, err) < 0)
        return -1;
    struct capability_sets *sets = &process->caps;
    sets->given = caps != NULL;
    if (read_capability_set(caps, "bounding", &sets->bounding, err) < 0 ||
        read_capability_set(caps, "effective", &sets->effective, err) < 0 ||
        read_capability_set(caps, "inheritable", &sets->inheritable, err) < 0 ||
        read_capability_set(caps, "permitted", &sets->permitted, err) < 0 ||
        read_capability_set(caps, "ambient", &sets->ambient, err) < 0)
        return -1;
    return 0;
}

static int read_user(struct arena *arena, struct process_spec *process, const struct json_value *value,
                     struct error *err) {
    const struct json_value *user, *groups;
    uint32_t mask = 0;
    if (spec_object(value, "user", &user, err) < 0 || spec_u32(user, "uid", &process->uid, err) < 0 ||
        spec_u32(user, "gid", &process->gid, err) < 0 || spec_u32(user, "umask", &mask, err) < 0 ||
        spec_array(user, "additionalGids", &groups, err) < 0)
        return -1;
    /* (uid_t)-1 means "leave it" to setresuid: it would keep root. */
    if (process->uid == UINT32_MAX || process->gid == UINT32_MAX)
        return invalid(err, "user id out of range", "4294967295");
    process->has_umask = json_get(user, "umask") != NULL;
    process->umask = mask & 0777;
    if (!groups)
        return 0;
    process->groups = arena_array(arena, gid_t, groups->count);
    for (const struct json_value *v = json_first(groups); v; v = v->next) {
        uint64_t gid;
        if (!json_to_uint64(v, &gid) || gid >= UINT32_MAX)
            return invalid(err, "bad number in", "additionalGids");
        process->groups[process->group_count++] = (gid_t)gid;
    }
    return 0;
}

static const char *const scheduler_policies[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",      "SCHED_BATCH",
                                                 "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE"};

static const struct {
    const char *name;
    uint64_t flag;
} scheduler_flags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
};

static int read_scheduler(struct process_spec *process, const struct json_value *value, struct error *err) {
    const struct json_value *object, *flags;
    int64_t nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0;
    if (spec_object(value, "scheduler", &object, err) < 0)
        return -1;
    if (!object)
        return 0;
    const char *policy = json_get_string(object, "policy", "");
    struct scheduler_spec *s = &process->scheduler;
    s->given = true;
    s->policy = UINT32_MAX;
    for (uint32_t i = 0; i < sizeof(scheduler_policies) / sizeof(scheduler_policies[0]); i++)
        if (strcmp(policy, scheduler_policies[i]) == 0)
            s->policy = i;
    if (s->policy == UINT32_MAX)
        return invalid(err, "invalid scheduler policy:", policy);
    if (spec_i64(object, "nice", &nice, err) < 0 || spec_i64(object, "priority", &priority, err) < 0 ||
        spec_i64(object, "runtime", &runtime, err) < 0 || spec_i64(object, "deadline", &deadline, err) < 0 ||
        spec_i64(object, "period", &period, err) < 0 || spec_array(object, "flags", &flags, err) < 0)
        return -1;
    if (nice < -20 || nice > 19)
        return error_set(err, "invalid_argument", "read process", NULL, "invalid scheduler.nice: %ld",
                         (long)nice);
    if (priority != 0 && s->policy != SCHED_FIFO && s->policy != SCHED_RR)
        return error_set(err, "invalid_argument", "read process", NULL,
                         "scheduler.priority can only be specified for SchedFIFO or SchedRR policy");
    if ((runtime || deadline || period) && s->policy != SCHED_DEADLINE)
        return error_set(err, "invalid_argument", "read process", NULL,
                         "scheduler runtime/deadline/period can only be specified for SchedDeadline policy");
    s->nice = (int32_t)nice;
    s->priority = (int32_t)priority;
    s->runtime = (uint64_t)runtime;
    s->deadline = (uint64_t)deadline;
    s->period = (uint64_t)period;
    for (const struct json_value *v = json_first(flags); v; v = v->next) {
        uint64_t before = s->flags;
        for (size_t i = 0; v->type == JSON_STRING && i < sizeof(scheduler_flags) / sizeof(scheduler_flags[0]);
             i++)
            if (strcmp(v->string, scheduler_flags[i].name) == 0)
                s->flags |= scheduler_flags[i].flag;
        if (s->flags == before)
            return invalid(err, "invalid scheduler flag:", v->type == JSON_STRING ? v->string : "?");
    }
    return 0;
}

static int read_io_priority(struct process_spec *process, const struct json_value *value, struct error *err) {
    static const char *const classes[] = {"", "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"};
    const struct json_value *object;
    int64_t priority = 0;
    if (spec_object(value, "ioPriority", &object, err) < 0)
        return -1;
    if (!object)
        return 0;
    const char *class = json_get_string(object, "class", "");
    if (spec_i64(object, "priority", &priority, err) < 0)
        return -1;
    if (priority < 0 || priority > 7)
        return error_set(err, "invalid_argument", "read process", NULL, "invalid ioPriority.priority: %ld",
                         (long)priority);
    for (int i = 1; i < 4; i++) {
        if (strcmp(class, classes[i]) == 0) {
            process->has_io_priority = true;
            process->io_priority = IOPRIO_PRIO_VALUE(i, (int)priority);
        }
    }
    if (!process->has_io_priority)
        return invalid(err, "invalid ioPriority.class:", class);
    return 0;
}

static int check_env(char **env, struct error *err) {
    for (; env && *env; env++) {
        if (**env == '\0' || **env == '=')
            return invalid(err, "invalid environment variable:", *env);
    }
    return 0;
}

static int read_console_size(struct process_spec *process, const struct json_value *value,
                             struct error *err) {
    const struct json_value *size;
    uint32_t height = 0, width = 0;
    if (spec_object(value, "consoleSize", &size, err) < 0 || spec_u32(size, "height", &height, err) < 0 ||
        spec_u32(size, "width", &width, err) < 0)
        return -1;
    if (height > UINT16_MAX || width > UINT16_MAX)
        return invalid(err, "consoleSize is larger than", "65535");
    process->console_height = (uint16_t)height;
    process->console_width = (uint16_t)width;
    return 0;
}

static int read_affinity(struct process_spec *process, const struct json_value *value, struct error *err) {
    const struct json_value *affinity;
    if (spec_object(value, "execCPUAffinity", &affinity, err) < 0 ||
        spec_string(affinity, "initial", &process->cpu_affinity_initial, err) < 0 ||
        spec_string(affinity, "final", &process->cpu_affinity_final, err) < 0)
        return -1;
    return 0;
}

int process_read(struct arena *arena, struct process_spec *process, const struct json_value *value,
                 struct error *err) {
    size_t count, ignored;
    int64_t oom = 0;
    if (value->type != JSON_OBJECT)
        return error_set(err, "invalid_argument", "read process", NULL, "process must be an object");
    if (spec_bool(value, "terminal", &process->terminal, err) < 0 ||
        read_console_size(process, value, err) < 0 || read_user(arena, process, value, err) < 0 ||
        spec_strings(arena, value, "args", &process->args, &count, err) < 0 ||
        spec_strings(arena, value, "env", &process->env, &ignored, err) < 0 ||
        check_env(process->env, err) < 0 || spec_string(value, "cwd", &process->cwd, err) < 0 ||
        read_capabilities(process, value, err) < 0 || read_rlimits(arena, process, value, err) < 0 ||
        spec_bool(value, "noNewPrivileges", &process->no_new_privileges, err) < 0 ||
        spec_string(value, "apparmorProfile", &process->apparmor_profile, err) < 0 ||
        spec_string(value, "selinuxLabel", &process->selinux_label, err) < 0 ||
        spec_i64(value, "oomScoreAdj", &oom, err) < 0 || read_scheduler(process, value, err) < 0 ||
        read_io_priority(process, value, err) < 0 || read_affinity(process, value, err) < 0)
        return -1;
    process->has_oom_score_adj = json_get(value, "oomScoreAdj") != NULL;
    if (oom < -1000 || oom > 1000)
        return error_set(err, "invalid_argument", "read process", NULL,
                         "oomScoreAdj %ld is not within -1000 to 1000", (long)oom);
    process->oom_score_adj = (int)oom;
    if (!count)
        return error_set(err, "invalid_argument", "read process", NULL, "args must not be empty");
    if (!process->cwd || !*process->cwd)
        return error_set(err, "invalid_argument", "read process", NULL, "Cwd property must not be empty");
    if (process->cwd[0] != '/')
        return error_set(err, "invalid_argument", "read process", process->cwd,
                         "Cwd must be an absolute path");
    return 0;
}

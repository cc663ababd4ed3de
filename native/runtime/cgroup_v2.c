/* linux.resources → cgroup v2 files, with the conversions that the runtime-spec's v1 values need. */
#include "cgroup.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Enables in `dir` every controller it has for its children; one that is refused (threaded, in use) is left
 * out. */
static void enable_here(int dir) {
    char available[512], enabled[512], word[80];
    struct error ignored;
    if (cgroup_read(dir, "cgroup.controllers", available, sizeof(available)) < 0 ||
        cgroup_read(dir, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
        return;
    if (strlen(available) == strlen(enabled))
        return;
    char all[600] = "", *save = NULL, *copy = available;
    size_t used = 0;
    for (char *c = strtok_r(copy, " ", &save); c; c = strtok_r(NULL, " ", &save))
        used += (size_t)snprintf(all + used, sizeof(all) - used, "+%s ", c);
    if (cgroup_write(dir, "cgroup.subtree_control", all, &ignored) == 0)
        return;
    save = NULL;
    for (char *c = strtok_r(all, " ", &save); c; c = strtok_r(NULL, " ", &save)) {
        snprintf(word, sizeof(word), "%s", c);
        cgroup_write(dir, "cgroup.subtree_control", word, &ignored);
    }
}

int cgroup_v2_enable(const char *path, struct error *err) {
    cleanup_fd int at = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return error_errno(err, errno, "cgroup", CGROUP_ROOT, "open %s", CGROUP_ROOT);
    while (*(path += strspn(path, "/"))) {
        char name[256];
        size_t length = strcspn(path, "/");
        enable_here(at);
        if (path[length + strspn(path + length, "/")] == '\0')
            return 0; /* the last one is the container's own */
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        if (mkdirat(at, name, 0755) < 0 && errno != EEXIST)
            return error_errno(err, errno, "cgroup", name, "create cgroup %s", name);
        int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        fd_close(&at);
        at = next;
        if (at < 0)
            return error_errno(err, errno, "cgroup", name, "open cgroup %s", name);
    }
    return 0;
}

struct v2 {
    int dir;
    const struct json_value *resources;
    struct error *err;
};

/* A missing file means the controller is not delegated to us; the sentence says so instead of a bare ENOENT.
 */
static int put(const struct v2 *v, const char *file, const char *value) {
    if (cgroup_write(v->dir, file, value, v->err) == 0)
        return 0;
    if (v->err->number == ENOENT)
        return error_set(
            v->err, "failed_precondition", "cgroup", file,
            "cannot set %s: its cgroup controller is not available on this host (cgroup.controllers)", file);
    return -1;
}

static int put_number(const struct v2 *v, const char *file, int64_t value) {
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, value);
    return put(v, file, value == -1 ? "max" : text);
}

/* Absent: 0 and *given false. 2^64-1 reads as -1. */
static int number(const struct v2 *v, const char *section, const char *key, int64_t *value, bool *given) {
    const struct json_value *found = json_get(json_get(v->resources, section), key);
    uint64_t big;
    *value = 0;
    *given = found != NULL;
    if (!found || json_to_int64(found, value))
        return 0;
    if (json_to_uint64(found, &big)) {
        *value = -1;
        return 0;
    }
    return error_set(v->err, "invalid_argument", "cgroup", key, "linux.resources.%s.%s must be an integer",
                     section, key);
}

/*
 * cpu.shares (2 … 262144, default 1024) → cpu.weight (1 … 10000, default 100): the curve that maps the ends
 * and both defaults on each other (runtime-spec's recommendation since 2025).
 */
static int64_t weight_of_shares(int64_t shares) {
    if (shares <= 2)
        return 1;
    if (shares >= 262144)
        return 10000;
    double l = log2((double)shares);
    return (int64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

static int apply_cpu_max(const struct v2 *v, int64_t quota, int64_t period) {
    char text[64], now[64];
    if (!quota && !period)
        return 0;
    if (!quota) { /* a new period keeps the quota */
        if (cgroup_read(v->dir, "cpu.max", now, sizeof(now)) < 0)
            snprintf(now, sizeof(now), "max");
        now[strcspn(now, " ")] = '\0';
        snprintf(text, sizeof(text), "%.30s %" PRId64, now, period);
    } else if (quota < 0) {
        snprintf(text, sizeof(text), period ? "max %" PRId64 : "max", period);
    } else {
        snprintf(text, sizeof(text), period ? "%" PRId64 " %" PRId64 : "%" PRId64, quota, period);
    }
    return put(v, "cpu.max", text);
}

static int apply_cpu(const struct v2 *v) {
    int64_t shares, quota, period, burst, idle, realtime;
    bool given, has_burst, has_idle;
    if (number(v, "cpu", "shares", &shares, &given) < 0 || number(v, "cpu", "quota", &quota, &given) < 0 ||
        number(v, "cpu", "period", &period, &given) < 0 ||
        number(v, "cpu", "burst", &burst, &has_burst) < 0 || number(v, "cpu", "idle", &idle, &has_idle) < 0 ||
        number(v, "cpu", "realtimeRuntime", &realtime, &given) < 0)
        return -1;
    if (realtime)
        return error_set(v->err, "invalid_argument", "cgroup", "cpu",
                         "cgroup v2 has no limits for realtime scheduling (cpu.realtimeRuntime)");
    if (has_idle && put_number(v, "cpu.idle", idle) < 0)
        return -1;
    /* The kernel refuses a weight for an idle group, whose weight is fixed. */
    if (shares && !(has_idle && idle == 1) && put_number(v, "cpu.weight", weight_of_shares(shares)) < 0)
        return -1;
    if (has_burst && burst == 0 && put_number(v, "cpu.max.burst", 0) < 0)
        return -1;
    if (apply_cpu_max(v, quota, period) < 0)
        return -1;
    return has_burst && burst ? put_number(v, "cpu.max.burst", burst) : 0;
}

static int apply_cpuset(const struct v2 *v) {
    const struct json_value *cpu = json_get(v->resources, "cpu");
    const char *cpus = json_get_string(cpu, "cpus", ""), *mems = json_get_string(cpu, "mems", "");
    if (*cpus && put(v, "cpuset.cpus", cpus) < 0)
        return -1;
    return *mems ? put(v, "cpuset.mems", mems) : 0;
}

/* The spec's swap is memory + swap; v2 wants swap alone. */
static int swap_of(const struct v2 *v, int64_t swap, int64_t limit, int64_t *out) {
    *out = swap;
    if (swap == -1 || swap == 0) {
        if (swap == 0 && limit == -1)
            *out = -1; /* no limit on memory and none given for the sum */
        return 0;
    }
    if (limit <= 0)
        return error_set(v->err, "invalid_argument", "cgroup", "memory",
                         "unable to set swap limit without memory limit");
    if (swap < limit)
        return error_set(v->err, "invalid_argument", "cgroup", "memory",
                         "memory+swap limit %" PRId64 " should be >= memory limit %" PRId64, swap, limit);
    *out = swap - limit;
    return 0;
}

static int64_t read_number(const struct v2 *v, const char *file) {
    char text[32];
    return cgroup_read(v->dir, file, text, sizeof(text)) == 0 ? strtoll(text, NULL, 10) : -1;
}

static int apply_memory(const struct v2 *v) {
    int64_t limit, swap, reservation, swap_max;
    bool has_limit, has_swap, has_reservation;
    if (number(v, "memory", "limit", &limit, &has_limit) < 0 ||
        number(v, "memory", "swap", &swap, &has_swap) < 0 ||
        number(v, "memory", "reservation", &reservation, &has_reservation) < 0 ||
        swap_of(v, swap, limit, &swap_max) < 0)
        return -1;
    if (limit > 0 && json_get_bool(json_get(v->resources, "memory"), "checkBeforeUpdate", false)) {
        int64_t usage = read_number(v, "memory.current");
        if (usage > limit)
            return error_set(v->err, "failed_precondition", "cgroup", "memory",
                             "rejecting memory limit %" PRId64 ": usage is %" PRId64, limit, usage);
    }
    if (swap || swap_max) {
        bool zero = swap > 0 && swap_max == 0;
        if (put_number(v, "memory.swap.max", swap_max) < 0) {
            /* A kernel without swap accounting cannot swap more than none, either. */
            if (!zero && !(swap == 0))
                return -1;
            v->err->number = 0;
        }
    }
    if (limit && put_number(v, "memory.max", limit) < 0)
        return -1;
    return reservation ? put_number(v, "memory.low", reservation) : 0;
}

static int apply_io_weight(const struct v2 *v, const struct json_value *block) {
    char text[80];
    int64_t weight = json_get_int(block, "weight", 0);
    bool bfq = faccessat(v->dir, "io.bfq.weight", F_OK, 0) == 0;
    if (weight) { /* bfq takes blkio's scale as it is; io.weight maps 10 … 1000 on 1 … 10000 */
        snprintf(text, sizeof(text), "%" PRId64, bfq ? weight : 1 + (weight - 10) * 9999 / 990);
        if (put(v, bfq ? "io.bfq.weight" : "io.weight", text) < 0)
            return -1;
    }
    for (const struct json_value *d = json_first(json_get(block, "weightDevice")); d; d = d->next) {
        weight = json_get_int(d, "weight", 0);
        if (!weight)
            continue;
        snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %" PRId64, json_get_int(d, "major", 0),
                 json_get_int(d, "minor", 0), bfq ? weight : 1 + (weight - 10) * 9999 / 990);
        if (put(v, bfq ? "io.bfq.weight" : "io.weight", text) < 0)
            return -1;
    }
    return 0;
}

static int apply_io(const struct v2 *v) {
    static const struct {
        const char *key, *word;
    } kinds[] = {{"throttleReadBpsDevice", "rbps"},
                 {"throttleWriteBpsDevice", "wbps"},
                 {"throttleReadIOPSDevice", "riops"},
                 {"throttleWriteIOPSDevice", "wiops"}};
    const struct json_value *block = json_get(v->resources, "blockIO");
    if (!block)
        return 0;
    if (json_get_int(block, "leafWeight", 0))
        return error_set(v->err, "invalid_argument", "cgroup", "blockIO", "cgroup v2 has no leafWeight");
    if (apply_io_weight(v, block) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (const struct json_value *d = json_first(json_get(block, kinds[i].key)); d; d = d->next) {
            char text[96], rate_text[24] = "max";
            uint64_t rate = 0;
            json_to_uint64(json_get(d, "rate"), &rate);
            if (rate)
                snprintf(rate_text, sizeof(rate_text), "%" PRIu64, rate);
            snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %s=%s", json_get_int(d, "major", 0),
                     json_get_int(d, "minor", 0), kinds[i].word, rate_text);
            if (put(v, "io.max", text) < 0)
                return -1;
        }
    }
    return 0;
}

static int apply_pids(const struct v2 *v) {
    int64_t limit;
    bool given;
    if (number(v, "pids", "limit", &limit, &given) < 0)
        return -1;
    return limit ? put_number(v, "pids.max", limit < 0 ? -1 : limit) : 0;
}

static int apply_hugepages(const struct v2 *v) {
    for (const struct json_value *p = json_first(json_get(v->resources, "hugepageLimits")); p; p = p->next) {
        char file[80], text[32];
        uint64_t limit = 0;
        const char *size = json_get_string(p, "pageSize", "");
        json_to_uint64(json_get(p, "limit"), &limit);
        snprintf(text, sizeof(text), "%" PRIu64, limit);
        if (strchr(size, '/') || strlen(size) > 32)
            return error_set(v->err, "invalid_argument", "cgroup", size, "invalid huge page size \"%.40s\"",
                             size);
        snprintf(file, sizeof(file), "hugetlb.%s.max", size);
        if (put(v, file, text) < 0)
            return -1;
        snprintf(file, sizeof(file), "hugetlb.%s.rsvd.max", size);
        if (faccessat(v->dir, file, F_OK, 0) == 0 && put(v, file, text) < 0)
            return -1;
    }
    return 0;
}

static int apply_rdma(const struct v2 *v) {
    for (const struct json_value *r = json_first(json_get(v->resources, "rdma")); r; r = r->next) {
        char text[256], handles[32] = "max", objects[32] = "max";
        if (json_get(r, "hcaHandles"))
            snprintf(handles, sizeof(handles), "%" PRId64, json_get_int(r, "hcaHandles", 0));
        if (json_get(r, "hcaObjects"))
            snprintf(objects, sizeof(objects), "%" PRId64, json_get_int(r, "hcaObjects", 0));
        snprintf(text, sizeof(text), "%.64s hca_handle=%s hca_object=%s", r->key, handles, objects);
        if (put(v, "rdma.max", text) < 0)
            return -1;
    }
    return 0;
}

/* `unified` names v2 files as they are. Several lines in a value are several writes. */
static int apply_unified(const struct v2 *v) {
    for (const struct json_value *u = json_first(json_get(v->resources, "unified")); u; u = u->next) {
        char line[512];
        if (u->type != JSON_STRING || strchr(u->key, '/') || !strchr(u->key, '.'))
            return error_set(v->err, "invalid_argument", "cgroup", u->key,
                             "linux.resources.unified: \"%.100s\" must be a file name with a string value",
                             u->key);
        for (const char *at = u->string; *at; at += strspn(at, "\n")) {
            size_t length = strcspn(at, "\n");
            if (length >= sizeof(line))
                return error_set(v->err, "invalid_argument", "cgroup", u->key,
                                 "linux.resources.unified: the value of %s is too long", u->key);
            memcpy(line, at, length);
            line[length] = '\0';
            if (put(v, u->key, line) < 0)
                return -1;
            at += length;
        }
    }
    return 0;
}

static int apply_devices(const struct v2 *v, bool update) {
    struct device_rule rules[CGROUP_DEVICE_RULES_MAX];
    if (update && !json_get(v->resources, "devices"))
        return 0;
    ssize_t count = cgroup_device_rules(v->resources, rules, CGROUP_DEVICE_RULES_MAX, v->err);
    return count < 0 ? -1 : bpf_devices_attach(v->dir, rules, (size_t)count, v->err);
}

int cgroup_v2_apply(struct cgroup *cgroup, const struct json_value *resources, bool update,
                    struct error *err) {
    struct v2 v = {.dir = cgroup->hierarchies[0].fd, .resources = resources, .err = err};
    if (apply_devices(&v, update) < 0)
        return -1;
    if (!resources || !resources->count)
        return 0;
    if (json_first(json_get(json_get(resources, "network"), "priorities")) ||
        json_get_int(json_get(resources, "network"), "classID", 0))
        return error_set(err, "invalid_argument", "cgroup", "network",
                         "cgroup v2 has no network class or priorities");
    if (apply_cpuset(&v) < 0 || apply_cpu(&v) < 0 || apply_memory(&v) < 0 || apply_io(&v) < 0 ||
        apply_pids(&v) < 0 || apply_hugepages(&v) < 0 || apply_rdma(&v) < 0)
        return -1;
    return apply_unified(&v);
}

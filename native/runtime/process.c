#include "process.h"

#include "capabilities.h"
#include "cleanup.h"
#include "path.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>

int process_set_limits(const struct process_spec *process, pid_t pid, struct error *err) {
    for (size_t i = 0; i < process->rlimit_count; i++) {
        const struct rlimit_spec *r = &process->rlimits[i];
        if (prlimit(pid, (enum __rlimit_resource)r->resource, &r->limit, NULL) < 0)
            return error_errno(err, errno, "rlimits", NULL, "error setting rlimit type %d", r->resource);
    }
    return 0;
}

static int open_proc(int proc_fd, const char *path, int flags) {
    /* Nothing mounted over it, no link out of it: the file must be procfs's own (CVE-2019-16884, 2025-52881).
     */
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
}

int process_set_oom_score(const struct process_spec *process, int proc_fd, pid_t pid, struct error *err) {
    char path[48], text[16], have[16];
    if (!process->has_oom_score_adj)
        return 0;
    snprintf(path, sizeof(path), "%d/oom_score_adj", pid);
    int length = snprintf(text, sizeof(text), "%d", process->oom_score_adj);
    cleanup_fd int fd = open_proc(proc_fd, path, O_RDWR);
    if (fd < 0)
        return error_errno(err, errno, "oom score", path, "open /proc/%s", path);
    ssize_t got = read(fd, have, sizeof(have) - 1);
    have[got > 0 ? got : 0] = '\0';
    if (got > 0 && atoi(have) == process->oom_score_adj)
        return 0;
    if (write(fd, text, (size_t)length) < 0)
        return error_errno(err, errno, "oom score", path, "failed to update /proc/%s to %s", path, text);
    return 0;
}

int process_new_keyring(const char *id, struct error *err) {
    enum { JOIN_SESSION_KEYRING = 1, SETPERM = 5 };
    char name[300];
    snprintf(name, sizeof(name), "_ses.%s", id);
    long key = syscall(SYS_keyctl, JOIN_SESSION_KEYRING, name, 0, 0, 0);
    if (key < 0)
        return errno == ENOSYS || errno == EPERM
                   ? 0
                   : error_errno(err, errno, "keyring", NULL, "create session keyring");
    /* The user may link keys: possessor and user get search (as runc: else the ring is of no use under
     * another uid). */
    if (syscall(SYS_keyctl, SETPERM, key, 0x3f0d0000 | 0x00080000 | 0x3f000000, 0, 0) < 0 &&
        errno != EACCES && errno != ENOSYS)
        return error_errno(err, errno, "keyring", NULL, "set permissions of the session keyring");
    return 0;
}

int process_reset_affinity(struct error *err) {
    unsigned long all[1024];
    memset(all, 0xff, sizeof(all));
    if (syscall(SYS_sched_setaffinity, 0, sizeof(all), all) < 0)
        return error_errno(err, errno, "cpu affinity", NULL, "reset the CPU affinity");
    return 0;
}

struct sched_attr_v1 {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static int set_scheduler(const struct scheduler_spec *s, struct error *err) {
    struct sched_attr_v1 attr = {
        .size = sizeof(attr),
        .policy = s->policy,
        .flags = s->flags,
        .nice = s->nice,
        .priority = (uint32_t)s->priority,
        .runtime = s->runtime,
        .deadline = s->deadline,
        .period = s->period,
    };
    if (s->given && syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
        return error_errno(err, errno, "scheduler", NULL, "error setting scheduler");
    return 0;
}

/* "0-2,4" → bits. */
static int parse_nodes(const char *text, unsigned long *mask, size_t words) {
    memset(mask, 0, words * sizeof(*mask));
    while (*text) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text)
            return -1;
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (last < first || last >= words * 64)
            return -1;
        for (; first <= last; first++)
            mask[first / 64] |= 1UL << (first % 64);
        if (*end != ',' && *end != '\0')
            return -1;
        text = *end ? end + 1 : end;
    }
    return 0;
}

static int set_memory_policy(const struct memory_policy_spec *policy, struct error *err) {
    unsigned long mask[16];
    if (!policy->given)
        return 0;
    if (parse_nodes(policy->nodes ? policy->nodes : "", mask, 16) < 0)
        return error_set(err, "invalid_argument", "memory policy", NULL,
                         "invalid memory policy nodes \"%.100s\"", policy->nodes);
    bool any = policy->nodes && *policy->nodes;
    if (syscall(SYS_set_mempolicy, policy->mode, any ? mask : NULL, any ? 16 * 64 + 1 : 0) < 0)
        return error_errno(err, errno, "memory policy", NULL, "set_mempolicy");
    return 0;
}

int process_set_scheduling(const struct process_spec *process, const struct spec *spec, struct error *err) {
    if (set_scheduler(&process->scheduler, err) < 0)
        return -1;
    if (process->has_io_priority && syscall(SYS_ioprio_set, 1, 0, process->io_priority) < 0)
        return error_errno(err, errno, "io priority", NULL, "failed to apply io priority");
    if (!spec)
        return 0;
    if (spec->has_personality && personality(spec->personality) < 0)
        return error_errno(err, errno, "personality", NULL, "set personality");
    return set_memory_policy(&spec->memory_policy, err);
}

static int write_label(int proc_fd, const char *file, const char *text, const char *what, struct error *err) {
    cleanup_fd int fd = open_proc(proc_fd, file, O_WRONLY);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_errno(err, errno, "label", file, "set %s", what);
    return 0;
}

int process_set_labels(const struct process_spec *process, int proc_fd, struct error *err) {
    char text[4200], file[64];
    const char *profile = process->apparmor_profile, *label = process->selinux_label;
    if (profile && *profile) {
        if (access("/sys/kernel/security/apparmor", F_OK) < 0 &&
            access("/sys/module/apparmor/parameters/enabled", F_OK) < 0) {
            if (strcmp(profile, "unconfined") != 0)
                return error_set(
                    err, "failed_precondition", "label", NULL,
                    "apparmor profile \"%s\" is asked for, but AppArmor is not enabled on this host",
                    profile);
        } else {
            snprintf(text, sizeof(text), "exec %s", profile);
            snprintf(file, sizeof(file), "self/attr/apparmor/exec");
            if (write_label(proc_fd, file, text, "AppArmor profile", err) < 0 &&
                write_label(proc_fd, "self/attr/exec", text, "AppArmor profile", err) < 0)
                return -1;
        }
    }
    if (label && *label) {
        if (access("/sys/fs/selinux/enforce", F_OK) < 0)
            return error_set(
                err, "failed_precondition", "label", NULL,
                "selinux label is specified in config, but selinux is disabled or not supported");
        return write_label(proc_fd, "self/attr/exec", label, "SELinux label", err);
    }
    return 0;
}

int process_set_no_new_privileges(const struct process_spec *process, struct error *err) {
    if (process->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_errno(err, errno, "no_new_privs", NULL, "set no_new_privs");
    return 0;
}

int process_own_stdio(const struct process_spec *process, struct error *err) {
    for (int fd = 0; fd <= 2; fd++) {
        struct stat st;
        if (fstat(fd, &st) < 0 || st.st_uid == process->uid)
            continue;
        /* Only what belongs to this process alone: never a file or device of the host (crun CVE-2026-88265).
         */
        if (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) && !isatty(fd))
            continue;
        if (fchown(fd, process->uid, (gid_t)-1) < 0 && errno != EINVAL && errno != EPERM && errno != EROFS)
            return error_errno(err, errno, "stdio", NULL, "change the owner of descriptor %d", fd);
    }
    return 0;
}

static int set_groups(const struct process_spec *process, struct error *err) {
    char text[16] = "";
    if (setgroups(process->group_count, process->groups) == 0)
        return 0;
    int number = errno;
    cleanup_fd int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
    bool denied = fd >= 0 && read(fd, text, 4) == 4 && strncmp(text, "deny", 4) == 0;
    if (number == EPERM && denied && process->group_count == 0)
        return 0;
    if (number == EPERM && denied)
        return error_set(err, "permission_denied", "user", NULL,
                         "cannot set any additional groups in a rootless container");
    return error_errno(err, number, "user", NULL, "setgroups");
}

int process_set_user(const struct process_spec *process, struct error *err) {
    if (capabilities_drop_bounding(process->caps.bounding, err) < 0)
        return -1;
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return error_errno(err, errno, "user", NULL, "keep capabilities");
    if (set_groups(process, err) < 0)
        return -1;
    if (setresgid(process->gid, process->gid, process->gid) < 0)
        return error_errno(err, errno, "user", NULL, "set group id %u", process->gid);
    if (setresuid(process->uid, process->uid, process->uid) < 0)
        return error_errno(err, errno, "user", NULL, "set user id %u", process->uid);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
        return error_errno(err, errno, "user", NULL, "drop keep-capabilities");
    umask(process->has_umask ? process->umask : 0022);
    return capabilities_apply(&process->caps, err);
}

int process_change_directory(const struct process_spec *process, struct error *err) {
    char where[4096];
    if (chdir(process->cwd) < 0)
        return error_errno(err, errno, "cwd", process->cwd, "chdir to cwd (\"%s\") set in config.json failed",
                           process->cwd);
    /* A directory reached through a leaked descriptor has no name below this root: the kernel says
     * "(unreachable)". */
    long length = syscall(SYS_getcwd, where, sizeof(where));
    if (length < 0 || where[0] != '/')
        return error_set(err, "permission_denied", "cwd", process->cwd,
                         "current working directory is outside of container mount namespace root: possible "
                         "container breakout detected");
    return 0;
}

static const char *env_value(const struct process_spec *process, const char *name) {
    size_t length = strlen(name);
    const char *value = NULL;
    for (char **e = process->env; e && *e; e++)
        if (strncmp(*e, name, length) == 0 && (*e)[length] == '=')
            value = *e + length + 1;
    return value;
}

static bool executable(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0)
        return false;
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/* The wording (and its lower case) is what Docker, Podman and our monitor turn into exit codes 126 and 127.
 */
static int program_error(const char *name, int number, struct error *err) {
    if (number == ENOENT || number == ENOTDIR)
        error_errno(err, number, "exec", name, "exec: \"%s\": stat %s", name, name);
    else if (number == EISDIR) /* execve would say EACCES, and callers look for that */
        error_errno(err, EACCES, "exec", name, "exec: \"%s\" is a directory", name);
    else
        error_errno(err, number, "exec", name, "exec: \"%s\"", name);
    return -1;
}

int process_find_program(const struct process_spec *process, struct arena *arena, const char **program,
                         struct error *err) {
    const char *name = process->args[0], *path = env_value(process, "PATH");
    bool denied = false;
    if (!*name)
        return error_set(err, "not_found", "exec", name, "exec: \"\": executable file not found in $PATH");
    if (strchr(name, '/')) {
        *program = name;
        return executable(name) ? 0 : program_error(name, errno, err);
    }
    for (const char *at = path ? path : ""; *at;) {
        size_t length = strcspn(at, ":");
        char *candidate = arena_printf(arena, "%.*s%s%s", (int)length, at, length ? "/" : "./", name);
        if (executable(candidate)) {
            *program = candidate;
            return 0;
        }
        denied = denied || errno == EACCES;
        at += length + (at[length] == ':');
    }
    if (denied)
        return program_error(name, EACCES, err);
    return error_set(err, "not_found", "exec", name, "exec: \"%s\": executable file not found in $PATH",
                     name);
}

void process_put_env(struct process_spec *process, struct arena *arena, const char *assignment) {
    size_t count = 0, name = strcspn(assignment, "=") + 1;
    while (process->env && process->env[count])
        count++;
    char **env = arena_array(arena, char *, count + 2), **out = env;
    for (size_t i = 0; i < count; i++)
        if (strncmp(process->env[i], assignment, name) != 0)
            *out++ = process->env[i];
    *out = (char *)assignment;
    process->env = env;
}

/* The home directory field of uid's line; the file is the container's and may hold anything. */
static bool passwd_home(uid_t uid, char *home, size_t room) {
    char line[4096];
    cleanup_fd int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (1 << 24))
        return false;
    FILE *file = fdopen(fd_take(&fd), "r");
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file)) {
        char *field[7] = {line}, *end;
        int fields = 1;
        line[strcspn(line, "\n")] = '\0';
        for (char *c = line; *c && fields < 7; c++) {
            if (*c == ':') {
                *c = '\0';
                field[fields++] = c + 1;
            }
        }
        if (fields < 6 || !*field[2])
            continue;
        unsigned long value = strtoul(field[2], &end, 10);
        if (*end || value != uid || field[2][0] == '-')
            continue;
        found = field[5][0] == '/' && strlen(field[5]) < room;
        if (found)
            strcpy(home, field[5]);
        break;
    }
    if (file)
        fclose(file);
    return found;
}

void process_set_home(struct process_spec *process, struct arena *arena) {
    char home[1024] = "/";
    const char *have = env_value(process, "HOME");
    if (have && *have)
        return;
    if (!passwd_home(process->uid, home, sizeof(home)))
        strcpy(home, "/");
    process_put_env(process, arena, arena_printf(arena, "HOME=%s", home));
}

int process_execute(const struct process_spec *process, const char *program, int preserve_fds,
                    struct error *err) {
    static char *no_env[] = {NULL};
    sigset_t none;
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = 3; fd < 3 + preserve_fds; fd++)
        fcntl(fd, F_SETFD, 0);
    sys_close_range(3 + (unsigned)preserve_fds, ~0u, CLOSE_RANGE_CLOEXEC);
    execve(program, process->args, process->env ? process->env : no_env);
    return error_errno(err, errno, "exec", program, "exec %s", program);
}

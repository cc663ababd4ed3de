#include "exec.h"

#include "channel.h"
#include "cleanup.h"
#include "launch.h"
#include "log.h"
#include "process.h"
#include "seccomp_agent.h"
#include "seccomp_filter.h"
#include "syscalls.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct exec {
    const struct exec_options *options;
    const struct state *state;
    struct spec *spec;
    struct process_spec *process;
    struct seccomp_program seccomp;
    struct cgroup cgroup;
    int init_pidfd, proc_fd, console, root_fd;
    int channel[2];
    pid_t pid;
    int pidfd, master;
    bool cgrouped;                     /* in the child: MESSAGE_CGROUPED has come */
    int tasks[CGROUP_HIERARCHIES_MAX]; /* v1: through these the child steps into the cgroups */
    size_t task_count;
    int target; /* v2, or cgroup2 beside v1: the cgroup it is born in; or -1 */
};

static int exec_error(int number, const char *what, struct error *err) {
    return error_errno(err, number, "exec", NULL, "%s", what);
}

/* "0-3,7" → mask. */
static int set_affinity(pid_t pid, const char *list, struct error *err) {
    cpu_set_t set;
    if (!list || !*list)
        return 0;
    CPU_ZERO(&set);
    for (const char *at = list; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (end == at)
            return error_set(err, "invalid_argument", "cpu affinity", NULL, "invalid CPU list \"%.100s\"",
                             list);
        if (*end == '-')
            last = strtoul(end + 1, &end, 10);
        if (last < first || last >= CPU_SETSIZE || end[-1] == '-')
            return error_set(err, "invalid_argument", "cpu affinity", NULL, "invalid CPU list \"%.100s\"",
                             list);
        for (; first <= last && first < CPU_SETSIZE; first++)
            CPU_SET(first, &set);
        at = *end == ',' ? end + 1 : end;
        if (*end && *end != ',')
            return error_set(err, "invalid_argument", "cpu affinity", NULL, "invalid CPU list \"%.100s\"",
                             list);
    }
    if (sched_setaffinity(pid, sizeof(set), &set) < 0)
        return exec_error(errno, "set CPU affinity", err);
    log_message(LOG_DEBUG, "nsexec[%d]: affinity: 0x%lx", pid ? pid : getpid(), set.__bits[0]);
    return 0;
}

/* In the child. MESSAGE_CGROUPED comes when the runtime is done with that, maybe before the answer to a
 * question of ours. */
static int await_message(struct exec *e, int channel, enum message_kind kind, struct error *err) {
    struct message message = {.kind = kind};
    if (kind == MESSAGE_CGROUPED && e->cgrouped)
        return 0;
    do {
        if (channel_receive(channel, &message, NULL, err) < 0)
            return -1;
        e->cgrouped = e->cgrouped || message.kind == MESSAGE_CGROUPED;
    } while (message.kind != kind);
    return 0;
}

/* Which of init's namespaces differ from ours by its config; joining our own user namespace again would be
 * refused. */
static int namespace_flags(const struct spec *spec) {
    int flags = 0;
    for (int kind = 0; kind < NS_COUNT; kind++)
        if (spec->namespaces[kind].listed && kind != NS_PID)
            flags |= namespace_kinds[kind].flag;
    return flags;
}

/* All of init's namespaces in one step: the kernel takes the user namespace first and judges the rest by it.
 */
static int enter(struct exec *e, struct error *err) {
    if (setns(e->init_pidfd, namespace_flags(e->spec)) < 0)
        return exec_error(errno, "join the container's namespaces", err);
    if (e->root_fd >= 0 && (fchdir(e->root_fd) < 0 || chroot(".") < 0))
        return exec_error(errno, "change the root to the container's", err);
    if (!e->spec->namespaces[NS_USER].listed)
        return 0;
    if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
        return exec_error(errno, "become root of the user namespace", err);
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return exec_error(errno, "drop the caller's groups", err);
    return 0;
}

static int take_terminal(struct exec *e, int channel, struct error *err) {
    cleanup_fd int master = -1, slave = -1;
    if (!e->process->terminal)
        return 0;
    cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    slave = terminal_open(root, e->process, e->console, e->console < 0 ? &master : NULL, err);
    if (slave < 0)
        return -1;
    if (master >= 0 && channel_send(channel, MESSAGE_CONSOLE, 0, master) < 0)
        return exec_error(errno, "hand over the terminal", err);
    return terminal_take(slave, err);
}

static int load_seccomp(struct exec *e, int channel, struct error *err) {
    cleanup_fd int notify = -1;
    if (seccomp_filter_load(&e->seccomp, &notify, err) < 0)
        return -1;
    if (notify < 0)
        return 0;
    if (channel_send(channel, MESSAGE_SECCOMP, 0, notify) < 0)
        return exec_error(errno, "hand over the seccomp listener", err);
    return await_message(e, channel, MESSAGE_CONTINUE, err);
}

/* Limits of a container with a user namespace can only be set from outside. */
static int set_limits(struct exec *e, int channel, struct error *err) {
    if (!e->process->rlimit_count)
        return 0;
    if (!e->spec->namespaces[NS_USER].listed)
        return process_set_limits(e->process, 0, err);
    if (channel_send(channel, MESSAGE_LIMITS, 0, -1) < 0)
        return exec_error(errno, "ask for limits", err);
    return await_message(e, channel, MESSAGE_CONTINUE, err);
}

/* The same order as init's (init.c), without what concerns the whole container. */
static int child_steps(struct exec *e, int channel, struct error *err) {
    struct process_spec *p = e->process;
    const char *program;
    log_message(LOG_DEBUG,
                "nsexec container setup"); /* runc's words for these steps; its tests look for them */
    log_message(LOG_DEBUG, "child process in init()");
    if (cgroup_enter(e->tasks, e->task_count, err) < 0)
        return -1;
    /* Only now, as entering a cpuset changes the mask; a given final mask is set by the runtime. */
    if (!p->cpu_affinity_final && process_reset_affinity(err) < 0)
        return -1;
    if (enter(e, err) < 0 || (setsid() < 0 && exec_error(errno, "start a session", err) < 0))
        return -1;
    if (process_new_keyring(e->options->id, err) < 0 || take_terminal(e, channel, err) < 0 ||
        process_set_labels(p, e->proc_fd, err) < 0 || process_set_no_new_privileges(p, err) < 0 ||
        process_set_scheduling(p, NULL, err) < 0 || process_own_stdio(p, err) < 0 ||
        process_change_directory(p, err) < 0 || set_limits(e, channel, err) < 0)
        return -1;
    if (!p->no_new_privileges && load_seccomp(e, channel, err) < 0)
        return -1;
    if (process_set_user(p, err) < 0)
        return -1;
    process_set_home(p, &e->spec->arena);
    if (process_find_program(p, &e->spec->arena, &program, err) < 0)
        return error_wrap(err, "unable to start container process");
    if (await_message(e, channel, MESSAGE_CGROUPED, err) < 0)
        return -1;
    if (p->no_new_privileges && load_seccomp(e, channel, err) < 0)
        return -1;
    log_message(LOG_DEBUG, "setns_init: about to exec");
    prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); /* the runtime waits for our execve, then may go */
    return process_execute(p, program, e->options->preserve_fds, err);
}

static void child(struct exec *e) {
    struct error err = {0};
    fd_close(&e->channel[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    child_steps(e, e->channel[1], &err);
    channel_send_error(e->channel[1], &err);
    _exit(255);
}

/* On v2 a container that runs its own init (systemd) has its processes in cgroups below: then where its init
 * is. */
static int inits_cgroup(const struct exec *e) {
    char path[40], text[4200], full[4400];
    snprintf(path, sizeof(path), "%d/cgroup", e->state->pid);
    if (cgroup_read(e->proc_fd, path, text, sizeof(text)) < 0 || strncmp(text, "0::/", 4) != 0)
        return -1;
    text[strcspn(text, "\n")] = '\0';
    snprintf(full, sizeof(full), CGROUP_ROOT "%s", text + 3);
    return open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int bear(struct exec *e) {
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&e->pidfd, .exit_signal = SIGCHLD};
    if (e->target < 0)
        return sys_clone3(&args);
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = (uint64_t)e->target;
    int pid = sys_clone3(&args);
    if (pid >= 0 ||
        (e->cgroup.version == 2 && ((errno != EBUSY && errno != EOPNOTSUPP) || e->options->cgroups.count)))
        return pid;
    fd_close(&e->target);
    if (e->cgroup.version == 1) { /* the cgroup2 beside it is not worth failing for */
        args.flags &= ~(uint64_t)CLONE_INTO_CGROUP;
        return sys_clone3(&args);
    }
    e->target = inits_cgroup(e);
    args.cgroup = (uint64_t)e->target;
    return e->target < 0 ? -1 : sys_clone3(&args);
}

/* The child is born in the container's pid namespace; the runtime steps back out of it at once. */
static int clone_child(struct exec *e, struct error *err) {
    bool pid_namespace = e->spec->namespaces[NS_PID].listed;
    cleanup_fd int own = pid_namespace ? open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC) : -1;
    if (channel_open(e->channel, err) < 0 || set_affinity(0, e->process->cpu_affinity_initial, err) < 0)
        return -1;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return exec_error(errno, "become undumpable", err);
    if (pid_namespace && (own < 0 || setns(e->init_pidfd, CLONE_NEWPID) < 0))
        return exec_error(errno, "join the container's pid namespace", err);
    log_message(LOG_DEBUG, "nsexec started");
    e->pid = bear(e);
    if (e->pid == 0)
        child(e);
    int number = errno;
    if (pid_namespace && setns(own, CLONE_NEWPID) < 0)
        return exec_error(errno, "leave the container's pid namespace", err);
    fd_close(&e->channel[1]);
    return e->pid < 0 ? exec_error(number, "create the process", err) : 0;
}

/* Serves the child until its end of the channel closes: then its program runs. */
static int serve(struct exec *e, struct error *err) {
    for (;;) {
        struct message message;
        cleanup_fd int passed = -1;
        int result = channel_next(e->channel[0], &message, &passed, err);
        if (result <= 0)
            return result;
        if (message.kind == MESSAGE_CONSOLE) {
            e->master = fd_take(&passed);
            continue;
        }
        if (message.kind == MESSAGE_LIMITS && process_set_limits(e->process, e->pid, err) < 0)
            return -1;
        if (message.kind == MESSAGE_SECCOMP &&
            seccomp_agent_send(&e->seccomp, e->state, e->pid, passed, err) < 0)
            return -1;
        if (channel_send(e->channel[0], MESSAGE_CONTINUE, 0, -1) < 0)
            return exec_error(errno, "answer the process", err);
    }
}

static int equip(struct exec *e, struct error *err) {
    const struct exec_options *o = e->options;
    if (process_set_oom_score(e->process, e->proc_fd, e->pid, err) < 0 ||
        set_affinity(e->pid, e->process->cpu_affinity_final, err) < 0)
        return -1;
    if (o->pidfd_socket && launch_send_pidfd(o->pidfd_socket, e->pidfd, err) < 0)
        return -1;
    if (o->pid_file && launch_write_pid_file(o->pid_file, e->pid, err) < 0)
        return -1;
    if (channel_send(e->channel[0], MESSAGE_CGROUPED, 0, -1) < 0 && errno != EPIPE)
        return exec_error(errno, "release the process", err);
    return 0;
}

static int prepare(struct exec *e, struct error *err) {
    e->proc_fd = launch_open_proc(err);
    e->init_pidfd = sys_pidfd_open(e->state->pid);
    if (e->proc_fd < 0)
        return -1;
    /* Opened first, checked then: the descriptor is certainly of the container's init. */
    if (e->init_pidfd < 0 || !state_alive(e->state))
        return error_set(err, "failed_precondition", "exec", NULL, "cannot exec in a stopped container");
    if (e->options->console_socket &&
        (e->console = terminal_connect(e->options->console_socket, "console socket", err)) < 0)
        return -1;
    if (!e->spec->namespaces[NS_MOUNT].listed) {
        char path[40];
        snprintf(path, sizeof(path), "%d/root", e->state->pid);
        e->root_fd = openat(e->proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (e->root_fd < 0)
            return exec_error(errno, "open the container's root", err);
    }
    if (state_cgroup(e->state, &e->cgroup, err) < 0 ||
        cgroup_open_tasks(&e->cgroup, &e->options->cgroups, e->tasks, &e->task_count, err) < 0)
        return -1;
    int unified = cgroup_unified_dir(&e->cgroup);
    if (unified >= 0)
        e->target = fcntl(unified, F_DUPFD_CLOEXEC, 3);
    if (e->cgroup.version == 2 && (e->target = cgroup_open_target(&e->cgroup, &e->options->cgroups, err)) < 0)
        return -1;
    return seccomp_filter_prepare(&e->seccomp, e->spec->seccomp, e->options->root, err);
}

static void release(struct exec *e) {
    int *fds[] = {&e->init_pidfd, &e->proc_fd, &e->console, &e->root_fd, &e->channel[0], &e->channel[1]};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        fd_close(fds[i]);
    for (size_t i = 0; i < e->task_count; i++)
        fd_close(&e->tasks[i]);
    fd_close(&e->target);
    cgroup_close(&e->cgroup);
    seccomp_filter_free(&e->seccomp);
}

static int bring_up(struct exec *e, struct error *err) {
    if (prepare(e, err) < 0 || clone_child(e, err) < 0)
        return -1;
    if (equip(e, err) == 0)
        return serve(e, err);
    if (err->number == ESRCH || err->number == EPIPE) /* it has ended and left the better reason */
        serve(e, err);
    return -1;
}

int exec_start(struct exec_process *out, const struct exec_options *options, const struct state *state,
               struct spec *spec, struct process_spec *process, struct error *err) {
    struct exec e = {.options = options,
                     .state = state,
                     .spec = spec,
                     .process = process,
                     .init_pidfd = -1,
                     .proc_fd = -1,
                     .console = -1,
                     .root_fd = -1,
                     .target = -1,
                     .channel = {-1, -1},
                     .pidfd = -1,
                     .master = -1};
    int result = bring_up(&e, err);
    if (result < 0 && e.pid > 0) {
        sys_pidfd_send_signal(e.pidfd, SIGKILL);
        while (waitpid(e.pid, NULL, 0) < 0 && errno == EINTR)
            ;
        fd_close(&e.pidfd);
        fd_close(&e.master);
    }
    release(&e);
    *out = (struct exec_process){.pid = e.pid, .pidfd = e.pidfd, .master = e.master};
    return result;
}

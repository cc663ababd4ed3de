/*
 * The container's first process, from its birth in new namespaces to execve. init_steps reads as the list it
 * is; the order matters and each function says why at its place. Everything before "ready" happens in
 * `create`, the rest at `start`.
 */
#include "launch.h"

#include "channel.h"
#include "cleanup.h"
#include "hooks.h"
#include "log.h"
#include "path.h"
#include "process.h"
#include "syscalls.h"
#include "sysctl.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static int init_error(int number, const char *what, struct error *err) {
    return error_errno(err, number, "init", NULL, "%s", what);
}

/* What the container's init itself must keep between steps. */
struct init {
    struct launch *launch;
    int channel;
    int slave;
    bool cgrouped;
    const char *program;
};

static struct init init = {.slave = -1};

int init_await_cgroups(void *context, struct error *err) {
    struct launch *launch = context;
    if (init.cgrouped)
        return 0;
    int tasks[CHANNEL_FDS_MAX];
    size_t count;
    init.cgrouped = true;
    if (channel_expect_fds(init.channel, MESSAGE_CGROUPED, tasks, &count, err) < 0 ||
        cgroup_enter(tasks, count, err) < 0)
        return -1;
    /* The cgroup namespace is rooted where its maker stands, so it can only be made now. */
    if (spec_has_new(&launch->spec, NS_CGROUP) && unshare(CLONE_NEWCGROUP) < 0)
        return init_error(errno, "create cgroup namespace", err);
    return 0;
}

/* In a new user namespace, become its root once the mappings are there. */
static int become_root(struct launch *l, struct error *err) {
    if (!spec_has_new(&l->spec, NS_USER))
        return 0;
    if (channel_expect(init.channel, MESSAGE_MAPPED, err) < 0)
        return -1;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return init_error(errno, "become undumpable", err);
    /* Without a mapping for 0 the first mapped id has to do: capabilities come from having made the
     * namespace. */
    if (setresgid(0, 0, 0) < 0 && errno != EINVAL)
        return init_error(errno, "become group 0 of the user namespace", err);
    if (setresuid(0, 0, 0) < 0 && errno != EINVAL)
        return init_error(errno, "become user 0 of the user namespace", err);
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return init_error(errno, "drop the caller's groups", err);
    return 0;
}

static int set_names(const struct spec *spec, struct error *err) {
    if (spec->hostname && *spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
        return init_error(errno, "set hostname", err);
    if (spec->domainname && *spec->domainname &&
        setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
        return init_error(errno, "set domainname", err);
    return 0;
}

static int open_terminal(struct launch *l, struct error *err) {
    cleanup_fd int master = -1;
    if (!l->spec.process.terminal)
        return 0;
    init.slave =
        terminal_open(l->rootfs.fd, &l->spec.process, l->console, l->console < 0 ? &master : NULL, err);
    if (init.slave < 0)
        return -1;
    if (master >= 0 && channel_send(init.channel, MESSAGE_CONSOLE, 0, master) < 0)
        return init_error(errno, "hand over the terminal", err);
    return terminal_bind_console(l->rootfs.fd, init.slave, err);
}

static int build_rootfs(struct launch *l, struct error *err) {
    if (rootfs_open(&l->rootfs, err) < 0 || rootfs_mount_all(&l->rootfs, err) < 0 ||
        rootfs_make_devices(&l->rootfs, err) < 0)
        return -1;
    return open_terminal(l, err);
}

/* prestart and createRuntime run in the runtime's namespaces while this process waits; createContainer runs
 * here. */
static int early_hooks(struct launch *l, struct error *err) {
    const struct hooks_spec *hooks = l->spec.hooks;
    if (hooks[HOOK_PRESTART].count || hooks[HOOK_CREATE_RUNTIME].count) {
        if (channel_send(init.channel, MESSAGE_HOOKS, 0, -1) < 0)
            return init_error(errno, "ask for hooks", err);
        if (channel_expect(init.channel, MESSAGE_CONTINUE, err) < 0)
            return -1;
    }
    /* As with runc they start in the container's root. */
    if (hooks[HOOK_CREATE_CONTAINER].count && l->rootfs.fd >= 0 && fchdir(l->rootfs.fd) < 0)
        return init_error(errno, "enter the root for the createContainer hooks", err);
    return hooks_run(&hooks[HOOK_CREATE_CONTAINER], hook_names[HOOK_CREATE_CONTAINER], &l->state,
                     STATUS_CREATING, environ, err);
}

/* The view of the file system becomes final. After this no host path resolves any more. */
static int enter_rootfs(struct launch *l, struct error *err) {
    /* A working directory that is not there is made, as runc does and docker run -w relies on. Where that
     * cannot be, chdir says why. */
    struct error ignored;
    int cwd = path_make_directory(l->rootfs.fd, l->spec.process.cwd, 0755, &ignored);
    if (cwd >= 0)
        close(cwd);
    if (rootfs_finish(&l->rootfs, err) < 0 || rootfs_make_readonly(&l->rootfs, err) < 0 ||
        rootfs_mask(&l->rootfs, err) < 0)
        return -1;
    if (rootfs_pivot(&l->rootfs, l->options->no_pivot, err) < 0)
        return -1;
    return rootfs_set_propagation(&l->rootfs, err);
}

/* Without a mount namespace of its own a container is a chroot. */
static int enter_chroot(struct launch *l, struct error *err) {
    if (l->spec.mount_count)
        return error_set(err, "invalid_argument", "rootfs", NULL,
                         "mounts are listed, but there is no mount namespace for them");
    l->rootfs.fd = open(l->rootfs.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (l->rootfs.fd < 0 || fchdir(l->rootfs.fd) < 0 || chroot(".") < 0)
        return error_errno(err, errno, "rootfs", l->rootfs.path, "change the root to %s", l->rootfs.path);
    return 0;
}

static int set_up_files(struct launch *l, struct error *err) {
    if (!l->spec.namespaces[NS_MOUNT].listed)
        return early_hooks(l, err) < 0 ? -1 : enter_chroot(l, err);
    if (build_rootfs(l, err) < 0 || init_await_cgroups(l, err) < 0 || early_hooks(l, err) < 0)
        return -1;
    return enter_rootfs(l, err);
}

static int take_terminal(struct error *err) {
    return init.slave < 0 ? 0 : terminal_take(init.slave, err);
}

/* Limits come late: a small one must not fail our own work. In a user namespace only the runtime may raise
 * them. */
static int set_limits(struct launch *l, struct error *err) {
    if (!l->spec.process.rlimit_count)
        return 0;
    if (!l->rootfs.new_userns)
        return process_set_limits(&l->spec.process, 0, err);
    if (channel_send(init.channel, MESSAGE_LIMITS, 0, -1) < 0)
        return init_error(errno, "ask for limits", err);
    return channel_expect(init.channel, MESSAGE_CONTINUE, err);
}

static int load_seccomp(struct launch *l, struct error *err) {
    cleanup_fd int notify = -1;
    if (seccomp_filter_load(&l->seccomp, &notify, err) < 0)
        return -1;
    if (notify >= 0 && channel_send(init.channel, MESSAGE_SECCOMP, 0, notify) < 0)
        return init_error(errno, "hand over the seccomp listener", err);
    return notify >= 0 ? channel_expect(init.channel, MESSAGE_CONTINUE, err) : 0;
}

/*
 * With no_new_privs a filter can be loaded by anybody, so it is left for the last moment and need not allow
 * what we still do. Without, it takes CAP_SYS_ADMIN and must come before the capabilities go. A listener is
 * always handed over during create.
 */
static bool seccomp_is_late(const struct launch *l) {
    return l->spec.process.no_new_privileges && !l->seccomp.notify;
}

static int become_user(struct launch *l, struct error *err) {
    struct process_spec *process = &l->spec.process;
    if (!process->no_new_privileges && load_seccomp(l, err) < 0)
        return -1;
    if (process_set_user(process, err) < 0)
        return -1;
    process_set_home(process, &l->spec.arena);
    if (process_find_program(process, &l->spec.arena, &init.program, err) < 0)
        return error_wrap(err, "unable to start container process");
    return process->no_new_privileges && !seccomp_is_late(l) ? load_seccomp(l, err) : 0;
}

/* From here the container outlives the runtime process. */
static int announce_ready(struct error *err) {
    if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
        return init_error(errno, "clear the parent death signal", err);
    if (channel_send(init.channel, MESSAGE_READY, 0, -1) < 0)
        return init_error(errno, "announce readiness", err);
    return 0;
}

/* Blocks until `start` connects (its end of the connection hears of success by end of file) or `run` says so.
 */
static int await_start(struct launch *l, int *starter, struct error *err) {
    if (l->options->run)
        return channel_expect(init.channel, MESSAGE_START, err);
    fd_close(&init.channel);
    do
        *starter = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC);
    while (*starter < 0 && errno == EINTR);
    return *starter < 0 ? init_error(errno, "wait for start", err) : 0;
}

static int start_program(struct launch *l, struct error *err) {
    const struct hooks_spec *hooks = &l->spec.hooks[HOOK_START_CONTAINER];
    /* These hooks are programs of the container's: the filter holds for them as well. */
    log_message(LOG_DEBUG, "init: closing the pipe to signal completion"); /* which execve does */
    if (seccomp_is_late(l) && load_seccomp(l, err) < 0)
        return -1;
    static char *no_env[] = {NULL};
    char **env = l->spec.process.env ? l->spec.process.env : no_env;
    if (hooks_run(hooks, hook_names[HOOK_START_CONTAINER], &l->state, STATUS_CREATED, env, err) < 0)
        return -1;
    return process_execute(&l->spec.process, init.program, l->options->preserve_fds, err);
}

/* A bundle without `process` may be created; there is nothing to start. */
static int prepare_process(struct launch *l, struct error *err) {
    struct process_spec *process = &l->spec.process;
    if (process_reset_affinity(err) < 0 || process_set_labels(process, l->proc_fd, err) < 0 ||
        take_terminal(err) < 0 || process_set_no_new_privileges(process, err) < 0 ||
        process_set_scheduling(process, &l->spec, err) < 0 || process_own_stdio(process, err) < 0 ||
        process_change_directory(process, err) < 0 || set_limits(l, err) < 0)
        return -1;
    return become_user(l, err);
}

static int init_steps(struct launch *l, struct error *err) {
    if (become_root(l, err) < 0)
        return -1;
    if (setsid() < 0 && errno != EPERM)
        return init_error(errno, "start a session", err);
    if (!l->options->no_new_keyring && process_new_keyring(l->options->id, err) < 0)
        return -1;
    if (spec_has_new(&l->spec, NS_NETWORK) && namespaces_loopback_up(err) < 0)
        return -1;
    if (set_names(&l->spec, err) < 0 || set_up_files(l, err) < 0 || init_await_cgroups(l, err) < 0)
        return -1;
    if (sysctl_apply(&l->spec, l->proc_fd, err) < 0 || prepare_process(l, err) < 0)
        return -1;
    return announce_ready(err);
}

void init_main(struct launch *l) {
    struct error err = {0};
    int starter = -1;
    log_message(LOG_DEBUG, "child process in init()");
    init.launch = l;
    init.channel = l->channel[1];
    fd_close(&l->channel[0]);
    /* If the runtime is killed before it has written the state, nobody would know of this process. */
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (init_steps(l, &err) < 0) {
        channel_send_error(init.channel, &err);
        _exit(1);
    }
    log_message(LOG_DEBUG, "init: prepared, waiting for start");
    if (await_start(l, &starter, &err) == 0)
        start_program(l, &err);
    if (starter >= 0)
        channel_send_error(starter, &err);
    else if (init.channel >= 0)
        channel_send_error(init.channel, &err);
    _exit(strcmp(err.code, "not_found") == 0 ? 127 : 126);
}

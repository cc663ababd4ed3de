/*
 * The birth of init. Without a user namespace to join it is one clone3 from namespaces that the runtime has
 * stepped into for the moment. To join one there is no way back, so a go-between steps in and bears init as
 * our child (CLONE_PARENT).
 */
#include "launch.h"

#include "channel.h"
#include "cleanup.h"
#include "log.h"
#include "syscalls.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int clone_error(int number, struct error *err) {
    return error_errno(err, number, "clone", NULL, "create the container's init process");
}

static int join(const struct launch *l, enum namespace_kind kind, struct error *err) {
    if (l->namespaces.join[kind] >= 0 && setns(l->namespaces.join[kind], namespace_kinds[kind].flag) < 0)
        return error_errno(err, errno, "namespaces", l->spec.namespaces[kind].path, "join %s namespace %s",
                           namespace_kinds[kind].spec_name, l->spec.namespaces[kind].path);
    return 0;
}

static void run_init(struct launch *l) {
    struct error err = {0};
    log_message(LOG_DEBUG,
                "nsexec container setup"); /* runc's words for these steps; its tests look for them */
    /* Joined here and not before: the runtime itself could not come back from another mount namespace. */
    if (join(l, NS_MOUNT, &err) < 0) {
        channel_send_error(l->channel[1], &err);
        _exit(1);
    }
    init_main(l);
}

/* The cgroup namespace comes later, when init is in its cgroups. */
static uint64_t birth_flags(const struct launch *l) {
    return l->namespaces.clone_flags & ~(uint64_t)CLONE_NEWCGROUP;
}

static int clone_directly(struct launch *l, struct error *err) {
    int own[NS_COUNT];
    struct clone_args args = {.flags = birth_flags(l) | CLONE_PIDFD,
                              .pidfd = (uint64_t)(uintptr_t)&l->pidfd,
                              .exit_signal = SIGCHLD};
    if (namespaces_enter(&l->namespaces, &l->spec, own, l->proc_fd, err) < 0)
        return -1;
    args.flags = birth_flags(l) | CLONE_PIDFD; /* a time namespace with offsets has been made by now */
    int birthplace = l->cgroup.version == 2 ? cgroup_dir(&l->cgroup, "") : cgroup_unified_dir(&l->cgroup);
    if (birthplace >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)birthplace;
        l->born_in_cgroup = true;
    }
    int pid = sys_clone3(&args);
    if (pid == 0)
        run_init(l);
    l->pid = pid;
    if (pid < 0)
        clone_error(errno, err);
    struct error back;
    if (namespaces_leave(own, pid < 0 ? &back : err) < 0)
        return -1;
    return pid < 0 ? -1 : 0;
}

static void go_between(struct launch *l) {
    struct error err = {0};
    int own[NS_COUNT];
    struct clone_args args = {.exit_signal = 0};
    if (namespaces_enter(&l->namespaces, &l->spec, own, l->proc_fd, &err) < 0 || join(l, NS_USER, &err) < 0)
        goto failed;
    if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 || setgroups(0, NULL) < 0) && errno != EINVAL &&
        errno != EPERM) {
        clone_error(errno, &err);
        goto failed;
    }
    args.flags = birth_flags(l) | CLONE_PARENT;
    int pid = sys_clone3(&args);
    if (pid == 0)
        run_init(l);
    if (pid < 0) {
        clone_error(errno, &err);
        goto failed;
    }
    channel_send(l->channel[1], MESSAGE_PID, pid, -1);
    _exit(0);
failed:
    channel_send_error(l->channel[1], &err);
    _exit(1);
}

static int clone_through_user(struct launch *l, struct error *err) {
    struct clone_args args = {.exit_signal = SIGCHLD};
    struct message message;
    int pid = sys_clone3(&args);
    if (pid == 0)
        go_between(l);
    if (pid < 0)
        return clone_error(errno, err);
    int result = channel_receive(l->channel[0], &message, NULL, err);
    waitpid(pid, NULL, 0);
    if (result < 0)
        return -1;
    if (message.kind != MESSAGE_PID)
        return error_set(err, "internal", "clone", NULL, "unexpected message %d from the go-between",
                         message.kind);
    l->pid = message.pid;
    l->pidfd = sys_pidfd_open(l->pid);
    return l->pidfd < 0 ? clone_error(errno, err) : 0;
}

int launch_clone(struct launch *l, struct error *err) {
    log_message(LOG_DEBUG, "nsexec started");
    if (channel_open(l->channel, err) < 0)
        return -1;
    /* The container must not look into its unfinished init: no ptrace, no /proc/PID/{exe,fd,root}. */
    /* An unprivileged runtime could then not write init's mappings; there init hides itself afterwards. */
    if (geteuid() == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return clone_error(errno, err);
    int result = l->namespaces.join[NS_USER] >= 0 ? clone_through_user(l, err) : clone_directly(l, err);
    fd_close(&l->channel[1]);
    fd_close(&l->listener);
    return result;
}

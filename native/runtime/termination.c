#include "termination.h"

#include "cleanup.h"
#include "syscalls.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

/* A pidfd that is certainly of the state's init: opened first, then the start time is compared. -1 if init is
 * gone. */
static int open_init(const struct state *state) {
    cleanup_fd int pidfd = state->pid > 0 ? sys_pidfd_open(state->pid) : -1;
    if (pidfd < 0 || !state_alive(state))
        return -1;
    return fd_take(&pidfd);
}

static int not_running(const struct state *state, struct error *err) {
    return error_set(err, "failed_precondition", "kill", NULL, "container not running: %s", state->id);
}

int signal_all(const struct state *state, int signal, struct error *err) {
    struct cgroup cgroup;
    int result = state_cgroup(state, &cgroup, err);
    if (result == 0)
        result = cgroup_kill(&cgroup, signal, err);
    cgroup_close(&cgroup);
    return result;
}

/* A frozen process takes the signal only when it is thawed (v1; v2's freezer lets SIGKILL through). */
static int thaw(const struct state *state, struct error *err) {
    struct cgroup cgroup;
    int result = 0;
    if (state->cgroup_version != 1)
        return 0;
    if (state_cgroup(state, &cgroup, err) < 0)
        return -1;
    if (cgroup_is_frozen(&cgroup))
        result = cgroup_freeze(&cgroup, false, err);
    cgroup_close(&cgroup);
    return result;
}

int signal_init(const struct state *state, int signal, struct error *err) {
    cleanup_fd int pidfd = open_init(state);
    if (pidfd < 0)
        return not_running(state, err);
    if (sys_pidfd_send_signal(pidfd, signal) < 0)
        return errno == ESRCH ? not_running(state, err)
                              : error_errno(err, errno, "kill", NULL, "signal container %s", state->id);
    return signal == SIGKILL ? thaw(state, err) : 0;
}

int terminate(const struct state *state, struct error *err) {
    cleanup_fd int pidfd = open_init(state);
    /* Without a pid namespace of its own, init's death does not take the others along. */
    if (!state->own_pid_namespace && signal_all(state, SIGKILL, err) < 0)
        return -1;
    if (pidfd < 0)
        return 0;
    if (sys_pidfd_send_signal(pidfd, SIGKILL) < 0 && errno != ESRCH)
        return error_errno(err, errno, "kill", NULL, "kill container %s", state->id);
    if (thaw(state, err) < 0)
        return -1;
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    int ready;
    do
        ready = poll(&wait, 1, 10000);
    while (ready < 0 && errno == EINTR);
    if (ready == 1)
        return 0;
    return error_set(err, "unavailable", "kill", NULL, "container %s does not end although it was killed",
                     state->id);
}

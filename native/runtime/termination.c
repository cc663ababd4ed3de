#include "termination.h"

#include "cleanup.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

/*
 * Somebody may have moved init into another v1 cgroup that is frozen: the signal waits there. What is about
 * to be killed is thawed where it is.
 */
static void thaw_where_it_is(const struct state *state) {
    char path[4300], text[4200], *line;
    struct error ignored;
    snprintf(path, sizeof(path), "/proc/%d/cgroup", state->pid);
    if (state->cgroup_version != 1 || cgroup_read(AT_FDCWD, path, text, sizeof(text)) < 0 ||
        !(line = strstr(text, ":freezer:/")))
        return;
    line[strcspn(line, "\n")] = '\0';
    snprintf(path, sizeof(path), CGROUP_ROOT "/freezer%s/freezer.state", line + 9);
    if (strcmp(line + 9, "/") != 0)
        cgroup_write(AT_FDCWD, path, "THAWED", &ignored);
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
    static const int waits_ms[] = {500, 10000};
    struct pollfd wait = {.fd = pidfd, .events = POLLIN};
    for (int i = 0; i < 2; i++) {
        int ready;
        do
            ready = poll(&wait, 1, waits_ms[i]);
        while (ready < 0 && errno == EINTR);
        if (ready == 1)
            return 0;
        thaw_where_it_is(state);
    }
    return error_set(err, "unavailable", "kill", NULL, "container %s does not end although it was killed",
                     state->id);
}

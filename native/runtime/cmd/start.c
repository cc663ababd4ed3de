/* start: lets a created container's init execute the user's program, and hears whether it did. */
#include "channel.h"
#include "cleanup.h"
#include "log.h"
#include "notify.h"
#include "path.h"
#include "state.h"
#include "stored_hooks.h"
#include "termination.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int connect_init(int dir, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/" STATE_START_SOCKET, path_of_fd(dir).text);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return error_set(err, "failed_precondition", "start", NULL,
                             "cannot start an already running container");
        return error_errno(err, errno, "start", STATE_START_SOCKET, "reach the container's init process");
    }
    return fd_take(&fd);
}

/* End of file: execve has closed init's end. A message: it failed, and says why. */
static int await_exec(int fd, struct error *err) {
    struct message message = {0};
    ssize_t got;
    do
        got = recv(fd, &message, sizeof(message), 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return 0;
    /* Only the text is taken: init may be a former version of this program. */
    message.error.message[sizeof(message.error.message) - 1] = '\0';
    return error_set(err, "internal", "start", NULL, "%s", message.error.message);
}

static int start(const struct state *state, int dir, struct error *err) {
    switch (state_status(state, dir)) {
    case STATUS_STOPPED:
        return error_set(err, "failed_precondition", "start", NULL,
                         "cannot start a container that has stopped");
    case STATUS_RUNNING:
        return error_set(err, "failed_precondition", "start", NULL,
                         "cannot start an already running container");
    case STATUS_PAUSED: /* init is frozen before it can answer; it will start when it is resumed */
        return error_set(err, "failed_precondition", "start", NULL,
                         "cannot start a paused container; resume it first");
    default:
        break;
    }
    cleanup_fd int notify = notify_bind(dir, err);
    if (notify < 0 && err->code)
        return -1;
    cleanup_fd int fd = connect_init(dir, err);
    if (fd < 0)
        return -1;
    unlinkat(dir, STATE_START_SOCKET, 0);
    if (await_exec(fd, err) < 0)
        return -1;
    if (state->has_poststart && stored_poststart_run(state, dir, err) < 0) {
        /* The container is stopped (runtime-spec, "Lifecycle"); its record stays for the caller's delete. */
        struct error stop;
        if (terminate(state, &stop) < 0)
            log_message(LOG_WARNING, "%s", stop.message);
        return -1;
    }
    return notify >= 0 ? notify_forward(notify, state->pid, err) : 0;
}

static int run(const struct invocation *in, struct error *err) {
    struct state state;
    cleanup_fd int dir = state_load(&state, in->globals->root, in->operands[0], err);
    if (dir < 0)
        return -1;
    int result = start(&state, dir, err);
    state_free(&state);
    return result;
}

const struct verb verb_start = {
    .name = "start",
    .usage = "<container-id>",
    .summary = "executes the user defined process in a created container",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

#include "seccomp_agent.h"

#include "channel.h"
#include "cleanup.h"
#include "terminal.h"

#include <errno.h>

int seccomp_agent_send(const struct seccomp_program *program, const struct state *state, pid_t pid,
                       int notify_fd, struct error *err) {
    struct json_writer w;
    cleanup_fd int fd = terminal_connect(program->listener_path, "seccomp agent", err);
    if (fd < 0)
        return -1;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_string(&w, "ociVersion", state->oci_version);
    json_key(&w, "fds");
    json_begin_array(&w);
    json_string(&w, "seccompFd");
    json_end_array(&w);
    json_member_int(&w, "pid", pid);
    json_member_string(&w, "metadata", program->listener_metadata);
    json_key(&w, "state");
    state_document(state, STATUS_CREATING, false, &w);
    json_end_object(&w);
    int sent = w.failed ? -1 : channel_pass_fd(fd, notify_fd, w.data, w.length);
    int number = errno;
    json_writer_free(&w);
    if (sent < 0)
        return error_errno(err, number, "seccomp", program->listener_path, "send the seccomp listener to %s",
                           program->listener_path);
    return 0;
}

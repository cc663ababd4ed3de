#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int channel_open(int pair[2], struct error *err) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, errno, "start", NULL, "create the init channel");
    return 0;
}

static int send_with(int socket, const int *fds, size_t count, const void *payload, size_t length) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
    } control = {0};
    struct iovec data = {.iov_base = (void *)payload, .iov_len = length};
    struct msghdr msg = {.msg_iov = &data, .msg_iovlen = 1};
    if (count > 0 && count <= CHANNEL_FDS_MAX) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = &control.header;
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &msg, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int channel_pass_fd(int socket, int fd, const void *payload, size_t length) {
    return send_with(socket, &fd, fd >= 0 ? 1 : 0, payload, length);
}

int channel_send_fds(int fd, enum message_kind kind, const int *fds, size_t count) {
    struct message message = {.kind = kind};
    return send_with(fd, fds, count, &message, sizeof(message));
}

int channel_send(int fd, enum message_kind kind, pid_t pid, int passed) {
    struct message message = {.kind = kind, .pid = pid};
    return channel_pass_fd(fd, passed, &message, sizeof(message));
}

void channel_send_error(int fd, const struct error *error) {
    struct message message = {.kind = MESSAGE_ERROR, .error = *error};
    channel_pass_fd(fd, -1, &message, sizeof(message));
}

static ssize_t receive(int fd, struct message *message, int *fds, size_t *count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
    } control;
    struct iovec data = {.iov_base = message, .iov_len = sizeof(*message)};
    struct msghdr msg = {.msg_iov = &data,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof(control.space)};
    ssize_t got;
    int resets = 0;
    *count = 0;
    /* ECONNRESET (the other side closed without reading all we sent) is reported before what it has sent us:
     * ask again. */
    do
        got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    while (got < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
    if (got < 0)
        return got;
    struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), *count * sizeof(int));
    }
    return got;
}

static int next(int fd, struct message *message, int *fds, size_t *count, struct error *err) {
    ssize_t got = receive(fd, message, fds, count);
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        return 0;
    if (got != (ssize_t)sizeof(*message))
        return error_errno(err, got < 0 ? errno : EPROTO, "start", NULL, "read from the container's process");
    if (message->kind == MESSAGE_ERROR) {
        *err = message->error;
        return -1;
    }
    return 1;
}

int channel_next(int fd, struct message *message, int *passed, struct error *err) {
    int fds[CHANNEL_FDS_MAX];
    size_t count;
    int result = next(fd, message, fds, &count, err);
    for (size_t i = passed ? 1 : 0; i < count; i++)
        close(fds[i]);
    if (passed)
        *passed = count ? fds[0] : -1;
    return result;
}

int channel_expect_fds(int fd, enum message_kind kind, int *fds, size_t *count, struct error *err) {
    struct message message;
    int result = next(fd, &message, fds, count, err);
    if (result == 0)
        return error_set(err, "internal", "start", NULL,
                         "the runtime ended while the container was being set up");
    if (result > 0 && message.kind != kind)
        return error_set(err, "internal", "start", NULL, "unexpected message %d from the other side",
                         message.kind);
    return result < 0 ? -1 : 0;
}

int channel_receive(int fd, struct message *message, int *passed, struct error *err) {
    int result = channel_next(fd, message, passed, err);
    if (result == 0)
        return error_set(err, "internal", "start", NULL,
                         "the container's init process ended while it was being set up");
    return result < 0 ? -1 : 0;
}

int channel_expect(int fd, enum message_kind kind, struct error *err) {
    struct message message;
    if (channel_receive(fd, &message, NULL, err) < 0)
        return -1;
    if (message.kind != kind)
        return error_set(err, "internal", "start", NULL, "unexpected message %d from the other side",
                         message.kind);
    return 0;
}

/* Pipes and terminals; child_stdio.h tells what it promises. */
#include "child_stdio.h"

#include "cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#define STEP "stdio"
#define CONSOLE_NAME "console.sock"

static int set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static int open_pipes(struct monitor *m, const struct document *doc, struct child_stdio *child,
                      struct error *err) {
    int pair[2];
    for (int i = 0; i < 2; i++) {
        if (pipe2(pair, O_CLOEXEC) < 0 || set_nonblocking(pair[0]) < 0)
            return error_errno(err, errno, STEP, "", "create pipe");
        m->outputs[i].watch.fd = pair[0];
        child->fds[i + 1] = pair[1];
    }
    if (doc->stdin_mode == STDIN_CLOSED)
        return 0;
    if (pipe2(pair, O_CLOEXEC) < 0 || set_nonblocking(pair[1]) < 0)
        return error_errno(err, errno, STEP, "", "create pipe");
    child->fds[0] = pair[0];
    m->input.watch.fd = pair[1];
    return 0;
}

static int open_console(const struct document *doc, struct child_stdio *child, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(child->console_path, sizeof(child->console_path), "%s/" CONSOLE_NAME, doc->run_dir);
    if (length >= (int)sizeof(child->console_path)) {
        child->console_path[0] = '\0';
        return error_set(err, "invalid_argument", STEP, doc->run_dir,
                         "runDir %s is too long for a console socket (107 bytes)", doc->run_dir);
    }
    memcpy(address.sun_path, child->console_path, (size_t)length + 1);
    unlink(child->console_path);
    child->console_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (child->console_fd < 0 || bind(child->console_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(child->console_fd, 1) < 0)
        return error_errno(err, errno, STEP, child->console_path, "create console socket %s",
                           child->console_path);
    return 0;
}

int stdio_open(struct monitor *m, const struct document *doc, struct child_stdio *child, struct error *err) {
    *child = (struct child_stdio){.fds = {-1, -1, -1}, .console_fd = -1};
    m->terminal = doc->terminal;
    m->stdin_mode = doc->stdin_mode;
    m->terminal_slave = -1;
    m->input.watch.fd = -1;
    for (int i = 0; i < 2; i++)
        m->outputs[i] = (struct output){
            .watch = {.fd = -1, .owner = &m->outputs[i]}, .monitor = m, .stream = (enum log_stream)i};
    return doc->terminal ? open_console(doc, child, err) : open_pipes(m, doc, child, err);
}

/* Receives one descriptor; -1 with errno. */
static int receive_fd(int socket_fd) {
    char byte[256];
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {byte, sizeof(byte)};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC) < 0)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int fd;
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int))) {
        errno = EPROTO;
        return -1;
    }
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

int stdio_receive_terminal(struct monitor *m, struct child_stdio *child, struct error *err) {
    struct winsize size = {.ws_col = m->cols, .ws_row = m->rows};
    if (child->console_fd < 0)
        return 0;
    /* The runtime has ended well, so it has connected and sent: without waiting, lest we wait for ever. */
    if (set_nonblocking(child->console_fd) < 0)
        return error_errno(err, errno, STEP, child->console_path, "console socket");
    cleanup_fd int connection = accept4(child->console_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    cleanup_fd int master = connection < 0 ? -1 : receive_fd(connection);
    if (master < 0)
        return error_errno(err, errno, STEP, child->console_path, "the runtime has sent no terminal");
    if (ioctl(master, TIOCSWINSZ, &size) < 0 || set_nonblocking(master) < 0)
        return error_errno(err, errno, STEP, "", "set the terminal's size");
    m->terminal_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (m->terminal_slave < 0)
        return error_errno(err, errno, STEP, "", "open the terminal's other end");
    if (m->stdin_mode != STDIN_CLOSED) {
        m->input.watch.fd = fcntl(master, F_DUPFD_CLOEXEC, 3); /* of its own in the epoll set */
        if (m->input.watch.fd < 0)
            return error_errno(err, errno, STEP, "", "duplicate the terminal's descriptor");
    }
    m->outputs[0].watch.fd = fd_take(&master);
    return 0;
}

void stdio_close_child(struct child_stdio *child) {
    for (int i = 0; i < 3; i++)
        fd_close(&child->fds[i]);
    fd_close(&child->console_fd);
    if (child->console_path[0])
        unlink(child->console_path);
    child->console_path[0] = '\0';
}

void stdio_close(struct monitor *m) {
    fd_close(&m->outputs[0].watch.fd);
    fd_close(&m->outputs[1].watch.fd);
    fd_close(&m->input.watch.fd);
    fd_close(&m->terminal_slave);
}

void stdio_read_complaint(struct monitor *m, char *out, size_t size) {
    ssize_t got = m->outputs[1].watch.fd < 0 ? -1 : read(m->outputs[1].watch.fd, out, size - 1);
    size_t length = got > 0 ? (size_t)got : 0;
    while (length > 0 && (out[length - 1] == '\n' || out[length - 1] == ' '))
        length--;
    out[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (out[i] == '\n')
            out[i] = ' ';
}

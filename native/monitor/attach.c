/*
 * attach.sock: a path socket, mode 0600, in a directory of mode 0700 (an abstract one could be reached by a
 * container with the host's network: CVE-2020-15257), and the peer's user is checked all the same.
 */
#include "cleanup.h"
#include "monitor.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STEP "attach"
#define NAME "attach.sock"
#define LISTENER_RETRY_MS 1000

static bool peer_allowed(int fd) {
    struct ucred peer;
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return false;
    return peer.uid == 0 || peer.uid == geteuid();
}

/* No descriptor can be had, and the waiting connection would wake us for ever: try again in a second. */
static void attach_pause(struct monitor *m) {
    loop_want(&m->loop, &m->listener, 0);
    m->listener_retry = loop_now_ms() + LISTENER_RETRY_MS;
}

int64_t attach_tidy(struct monitor *m) {
    if (m->listener_retry == 0 || m->listener.fd < 0)
        return 0;
    if (loop_now_ms() < m->listener_retry)
        return m->listener_retry;
    m->listener_retry = 0;
    loop_want(&m->loop, &m->listener, EPOLLIN);
    return 0;
}

static void on_connection(struct watch *watch, uint32_t events) {
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    (void)events;
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
        attach_pause(watch->owner);
    if (fd < 0)
        return;
    if (peer_allowed(fd))
        client_add(watch->owner, fd, false);
    else
        close(fd);
}

int attach_listen(struct monitor *m, struct error *err) {
    /* By descriptor, because a socket's path must be shorter than 108 bytes and runDir need not be. */
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NAME, m->run_dir_fd);
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_errno(err, errno, STEP, NAME, "create socket");
    unlinkat(m->run_dir_fd, NAME, 0); /* of a monitor that was killed */
    mode_t mask = umask(0177);
    int result = bind(fd, (struct sockaddr *)&address, sizeof(address));
    umask(mask);
    if (result < 0)
        return error_errno(err, errno, STEP, NAME, "bind " NAME " in runDir");
    if (listen(fd, CLIENT_MAX) < 0) {
        error_errno(err, errno, STEP, NAME, "listen on " NAME);
        unlinkat(m->run_dir_fd, NAME, 0);
        return -1;
    }
    m->listener = (struct watch){.fd = fd_take(&fd), .ready = on_connection, .owner = m};
    return 0;
}

void attach_close(struct monitor *m) {
    if (m->listener.fd < 0)
        return;
    loop_want(&m->loop, &m->listener, 0);
    unlinkat(m->run_dir_fd, NAME, 0);
    fd_close(&m->listener.fd);
}

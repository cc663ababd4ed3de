#include "notify.h"

#include "cleanup.h"
#include "path.h"
#include "process.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define INSIDE "/run/notify"
#define NAME "notify.sock"

bool notify_wanted(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    return path && *path;
}

static int notify_error(int number, const char *what, struct error *err) {
    return error_errno(err, number, "notify", "notify", "notify socket: %s", what);
}

int notify_prepare(struct spec *spec, int state_fd, const char *state_path, struct error *err) {
    if (!notify_wanted())
        return 0;
    if (mkdirat(state_fd, "notify", 0755) < 0 || fchmodat(state_fd, "notify", 0755, 0) < 0)
        return notify_error(errno, "create its directory", err);
    struct mount_spec *mounts = arena_array(&spec->arena, struct mount_spec, spec->mount_count + 1);
    if (spec->mount_count)
        memcpy(mounts, spec->mounts, spec->mount_count * sizeof(*mounts));
    mounts[spec->mount_count++] =
        (struct mount_spec){.destination = INSIDE,
                            .source = arena_printf(&spec->arena, "%s/notify", state_path),
                            .type = "bind",
                            .bind = true};
    spec->mounts = mounts;
    process_put_env(&spec->process, &spec->arena, "NOTIFY_SOCKET=" INSIDE "/" NAME);
    return 0;
}

int notify_bind(int state_fd, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!notify_wanted() || faccessat(state_fd, "notify", F_OK, 0) < 0)
        return -1;
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify/" NAME, path_of_fd(state_fd).text);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        fchmodat(state_fd, "notify/" NAME, 0777, 0) < 0)
        return notify_error(errno, "bind", err);
    return fd_take(&fd);
}

/* The host's socket may be abstract ("@name"). */
static int tell_host(pid_t pid, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    char text[64];
    size_t length = strlen(path);
    if (length >= sizeof(address.sun_path))
        return notify_error(ENAMETOOLONG, path, err);
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int used = snprintf(text, sizeof(text), "READY=1\nMAINPID=%d", pid);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd < 0 || sendto(fd, text, (size_t)used, MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
        return notify_error(errno, "tell the host's", err);
    return 0;
}

static bool is_ready(const char *text) {
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, "READY=1", 7) == 0 && (line[7] == '\n' || line[7] == '\0'))
            return true;
    return false;
}

int notify_forward(int socket, pid_t pid, struct error *err) {
    cleanup_fd int pidfd = sys_pidfd_open(pid);
    struct pollfd fds[2] = {{.fd = socket, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    for (;;) {
        char text[4096];
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return notify_error(errno, "wait", err);
        if (fds[0].revents) {
            ssize_t got = recv(socket, text, sizeof(text) - 1, MSG_DONTWAIT);
            text[got > 0 ? got : 0] = '\0';
            if (is_ready(text))
                return tell_host(pid, err);
        } else if (fds[1].revents || pidfd < 0) {
            return 0;
        }
    }
}

#include "namespaces.h"

#include "cleanup.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

int namespaces_open(struct namespaces *ns, const struct spec *spec, struct error *err) {
    *ns = (struct namespaces){0};
    for (int kind = 0; kind < NS_COUNT; kind++)
        ns->join[kind] = -1;
    for (int kind = 0; kind < NS_COUNT; kind++) {
        const struct namespace_kind_info *info = &namespace_kinds[kind];
        const char *path = spec->namespaces[kind].path;
        if (spec_has_new(spec, kind))
            ns->clone_flags |= (unsigned long)info->flag;
        if (!spec_joins(spec, kind))
            continue;
        if (path[0] != '/')
            return error_set(err, "invalid_argument", "namespaces", path,
                             "namespace path \"%s\" is not an absolute path", path);
        ns->join[kind] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (ns->join[kind] < 0)
            return error_errno(err, errno, "namespaces", path, "open %s namespace %s", info->spec_name, path);
        if (ioctl(ns->join[kind], NS_GET_NSTYPE) != info->flag)
            return error_set(err, "invalid_argument", "namespaces", path, "%s is not a %s namespace", path,
                             info->spec_name);
    }
    return 0;
}

void namespaces_close(struct namespaces *ns) {
    for (int kind = 0; kind < NS_COUNT; kind++)
        fd_close(&ns->join[kind]);
}

static int own_namespace(enum namespace_kind kind) {
    char path[48];
    snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace_kinds[kind].proc_name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int write_time_offsets(const struct spec *spec, int proc_fd, struct error *err) {
    char text[160];
    int length =
        snprintf(text, sizeof(text), "monotonic %lld %u\nboottime %lld %u\n", (long long)spec->monotonic_s,
                 spec->monotonic_ns, (long long)spec->boottime_s, spec->boottime_ns);
    cleanup_fd int fd = openat(proc_fd, "self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, (size_t)length) != length)
        return error_errno(err, errno, "namespaces", NULL, "set time namespace offsets");
    return 0;
}

int namespaces_enter(struct namespaces *ns, const struct spec *spec, int own[NS_COUNT], int proc_fd,
                     struct error *err) {
    for (int kind = 0; kind < NS_COUNT; kind++)
        own[kind] = -1;
    for (int kind = 0; kind < NS_COUNT; kind++) {
        if (kind == NS_USER || kind == NS_MOUNT || ns->join[kind] < 0)
            continue;
        own[kind] = own_namespace(kind);
        if (own[kind] < 0 || setns(ns->join[kind], namespace_kinds[kind].flag) < 0)
            return error_errno(err, errno, "namespaces", spec->namespaces[kind].path, "join %s namespace %s",
                               namespace_kinds[kind].spec_name, spec->namespaces[kind].path);
    }
    if (spec->has_time_offsets && (ns->clone_flags & CLONE_NEWTIME)) {
        own[NS_TIME] = own_namespace(NS_TIME);
        if (own[NS_TIME] < 0 || unshare(CLONE_NEWTIME) < 0)
            return error_errno(err, errno, "namespaces", NULL, "create time namespace");
        ns->clone_flags &= ~(unsigned long)CLONE_NEWTIME;
        return write_time_offsets(spec, proc_fd, err);
    }
    return 0;
}

int namespaces_leave(int own[NS_COUNT], struct error *err) {
    for (int kind = 0; kind < NS_COUNT; kind++) {
        if (own[kind] >= 0 && setns(own[kind], namespace_kinds[kind].flag) < 0)
            return error_errno(err, errno, "namespaces", NULL, "return to the own %s namespace",
                               namespace_kinds[kind].spec_name);
        fd_close(&own[kind]);
    }
    return 0;
}

/* newuidmap(1), newgidmap(1): set-uid helpers that check /etc/subuid and /etc/subgid. */
static int map_by_helper(const char *helper, const struct id_map *map, size_t count, pid_t pid,
                         struct error *err) {
    char numbers[1 + 3 * 64][12], *args[3 + 3 * 64] = {(char *)helper, numbers[0]};
    int status = 0;
    size_t n = 1;
    if (count > 64)
        return error_set(err, "invalid_argument", "user namespace", NULL, "too many id mappings for %s",
                         helper);
    snprintf(numbers[0], sizeof(numbers[0]), "%d", pid);
    for (size_t i = 0; i < count; i++) {
        const uint32_t values[3] = {map[i].container, map[i].host, map[i].size};
        for (int j = 0; j < 3; j++, n++) {
            snprintf(numbers[n], sizeof(numbers[n]), "%u", values[j]);
            args[n + 1] = numbers[n];
        }
    }
    pid_t child = fork();
    if (child == 0) {
        execvp(helper, args);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return error_errno(err, errno, "user namespace", helper, "run %s", helper);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(err, "permission_denied", "user namespace", helper, "%s failed with status %d%s",
                         helper, WEXITSTATUS(status),
                         WEXITSTATUS(status) == 127 ? " (is it installed?)" : "");
    return 0;
}

static int write_map(const char *file, const char *helper, const struct id_map *map, size_t count,
                     int proc_fd, pid_t pid, struct error *err) {
    char path[64], text[4096];
    size_t used = 0;
    snprintf(path, sizeof(path), "%d/%s", pid, file);
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(text + used, sizeof(text) - used, "%u %u %u\n", map[i].container, map[i].host,
                              map[i].size);
        if (length < 0 || (used += (size_t)length) >= sizeof(text)) /* the kernel takes one page at most */
            return error_set(err, "invalid_argument", "user namespace", NULL, "too many id mappings: %zu",
                             count);
    }
    cleanup_fd int fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, text, used) == (ssize_t)used)
        return 0;
    if (errno == EPERM && geteuid() != 0)
        return map_by_helper(helper, map, count, pid, err);
    return error_errno(err, errno, "user namespace", path, "write /proc/%s", path);
}

int namespaces_write_maps(const struct id_maps *maps, int proc_fd, pid_t pid, struct error *err) {
    char path[64];
    if (geteuid() != 0 && maps->gid_count == 1 && maps->gids[0].size == 1) {
        snprintf(path, sizeof(path), "%d/setgroups", pid);
        cleanup_fd int fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "deny", 4) < 0)
            return error_errno(err, errno, "user namespace", path, "write /proc/%s", path);
    }
    if (write_map("gid_map", "newgidmap", maps->gids, maps->gid_count, proc_fd, pid, err) < 0)
        return -1;
    return write_map("uid_map", "newuidmap", maps->uids, maps->uid_count, proc_fd, pid, err);
}

int namespaces_new_user(const struct id_maps *maps, int proc_fd, struct error *err) {
    char path[48];
    int pidfd = -1;
    struct clone_args args = {
        .flags = CLONE_NEWUSER | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    int pid = sys_clone3(&args);
    if (pid == 0) {
        for (;;)
            pause();
    }
    if (pid < 0)
        return error_errno(err, errno, "user namespace", NULL,
                           "create a user namespace for an id-mapped mount");
    cleanup_fd int owned = pidfd;
    int fd = -1;
    if (namespaces_write_maps(maps, proc_fd, pid, err) == 0) {
        snprintf(path, sizeof(path), "%d/ns/user", pid);
        fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            error_errno(err, errno, "user namespace", path, "open /proc/%s", path);
    }
    sys_pidfd_send_signal(pidfd, SIGKILL);
    waitpid(pid, NULL, 0);
    return fd;
}

int namespaces_loopback_up(struct error *err) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return error_errno(err, errno, "network", NULL, "bring up the loopback interface");
    return 0;
}

#include "launch_flags.h"

#include "log.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *absolute_path(const char *path) {
    char cwd[4096], *out = NULL;
    if (!path || path[0] == '/' || !getcwd(cwd, sizeof(cwd)))
        return path;
    return asprintf(&out, "%s/%s", cwd, path) < 0 ? path : out;
}

static int count_preserved(int *count, int *listen_fds, struct error *err) {
    const char *fds_text = getenv("LISTEN_FDS"), *listen_pid = getenv("LISTEN_PID");
    int more = 0, pid = 0;
    struct stat st;
    if (*count < 0 || *count > 4096)
        return error_set(err, "invalid_argument", "arguments", NULL, "--preserve-fds %d is out of range",
                         *count);
    for (int fd = 3; fd < 3 + *count; fd++)
        if (fstat(fd, &st) < 0)
            return error_errno(err, errno, "arguments", NULL,
                               "unable to preserve file descriptor %d (preserved-fd %d)", fd, fd - 3);
    /* sd_listen_fds(3): they are ours if the pid is ours; then they come first, and --preserve-fds counts
     * those after. */
    if (fds_text && listen_pid && cli_int(listen_pid, &pid) == 0 && pid == getpid() &&
        cli_int(fds_text, &more) == 0 && more > 0 && more < 4096) {
        for (int fd = 3; fd < 3 + *count + more; fd++)
            if (fstat(fd, &st) < 0)
                return error_errno(err, errno, "arguments", NULL,
                                   "unable to pass on file descriptor %d of $LISTEN_FDS", fd);
        *count += more;
        *listen_fds = more;
    }
    return 0;
}

int inherited_fds_settle(int *count, int *listen_fds, struct error *err) {
    unsigned first = 3, log = (unsigned)log_descriptor();
    *listen_fds = 0;
    if (count_preserved(count, listen_fds, err) < 0)
        return -1;
    first += (unsigned)*count;
    if (log_descriptor() < 0) {
        sys_close_range(first, ~0u, 0);
        return 0;
    }
    if (log > first)
        sys_close_range(first, log - 1, 0);
    sys_close_range(log + 1 > first ? log + 1 : first, ~0u, 0);
    return 0;
}

int cgroup_manager_settle(const struct globals *globals, bool *none, struct error *err) {
    const char *manager = globals->cgroup_manager ? globals->cgroup_manager : "cgroupfs";
    *none = strcmp(manager, "disabled") == 0;
    if (globals->systemd_cgroup || strcmp(manager, "systemd") == 0)
        return error_set(
            err, "failed_precondition", "cgroup", NULL,
            "the systemd cgroup driver is not supported; use cgroupfs (without --systemd-cgroup)");
    if (!*none && strcmp(manager, "cgroupfs") != 0)
        return error_set(err, "invalid_argument", "arguments", NULL, "unknown cgroup manager \"%s\"",
                         manager);
    return 0;
}

int launch_options_complete(struct launch_options *o, const struct invocation *in, struct error *err) {
    o->root = in->globals->root;
    o->id = in->operands[0];
    o->console_socket = absolute_path(o->console_socket);
    o->pidfd_socket = absolute_path(o->pidfd_socket);
    o->pid_file = absolute_path(o->pid_file);
    o->config = absolute_path(o->config);
    if (o->bundle && !*o->bundle)
        o->bundle = NULL;
    if (cgroup_manager_settle(in->globals, &o->no_cgroups, err) < 0)
        return -1;
    return inherited_fds_settle(&o->preserve_fds, &o->listen_fds, err);
}

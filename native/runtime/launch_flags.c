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

/*
 * Gaps are allowed, as under crun: a caller that asks for ten may have closed some of them. Asking for
 * descriptors of which not one is open is a mistake.
 */
static int check_preserved(int count, struct error *err) {
    struct stat st;
    for (int fd = 3; fd < 3 + count; fd++)
        if (fstat(fd, &st) == 0)
            return 0;
    return count == 0 ? 0
                      : error_errno(err, EBADF, "arguments", NULL,
                                    "unable to preserve file descriptor 3 (preserved-fd 0)");
}

/*
 * sd_listen_fds(3): descriptors that are passed on if $LISTEN_PID is this process, or is not given (crun's
 * reading; a name other than ours says that they are not for us). They come first, and --preserve-fds counts
 * those after.
 */
static int count_preserved(int *count, int *listen_fds, struct error *err) {
    const char *fds_text = getenv("LISTEN_FDS"), *listen_pid = getenv("LISTEN_PID");
    int more = 0, pid = 0;
    if (*count < 0 || *count > 4096)
        return error_set(err, "invalid_argument", "arguments", NULL, "--preserve-fds %d is out of range",
                         *count);
    if (check_preserved(*count, err) < 0)
        return -1;
    bool for_us = !listen_pid || (cli_int(listen_pid, &pid) == 0 && pid == getpid());
    if (for_us && fds_text && cli_int(fds_text, &more) == 0 && more > 0 && more < 4096) {
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

/*
 * Without systemd there is nobody to ask: the groups are made where it would have made them. With it they are
 * its own, and it takes away what it has not made.
 */
int cgroup_manager_settle(const struct globals *globals, bool *none, bool *slices, struct error *err) {
    const char *manager = globals->cgroup_manager ? globals->cgroup_manager : "cgroupfs";
    *none = strcmp(manager, "disabled") == 0;
    *slices = globals->systemd_cgroup || strcmp(manager, "systemd") == 0;
    if (*slices && access("/run/systemd/system", F_OK) == 0)
        return error_set(
            err, "failed_precondition", "cgroup", NULL,
            "the systemd cgroup driver is not supported on a host that runs systemd; use cgroupfs "
            "(without --systemd-cgroup)");
    if (!*none && !*slices && strcmp(manager, "cgroupfs") != 0)
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
    if (cgroup_manager_settle(in->globals, &o->no_cgroups, &o->slices, err) < 0)
        return -1;
    return inherited_fds_settle(&o->preserve_fds, &o->listen_fds, err);
}

/* The flags that create and run share, and what follows from the global ones. */
#ifndef BERTH_RUNTIME_LAUNCH_FLAGS_H
#define BERTH_RUNTIME_LAUNCH_FLAGS_H

#include "cli.h"
#include "launch.h"

#define LAUNCH_FLAGS(o)                                                                                      \
    {"bundle", 'b', FLAG_STRING, &(o).bundle, "path to the root of the bundle directory"},                   \
        {"console-socket", 0, FLAG_STRING, &(o).console_socket,                                              \
         "path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal"},     \
        {"pidfd-socket", 0, FLAG_STRING, &(o).pidfd_socket,                                                  \
         "path to an AF_UNIX socket which will receive a file descriptor referencing the init process"},     \
        {"pid-file", 0, FLAG_STRING, &(o).pid_file, "specify the file to write the process id to"},          \
        {"no-pivot", 0, FLAG_BOOL, &(o).no_pivot, "do not use pivot root to jail process inside rootfs"},    \
        {"no-new-keyring", 0, FLAG_BOOL, &(o).no_new_keyring,                                                \
         "do not create a new session keyring for the container"},                                           \
        {"preserve-fds", 0, FLAG_INT, &(o).preserve_fds,                                                     \
         "pass N additional file descriptors to the container (stdio + $LISTEN_FDS + N in total)"},          \
        {"config", 'f', FLAG_STRING, &(o).config, "override the config file name"}, {                        \
        "no-subreaper", 0, FLAG_BOOL, &(o).no_subreaper,                                                     \
            "disable the use of the subreaper used to reap reparented processes"                             \
    }

/*
 * Completes options from globals and operands: paths made absolute (the bundle becomes the working
 * directory), preserved descriptors checked to be open, cgroup manager and --systemd-cgroup settled.
 */
int launch_options_complete(struct launch_options *options, const struct invocation *in, struct error *err);

/* The path as absolute, malloc'ed for the life of the process. NULL stays NULL. */
const char *absolute_path(const char *path);

/*
 * Checks that of the descriptors to be preserved, 3 … 2+count, some are open, counts those of $LISTEN_FDS in,
 * and closes every other one that was inherited: the container's init would else keep the caller's files and
 * pipes open (CVE-2024-21626, 2016-9962).
 */
int inherited_fds_settle(int *count, int *listen_fds, struct error *err);

/* Reads the global flags that choose the cgroup driver; *none: no cgroups at all; *slices: paths as
 * systemd's. */
int cgroup_manager_settle(const struct globals *globals, bool *none, bool *slices, struct error *err);

#endif

/* One more process in a running container. */
#ifndef BERTH_RUNTIME_EXEC_H
#define BERTH_RUNTIME_EXEC_H

#include "cgroup.h"
#include "error.h"
#include "spec.h"
#include "state.h"

#include <stdbool.h>
#include <sys/types.h>

struct exec_options {
    const char *root, *id, *console_socket, *pidfd_socket, *pid_file;
    struct cgroup_names cgroups; /* exec --cgroup */
    int preserve_fds;
    bool detach;
};

/* What exec_start leaves for the caller to wait for. */
struct exec_process {
    pid_t pid;
    int pidfd;
    int master; /* foreground terminal, or -1 */
};

/*
 * Starts `process` (arena for what is derived) in the container of `state`, whose stored config is `spec`.
 * Returns when its program runs; on failure nothing runs.
 */
int exec_start(struct exec_process *out, const struct exec_options *options, const struct state *state,
               struct spec *spec, struct process_spec *process, struct error *err);

#endif

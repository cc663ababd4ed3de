/*
 * Calls of the OCI runtime, by descriptor: the program is opened once, through a detached read-only mount of
 * its file, so neither a replaced path nor a container that reaches /proc/<pid>/exe can change what runs
 * (CVE-2019-5736).
 */
#ifndef BERTH_MONITOR_RUNTIME_CALL_H
#define BERTH_MONITOR_RUNTIME_CALL_H

#include "document.h"

#include <sys/resource.h>

#define RUNTIME_MAX_ARGS 64

struct runtime {
    int fd;
    const char *path, *root, *log_path; /* borrowed */
    const char *const *args;
    size_t arg_count;
    bool reap_others; /* while waiting: the process is over, and its orphans, which the runtime ends, are ours
                       */
    struct rlimit descriptors; /* RLIMIT_NOFILE as we have inherited it: what the runtime inherits from us */
};

/* Opens the program. log_path: where the runtime writes its errors; created and removed by each call. */
int runtime_open(struct runtime *runtime, const char *path, struct error *err);

/*
 * Runs `verb` (NULL-terminated: "create", "--bundle", …) with these three standard descriptors (-1:
 * /dev/null) and waits. 0 if it exited with 0. On failure err holds the runtime's own message, step = the
 * verb, and *exit_status (may be NULL) is 127 or 126 if the message says that the command was not found or
 * cannot be executed, else 0.
 */
int runtime_call(const struct runtime *runtime, const char *const *verb, const int stdio[3], int *exit_status,
                 struct error *err);

#endif

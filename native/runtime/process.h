/*
 * What makes a process of the runtime into the container's: limits, labels, scheduling, user, capabilities,
 * program. Used by init and by exec, which call these in the order of init.c's list.
 */
#ifndef BERTH_RUNTIME_PROCESS_H
#define BERTH_RUNTIME_PROCESS_H

#include "error.h"
#include "spec.h"

#include <sys/types.h>

/* Sets the limits on pid (0: itself). Raising a hard limit needs CAP_SYS_RESOURCE; without it this fails, as
 * under runc. */
int process_set_limits(const struct process_spec *process, pid_t pid, struct error *err);

/* Writes /proc/PID/oom_score_adj through proc_fd, unless it has that value. pid 0: nothing to do if not
 * given. */
int process_set_oom_score(const struct process_spec *process, int proc_fd, pid_t pid, struct error *err);

/* A session keyring of its own, named after the container. A kernel without keyrings is no error. */
int process_new_keyring(const char *id, struct error *err);

/* All processors that the control group allows, whatever the runtime's caller was pinned to. */
int process_reset_affinity(struct error *err);

/* Scheduler, I/O priority; of init also personality and memory policy (spec not NULL). */
int process_set_scheduling(const struct process_spec *process, const struct spec *spec, struct error *err);

/* AppArmor profile and SELinux label for the coming execve, written through proc_fd. An LSM the kernel lacks
 * is an error if asked for. */
int process_set_labels(const struct process_spec *process, int proc_fd, struct error *err);

/* no_new_privs if asked for. */
int process_set_no_new_privileges(const struct process_spec *process, struct error *err);

/* Hands pipes, sockets and terminals on 0-2 over to the user. */
int process_own_stdio(const struct process_spec *process, struct error *err);

/* Groups, ids, capabilities, umask, in the order that leaves nothing behind. */
int process_set_user(const struct process_spec *process, struct error *err);

/* Changes to cwd and makes sure it lies inside the root (CVE-2024-21626). */
int process_change_directory(const struct process_spec *process, struct error *err);

/*
 * Finds args[0] as the user: through PATH of its environment if it has no slash. The texts are those that
 * callers turn into exit codes 126 and 127. *program is in the arena.
 */
int process_find_program(const struct process_spec *process, struct arena *arena, const char **program,
                         struct error *err);

/* Adds HOME from the container's /etc/passwd (own parser: nothing of the container runs or is loaded) if it
 * is not set. */
void process_set_home(struct process_spec *process, struct arena *arena);

/* Appends "NAME=value" to the environment, replacing an earlier one. */
void process_put_env(struct process_spec *process, struct arena *arena, const char *assignment);

/*
 * execve, with descriptors 3 … 2+preserve_fds kept and all others closed, default signal dispositions and an
 * empty mask. Returns only on failure.
 */
int process_execute(const struct process_spec *process, const char *program, int preserve_fds,
                    struct error *err);

#endif

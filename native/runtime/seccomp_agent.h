/* Hands a seccomp notify descriptor to the agent that listens on linux.seccomp.listenerPath. */
#ifndef BERTH_RUNTIME_SECCOMP_AGENT_H
#define BERTH_RUNTIME_SECCOMP_AGENT_H

#include "error.h"
#include "seccomp_filter.h"
#include "state.h"

/* Sends the OCI "container process state" as JSON with the descriptor. pid: the process that loaded the
 * filter. */
int seccomp_agent_send(const struct seccomp_program *program, const struct state *state, pid_t pid,
                       int notify_fd, struct error *err);

#endif

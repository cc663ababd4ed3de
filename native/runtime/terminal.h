/* The container's terminal: a pty from its own devpts, whose master goes to the caller. */
#ifndef BERTH_RUNTIME_TERMINAL_H
#define BERTH_RUNTIME_TERMINAL_H

#include "error.h"
#include "spec.h"

/* Connects to a unix stream socket (in the caller's context, before anything changes); `what` names it. */
int terminal_connect(const char *path, const char *what, struct error *err);

/*
 * In the container: opens a pty from /dev/pts below root, sets its size, sends the master over `socket` with
 * its name as payload, and returns the slave (not yet on 0-2). master_out, if not NULL, gets the master
 * instead of the socket.
 */
int terminal_open(int root, const struct process_spec *process, int socket, int *master_out,
                  struct error *err);

/* Init only: binds the slave on /dev/console below root, which must not be a link (CVE-2025-52565). */
int terminal_bind_console(int root, int slave, struct error *err);

/* Makes the slave the controlling terminal and stdio of this (new) session. */
int terminal_take(int slave, struct error *err);

#endif

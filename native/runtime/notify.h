/*
 * $NOTIFY_SOCKET (sd_notify(3)): the container gets a socket of its own at /run/notify/notify.sock; READY=1
 * that arrives there is passed on to the caller's. The container never sees the host's socket.
 */
#ifndef BERTH_RUNTIME_NOTIFY_H
#define BERTH_RUNTIME_NOTIFY_H

#include "error.h"
#include "spec.h"

#include <stdbool.h>
#include <sys/types.h>

/* True if the caller has one. */
bool notify_wanted(void);

/* At create: makes <state>/notify, adds its mount and the environment variable to spec. state_path: the state
 * directory. */
int notify_prepare(struct spec *spec, int state_fd, const char *state_path, struct error *err);

/* At start: the socket, bound below the state directory; -1 without error (err->code NULL) if create made no
 * directory for it. */
int notify_bind(int state_fd, struct error *err);

/* Passes READY=1 and MAINPID on, and returns; also when the process of pid has ended. */
int notify_forward(int socket, pid_t pid, struct error *err);

#endif

/* The runtime as the parent of a foreground process: signals go through, output of its terminal is copied,
 * its status is ours. */
#ifndef BERTH_RUNTIME_FOREGROUND_H
#define BERTH_RUNTIME_FOREGROUND_H

#include "error.h"

#include <sys/types.h>

/*
 * To be called before the process exists: from here on signals are collected instead of ending the runtime.
 * subreaper: adopt and reap what the container leaves behind. Returns a signalfd.
 */
int foreground_begin(int subreaper, struct error *err);

/*
 * Forwards signals to the process of pidfd, copies between our stdio and its terminal (master, -1 if none),
 * until it has ended. Returns its exit status, 128 + n for a signal.
 */
int foreground_wait(int signals, pid_t pid, int pidfd, int master, struct error *err);

#endif

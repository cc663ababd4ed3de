/* tmpcopyup: what a tmpfs covers is copied into it first. */
#ifndef BERTH_RUNTIME_COPY_UP_H
#define BERTH_RUNTIME_COPY_UP_H

#include "error.h"

/*
 * Copies the content of directory `from` (an O_PATH descriptor) into directory `to`: directories, files,
 * links, with owner, mode and times. Devices, sockets and pipes are left out. Never follows a link. `name` is
 * for messages.
 */
int copy_up(int from, int to, const char *name, struct error *err);

#endif

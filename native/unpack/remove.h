/* Removing trees by descriptor. */
#ifndef BERTH_UNPACK_REMOVE_H
#define BERTH_UNPACK_REMOVE_H

#include "lib/error.h"

/*
 * Removes `name` in the directory `parent`, with everything below it if it is a directory: no link is
 * followed, no mount is crossed (a mount inside is an error, failed_precondition), any depth. Nothing there
 * is success. On failure part of the tree may be gone.
 */
int remove_entry(int parent, const char *name, struct error *err);

#endif

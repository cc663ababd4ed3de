/*
 * The container's root file system, mounted in the monitor's own mount namespace: the host's mount table
 * stays short, and everything is gone when the monitor is.
 */
#ifndef BERTH_MONITOR_MOUNTS_H
#define BERTH_MONITOR_MOUNTS_H

#include "document.h"

/*
 * Leaves the host's mount namespace. Mounts made from here on stay ours: the mounts that hold the targets
 * stop passing events on, every other mount stays a peer of the host's (so `rshared` volumes work, and what
 * the host unmounts is unmounted here too).
 */
int mounts_unshare(const struct document *doc, struct error *err);

/* Mounts everything, in order. On failure what was mounted is unmounted again. */
int mounts_apply(const struct document *doc, struct error *err);

#endif

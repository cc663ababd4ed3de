/*
 * The times of extracted directories, kept until the end: making entries in a directory changes them.
 */
#ifndef BERTH_UNPACK_DIRECTORY_TIMES_H
#define BERTH_UNPACK_DIRECTORY_TIMES_H

#include "lib/error.h"
#include "tree.h"

#include <stddef.h>
#include <time.h>

struct directory_times {
    struct directory_time *list;
    size_t count, capacity;
};

/* Remembers them for the directory that is at `path` now. `parent` is path.parent, opened. */
int directory_times_remember(struct directory_times *all, int parent, const struct tree_path *path,
                             const struct timespec times[2], struct error *err);
/* Sets all that were remembered, but for directories that have been replaced since. */
int directory_times_set(const struct directory_times *all, struct tree *tree, struct error *err);
void directory_times_free(struct directory_times *all);

#endif

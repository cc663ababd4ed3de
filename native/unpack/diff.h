/* What an overlay's upper directory changes: as a layer archive, and as a list. */
#ifndef BERTH_UNPACK_DIFF_H
#define BERTH_UNPACK_DIFF_H

#include "lib/error.h"
#include "overlay.h"
#include "pack.h"

/* Called for every entry of the upper directory, parents before children, names sorted. */
struct diff_entry {
    const char *path; /* relative to the root, no slash at either end */
    const char *name;
    int parent;
    struct stat st;
    bool whiteout;
    bool opaque;           /* a directory that hides one of the lower layers */
    enum lower_kind lower; /* what the lower layers have here */
    struct stat lower_st;  /* if they have something */
};

typedef int diff_visit(void *context, const struct diff_entry *entry, struct error *err);

/*
 * Walks the upper directory open as fd. Without lower layers (`lower->count` 0) nothing is known about what
 * was there before: `lower` is LOWER_NONE and every opaque mark counts.
 */
int diff_walk(int upper, const struct lower_dirs *lower, struct id_range ids, diff_visit *visit,
              void *context, struct error *err);

/* The layer archive of the walk, whiteouts and opaque marks translated, without the end-of-archive blocks. */
int diff_pack(struct packer *packer, int upper, const struct lower_dirs *lower, struct id_range ids,
              struct error *err);

/* One JSON line per change on stdout, sorted by path, with the rules of Docker's container changes. */
int diff_print_changes(int upper, const struct lower_dirs *lower, struct id_range ids, struct error *err);

#endif

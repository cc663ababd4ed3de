/* The names in a directory, sorted by their bytes, so that whatever is made from a walk is reproducible. */
#ifndef BERTH_UNPACK_LISTING_H
#define BERTH_UNPACK_LISTING_H

#include "lib/error.h"

#include <stddef.h>

/* Walks hold one descriptor a level and recurse; deeper trees are refused with a sentence. */
#define WALK_DEPTH_LIMIT 2048

struct listing {
    char **names;
    size_t count, capacity;
};

/* Reads the directory open as fd (its position is used; fd stays open). On failure the listing is empty. */
int listing_read(struct listing *listing, int fd, const char *path, struct error *err);
void listing_free(struct listing *listing);

/* Raises the soft limit of descriptors to the hard one, for deep walks. */
void listing_raise_descriptor_limit(void);

#endif

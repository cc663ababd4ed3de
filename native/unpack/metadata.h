/* Owner, mode, extended attributes and times of an archive's entry, put on what was made of it. */
#ifndef BERTH_UNPACK_METADATA_H
#define BERTH_UNPACK_METADATA_H

#include "lib/error.h"

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct archive_entry;

/* What an entry says about itself, checked. */
struct metadata {
    uint32_t uid, gid;
    mode_t mode; /* 07777 */
    struct timespec times[2];
};

/* Reads and checks an entry's metadata: owners outside 0…4294967294 are invalid_argument. */
int metadata_read(struct metadata *m, struct archive_entry *entry, const char *path, struct error *err);

/*
 * Puts it on `name` in `parent`, never following a link. fd is the open file, or -1. `made_mode` is the mode
 * that it was made with, so that calls that change nothing are saved. Counts attributes that the file system
 * cannot store in *skipped.
 */
int metadata_apply(const struct metadata *m, int parent, const char *name, int fd, mode_t type,
                   mode_t made_mode, struct archive_entry *entry, uint64_t *skipped, struct error *err);

#endif

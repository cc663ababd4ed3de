/*
 * libarchive's tar reader on top of the reading pipeline: all tar dialects (v7, ustar, pax, GNU, star,
 * Solaris), sparse maps and extended attributes, names as the bytes they are.
 */
#ifndef BERTH_UNPACK_ARCHIVE_IN_H
#define BERTH_UNPACK_ARCHIVE_IN_H

#include "input.h"
#include "lib/error.h"

struct archive;
struct archive_entry;

#define TAR_BLOCK 512

struct archive_in {
    struct archive *archive;
    struct input *input;
    struct error error; /* why the pipeline failed, if it did */
    int failed;
    int64_t entry_size;
    int64_t content_left;        /* bytes of the last entry's content that have not been read */
    int ended;                   /* the archive ended without its padding */
    uint64_t total;              /* bytes of the plain stream that were given to libarchive */
    uint8_t tail[3 * TAR_BLOCK]; /* the last of them, right-aligned */
    char last[256];              /* the last entry's name, for messages about a cut archive */
};

int archive_in_open(struct archive_in *a, struct input *input, struct error *err);
/* 1 and the next entry, 0 at the end of the archive, -1 and err. */
int archive_in_next(struct archive_in *a, struct archive_entry **entry, struct error *err);
/*
 * The next piece of the entry's content: 1 with *data, *length and its *offset in the file (holes are left
 * out), 0 at its end, -1 and err.
 */
int archive_in_data(struct archive_in *a, const void **data, size_t *length, int64_t *offset,
                    struct error *err);
void archive_in_close(struct archive_in *a);

#endif

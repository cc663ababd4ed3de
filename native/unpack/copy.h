/*
 * Copying between two roots. The archive writer and the archive reader are joined by a pipe, so that what is
 * copied (owners, attributes, hard links, devices) and what is refused is the same as everywhere else.
 * Sockets are not copied.
 */
#ifndef BERTH_UNPACK_COPY_H
#define BERTH_UNPACK_COPY_H

#include "extract.h"
#include "lib/error.h"

struct copy_plan {
    int source;       /* directory descriptor */
    const char *name; /* the entry in it; "." for itself */
    const char *path; /* what the entry is called where it goes; "" for the directory that is copied into */
    bool top;         /* the entry itself goes along */
    bool children;    /* so does what is below it */
    int target;       /* root that is extracted into */
    const char *base; /* directory in that root, NULL for the root */
    struct extract_options options;
};

/* 0, or -1 and err; what was copied until then stays. */
int copy_run(const struct copy_plan *plan, struct error *err);

#endif

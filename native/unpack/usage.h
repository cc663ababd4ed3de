/* Size of a tree. */
#ifndef BERTH_UNPACK_USAGE_H
#define BERTH_UNPACK_USAGE_H

#include "lib/error.h"

#include <stdint.h>

struct usage {
    uint64_t size_bytes; /* lengths of everything but directories, every inode once: what Docker calls size */
    uint64_t inodes;
};

/* Adds up the directory open as fd and everything below it on the same mount. */
int usage_measure(int fd, struct usage *usage, struct error *err);

#endif

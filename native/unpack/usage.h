/* Disk usage of a tree. */
#ifndef BERTH_UNPACK_USAGE_H
#define BERTH_UNPACK_USAGE_H

#include "lib/error.h"

#include <stdint.h>

struct usage {
    uint64_t size_bytes; /* blocks allocated, 512-byte units × 512; every inode once */
    uint64_t inodes;
};

/* Adds up the directory open as fd and everything below it on the same mount. */
int usage_measure(int fd, struct usage *usage, struct error *err);

#endif

/*
 * Tar headers as POSIX.1-2001 (pax) has them: a ustar header, preceded by a pax extended header for what does
 * not fit (names over 100 bytes or not ASCII, nanoseconds, large numbers, extended attributes).
 *
 * Written here rather than by libarchive because a layer must come out the same byte for byte, with names as
 * raw bytes and without the hdrcharset records that GNU tar and Go warn about or misread.
 */
#ifndef BERTH_UNPACK_TAR_WRITE_H
#define BERTH_UNPACK_TAR_WRITE_H

#include "lib/error.h"
#include "output.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct tar_xattr {
    char *name;  /* owned */
    void *value; /* owned */
    size_t size;
};

struct tar_xattrs {
    struct tar_xattr *list;
    size_t count;
};

struct tar_entry {
    const char *path;     /* without the trailing slash of a directory; "" is the root, written "./" */
    const char *linkname; /* target of a hard or symbolic link, else NULL */
    char type; /* '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' fifo */
    uint32_t mode, uid, gid;
    uint64_t size;
    struct timespec mtime;
    uint32_t device_major, device_minor;
    const struct tar_xattrs *xattrs; /* sorted by name; NULL for none */
};

/* Writes the header(s). The caller appends `size` bytes of content and then tar_pad. */
int tar_header(struct output *out, const struct tar_entry *entry, struct error *err);
/* Fills up to the next 512-byte boundary after a content of `size` bytes. */
int tar_pad(struct output *out, uint64_t size, struct error *err);
/* The two zero blocks that end an archive. */
int tar_end(struct output *out, struct error *err);

/*
 * Reads the extended attributes of `name` in `parent` that belong in an archive: security.capability, user.*,
 * trusted.* and POSIX ACLs; never overlayfs's own.
 */
int tar_xattrs_read(struct tar_xattrs *xattrs, int parent, const char *name, struct error *err);
void tar_xattrs_free(struct tar_xattrs *xattrs);

#endif

/* Files → archive entries; the part that layers (`diff`) and copies out (`get`, `export`) share. */
#ifndef BERTH_UNPACK_PACK_H
#define BERTH_UNPACK_PACK_H

#include "inode_table.h"
#include "lib/error.h"
#include "output.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * The user range of a container with a user namespace of its own: ids base … base+size-1 on the disk are
 * 0 … size-1 inside, and so in the archive; others are as they are. size 0 = no range.
 */
struct id_range {
    uint32_t base;
    uint32_t size;
};

/* The id as the container sees it. */
static inline uint32_t id_inside(struct id_range ids, uint32_t id) {
    return id - ids.base < ids.size ? id - ids.base : id; /* unsigned: an id below base is far above size */
}

struct packer {
    struct output *out;
    uint64_t mount;           /* with one_mount: the mount that is packed */
    struct inode_table links; /* files with more than one name → the first name in this archive */
    bool one_mount;           /* leave mounts out: a directory or file that is one is packed empty */
    struct id_range ids;      /* owners are told as the container sees them */
    bool no_times;            /* every time is 0: for a digest of what the files are */
    uint64_t entries;
};

/*
 * Packs the one entry `name` of the directory `parent` as `path` (no trailing slash). st is what was found
 * there. Links are not followed; sockets are skipped, as tar does. Of a directory only the header is written.
 */
int pack_entry(struct packer *packer, int parent, const char *name, const char *path, const struct stat *st,
               struct error *err);

/* The mount that `name` in `parent` is on (statx's stx_mnt_id); 0 if the kernel does not say. */
uint64_t pack_mount_id(int parent, const char *name);

/* Packs everything below the directory open as fd, names sorted; paths are put below `path`. */
int pack_children(struct packer *packer, int fd, const char *path, int depth, struct error *err);

void packer_close(struct packer *packer);

#endif

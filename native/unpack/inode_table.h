/* A table from inode to the first path it was seen at: hard links, once. */
#ifndef BERTH_UNPACK_INODE_TABLE_H
#define BERTH_UNPACK_INODE_TABLE_H

#include <stddef.h>
#include <sys/types.h>

struct inode_slot {
    dev_t device;
    ino_t inode;
    char *path; /* owned; NULL marks a free slot */
};

/* Zero-initialise. */
struct inode_table {
    struct inode_slot *slots;
    size_t capacity, used;
};

/*
 * The path under which the inode was seen first, or NULL if it is new; then it is entered with a copy of
 * `path`. *failed is set if memory ran out.
 */
const char *inode_table_seen(struct inode_table *table, dev_t device, ino_t inode, const char *path,
                             int *failed);
void inode_table_free(struct inode_table *table);

#endif

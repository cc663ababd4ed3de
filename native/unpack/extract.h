/*
 * Archive entries → files, for layers (`apply`) and for copies into a container (`put`).
 *
 * The order per entry is: content, owner, mode, extended attributes, times. Changing the owner clears setuid
 * bits and security.capability, writing clears them too, and everything changes times; the times of
 * directories come at the very end because making entries in them changes them.
 */
#ifndef BERTH_UNPACK_EXTRACT_H
#define BERTH_UNPACK_EXTRACT_H

#include "input.h"
#include "lib/error.h"
#include "tree.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct archive_entry;

struct extract_options {
    bool layer; /* translate whiteouts; the tree is private to us */
    bool
        write_early; /* start writing big files to the disk at once, because the end will wait for the disk */
    bool keep_top;   /* the attributes of the archive's top entry go to the directory extracted into */
    bool keep_kind;  /* docker's noOverwriteDirNonDir */
    bool set_owner;  /* everything gets uid and gid below */
    bool set_mode;   /* everything but links gets mode below */
    bool own_new_only; /* with set_owner: existing directories keep their owner and mode */
    uint32_t uid, gid, mode;
    bool own_parents;     /* with set_owner: missing parent directories get uid and gid too */
    uint64_t max_bytes;   /* sum of the entries' sizes, 0 = no limit */
    uint64_t max_entries; /* 0 = no limit */
};

/* A directory whose times are set at the end. */
struct extract_times {
    char *path;
    ino_t inode;
    struct timespec times[2];
};

struct extract {
    struct tree tree;
    struct extract_options options;
    const char *base; /* directory in the tree that entries go below; NULL is the root; borrowed */
    uint64_t entries, bytes;
    uint64_t made_bytes; /* lengths of the files and links made: what usage_measure would find unless... */
    bool replaced;       /* ... something that was there had to go: then only measuring tells */
    uint64_t skipped_xattrs; /* the file system has no place for them (EOPNOTSUPP) */
    struct extract_times *times;
    size_t times_count, times_capacity;
    mode_t umask; /* of the process before; restored by extract_end */
};

void extract_begin(struct extract *x, int root, const struct extract_options *options);
/* Extracts every entry of the archive that `in` delivers, then sets the directories' times. */
int extract_archive(struct extract *x, struct input *in, struct error *err);
void extract_end(struct extract *x);

#endif

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

#include <stdbool.h>
#include <stdint.h>

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

struct extract_result {
    struct input_summary summary;
    uint64_t entries;
    uint64_t skipped_xattrs; /* the file system has no place for them (EOPNOTSUPP) */
    uint64_t made_bytes; /* lengths of the files and links made: what usage_measure would find unless... */
    bool replaced;       /* ... something that was there had to go: then only measuring tells */
};

/*
 * Extracts the archive on `fd` to its end, below the directory `base` of `root` (NULL: the root itself). On
 * failure what was extracted until then stays.
 */
int extract_stream(int fd, int root, const char *base, const struct extract_options *options,
                   struct extract_result *result, struct error *err);

#endif

#include "remove.h"

#include "lib/cleanup.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Each level holds one descriptor. A container can nest directories far deeper than any path or descriptor
 * table is long, so what is below this level is moved up to the top of the tree and met there again.
 */
#define DEPTH_LIMIT 128

struct removal {
    int top;        /* the tree's first directory, where deep subtrees are moved to */
    unsigned moved; /* how many have been */
    struct error *err;
};

static int remove_directory(struct removal *r, int parent, const char *name, int depth);

static int remove_one(struct removal *r, int parent, const char *name, int depth) {
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_errno(r->err, errno, "remove", name, "cannot remove \"%.256s\"", name);
    int unlink_errno = errno;
    struct stat st;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0
                               : error_errno(r->err, errno, "remove", name, "cannot stat \"%.256s\"", name);
    if (!S_ISDIR(st.st_mode))
        return error_errno(r->err, unlink_errno, "remove", name, "cannot remove \"%.256s\"", name);
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
        return 0;
    if (depth >= DEPTH_LIMIT) {
        char aside[64];
        snprintf(aside, sizeof(aside), ".berth-remove-%d-%u", (int)getpid(), r->moved);
        if (renameat(parent, name, r->top, aside) == 0) {
            r->moved++;
            return 0;
        }
    }
    return remove_directory(r, parent, name, depth + 1);
}

static int remove_directory(struct removal *r, int parent, const char *name, int depth) {
    int fd = tree_open_child(parent, name);
    if (fd < 0 && errno == EXDEV)
        return error_set(r->err, "failed_precondition", "remove", name,
                         "\"%.256s\" is a mount point; unmount it first", name);
    if (fd < 0)
        return errno == ENOENT ? 0
                               : error_errno(r->err, errno, "remove", name, "cannot open \"%.256s\"", name);
    cleanup_dir DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return error_errno(r->err, errno, "remove", name, "cannot read \"%.256s\"", name);
    }
    if (depth == 1)
        r->top = fd;
    /* Removing while reading may skip entries, and trees are moved here: repeat while it gets emptier. */
    for (bool progress = true; progress;) {
        struct dirent *entry;
        progress = false;
        while ((entry = readdir(dir))) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            if (remove_one(r, fd, entry->d_name, depth) < 0)
                return -1;
            progress = true;
        }
        if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return 0;
        if (errno != ENOTEMPTY && errno != EEXIST)
            break;
        rewinddir(dir);
    }
    return error_errno(r->err, errno, "remove", name, "cannot remove the directory \"%.256s\"", name);
}

int remove_entry(int parent, const char *name, struct error *err) {
    struct removal r = {.top = -1, .err = err};
    return remove_one(&r, parent, name, 0);
}

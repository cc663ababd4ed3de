/*
 * Paths inside a root that does not belong to us: a layer, a container's files.
 *
 * Every resolution is one openat2 with RESOLVE_IN_ROOT on the root's descriptor: `..` and absolute links stay
 * inside, magic links are refused, so no name that an image or a container chose leads out. Work on the last
 * component is done relative to its parent's descriptor and never follows a link.
 */
#ifndef BERTH_UNPACK_TREE_H
#define BERTH_UNPACK_TREE_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct tree {
    int root;       /* O_PATH or readable directory; borrowed */
    bool one_mount; /* refuse to cross mounts (layers); false for a container with volumes */
    bool own_new;   /* directories made on the way belong to uid and gid instead of root */
    uint32_t uid, gid;
    char *parent; /* path of the cached parent directory, NULL if none */
    int parent_fd;
};

/* A path taken apart; both strings are owned. `name` is "" for the root itself. */
struct tree_path {
    char *parent; /* "" is the root */
    char *name;
};

void tree_init(struct tree *tree, int root, bool one_mount);
/* Releases the cache. The root stays open. */
void tree_close(struct tree *tree);
/* Drops the cached directory; call when anything that exists was removed, renamed or replaced. */
void tree_forget(struct tree *tree);

/*
 * Cleans a name as archives and users write them ("./a//b/../c/", "/a") and splits it. `..` is taken
 * lexically; one that would climb above the root is an error (invalid_argument).
 */
int tree_split(const char *name, struct tree_path *path, struct error *err);
/* The same for a path that a user asked for: `..` at the root stays at the root, as in every shell. */
int tree_split_asked(const char *name, struct tree_path *path, struct error *err);
void tree_path_free(struct tree_path *path);
/* "parent/name" in a new string, "" for the root; NULL if memory ran out. */
char *tree_path_join(const struct tree_path *path);

/*
 * The directory at `path` (as in tree_path.parent), every link in it followed inside the root. With `create`
 * missing directories are made (0755, root's). Returns a borrowed O_PATH descriptor, valid until the next
 * call on the tree; -1 and err on failure.
 */
int tree_parent(struct tree *tree, const char *path, bool create, struct error *err);

/* openat2 under the tree's rules, `path` relative to the root; a new descriptor, or -1 and errno. */
int tree_open(const struct tree *tree, const char *path, int flags);

/*
 * Where `path` (clean, relative to the root) leads when every link is followed inside the root: an absolute
 * path as seen from there, for showing it only. What does not exist is taken as it is written. A new string;
 * NULL if there are more than 40 links or memory ran out.
 */
char *tree_resolve(const struct tree *tree, const char *path);

/* Opens a child directory for reading without following a link or crossing a mount. -1 and errno. */
int tree_open_child(int parent, const char *name);

#endif

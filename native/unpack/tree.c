#include "tree.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2 gives EAGAIN when a rename somewhere raced with `..`; a hostile container can provoke that for
 * ever. */
#define RACE_RETRIES 64

static int open_how(int at, const char *path, int flags, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .resolve = resolve};
    for (int attempt = 0;; attempt++) {
        long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt >= RACE_RETRIES)
            return (int)fd;
    }
}

int tree_open(const struct tree *tree, const char *path, int flags) {
    uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (tree->one_mount ? RESOLVE_NO_XDEV : 0);
    return open_how(tree->root, *path ? path : ".", flags, resolve);
}

int tree_open_child(int parent, const char *name) {
    return open_how(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

void tree_init(struct tree *tree, int root, bool one_mount) {
    *tree = (struct tree){.root = root, .one_mount = one_mount, .parent_fd = -1};
}

void tree_forget(struct tree *tree) {
    free(tree->parent);
    tree->parent = NULL;
    if (tree->parent_fd >= 0)
        close(tree->parent_fd);
    tree->parent_fd = -1;
}

void tree_close(struct tree *tree) {
    tree_forget(tree);
}

void tree_path_free(struct tree_path *path) {
    free(path->parent);
    free(path->name);
    *path = (struct tree_path){0};
}

char *tree_path_join(const struct tree_path *path) {
    size_t parent = strlen(path->parent), name = strlen(path->name);
    char *joined = malloc(parent + name + 2);
    if (!joined)
        return NULL;
    memcpy(joined, path->parent, parent);
    if (parent > 0)
        joined[parent++] = '/';
    memcpy(joined + parent, path->name, name + 1);
    return joined;
}

static int split(const char *name, bool clamp, struct tree_path *path, struct error *err) {
    *path = (struct tree_path){0};
    char *clean = malloc(strlen(name) + 1);
    if (!clean)
        return error_errno(err, ENOMEM, "resolve", NULL, "no memory for a path");
    size_t used = 0;
    for (const char *at = name; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            if (used == 0 && !clamp) {
                free(clean);
                return error_set(err, "invalid_argument", "resolve", name,
                                 "the path \"%.256s\" leads out of the root with \"..\"", name);
            }
            while (used > 0 && clean[--used] != '/')
                ;
        } else if (length > 0 && !(length == 1 && at[0] == '.')) {
            if (used > 0)
                clean[used++] = '/';
            memcpy(clean + used, at, length);
            used += length;
        }
        at += length;
        while (*at == '/')
            at++;
    }
    clean[used] = '\0';
    char *slash = strrchr(clean, '/');
    path->name = strdup(slash ? slash + 1 : clean);
    if (slash)
        *slash = '\0';
    else
        *clean = '\0';
    path->parent = clean;
    if (!path->name) {
        tree_path_free(path);
        return error_errno(err, ENOMEM, "resolve", NULL, "no memory for a path");
    }
    return 0;
}

int tree_split(const char *name, struct tree_path *path, struct error *err) {
    return split(name, false, path, err);
}

int tree_split_asked(const char *name, struct tree_path *path, struct error *err) {
    return split(name, true, path, err);
}

/* Makes the directories of `path` (modified while working, restored) that do not exist. 0, or -1 and errno.
 */
static int make_parents(struct tree *tree, char *path) {
    size_t length = strlen(path), at = length;
    int fd = -1;
    /* Find the longest prefix that is there, then create forward from it. */
    for (;;) {
        while (at > 0 && path[at - 1] != '/')
            at--;
        size_t prefix = at > 0 ? at - 1 : 0;
        char saved = path[prefix];
        path[prefix] = '\0';
        fd = tree_open(tree, path, O_PATH | O_DIRECTORY);
        path[prefix] = saved;
        if (fd >= 0 || errno != ENOENT || prefix == 0)
            break;
        at = prefix;
    }
    while (fd >= 0 && at < length) {
        size_t end = at + strcspn(path + at, "/");
        char saved = path[end];
        path[end] = '\0';
        int result = mkdirat(fd, path + at, 0755);
        if (result == 0 && tree->own_new)
            result = fchownat(fd, path + at, tree->uid, tree->gid, AT_SYMLINK_NOFOLLOW);
        close(fd);
        fd = result < 0 && errno != EEXIST ? -1 : tree_open(tree, path, O_PATH | O_DIRECTORY);
        path[end] = saved;
        at = end + (end < length);
    }
    return fd;
}

int tree_parent(struct tree *tree, const char *path, bool create, struct error *err) {
    if (*path == '\0')
        return tree->root;
    if (tree->parent && strcmp(tree->parent, path) == 0)
        return tree->parent_fd;
    tree_forget(tree);
    char *copy = strdup(path);
    if (!copy)
        return error_errno(err, ENOMEM, "resolve", path, "no memory for a path");
    int fd = tree_open(tree, path, O_PATH | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT && create)
        fd = make_parents(tree, copy);
    if (fd < 0) {
        int number = errno;
        free(copy);
        return error_errno(err, number, "resolve", path, "cannot open the directory \"%.256s\"", path);
    }
    tree->parent = copy;
    tree->parent_fd = fd;
    return fd;
}

/* Appends one component to the resolved path; ".." takes one off. */
static void step(char *resolved, size_t size, const char *component, size_t length) {
    size_t used = strlen(resolved);
    if (length == 0 || (length == 1 && component[0] == '.'))
        return;
    if (length == 2 && component[0] == '.' && component[1] == '.') {
        while (used > 0 && resolved[--used] != '/')
            ;
        resolved[used] = '\0';
    } else if (used + length + 2 <= size) {
        snprintf(resolved + used, size - used, "%s%.*s", used ? "/" : "", (int)length, component);
    }
}

char *tree_resolve(const struct tree *tree, const char *path) {
    char resolved[PATH_MAX] = "", rest[2 * PATH_MAX], link[PATH_MAX], joined[3 * PATH_MAX];
    int links = 0;
    snprintf(rest, sizeof(rest), "%s", path);
    while (*rest) {
        char before[PATH_MAX];
        char *component = rest + strspn(rest, "/");
        size_t length = strcspn(component, "/");
        memcpy(before, resolved, sizeof(before));
        step(resolved, sizeof(resolved), component, length);
        char *after = component + length;
        cleanup_fd int fd = tree_open(tree, resolved, O_PATH | O_NOFOLLOW);
        ssize_t got = fd < 0 ? -1 : readlinkat(fd, "", link, sizeof(link) - 1);
        if (got <= 0) {
            memmove(rest, after, strlen(after) + 1);
            continue;
        }
        if (++links > 40)
            return NULL;
        link[got] = '\0';
        memcpy(resolved, link[0] == '/' ? "" : before, link[0] == '/' ? 1 : sizeof(before));
        snprintf(joined, sizeof(joined), "%s/%s", link, after);
        if (strlen(joined) >= sizeof(rest))
            return NULL;
        memcpy(rest, joined, strlen(joined) + 1);
    }
    char *out = malloc(strlen(resolved) + 2);
    if (out)
        sprintf(out, "/%s", resolved);
    return out;
}

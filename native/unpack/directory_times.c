#include "directory_times.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

struct directory_time {
    char *path;
    ino_t inode;
    struct timespec times[2];
};

int directory_times_remember(struct directory_times *all, int parent, const struct tree_path *path,
                             const struct timespec times[2], struct error *err) {
    struct stat st;
    const char *name = *path->name ? path->name : ".";
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "extract", name, "cannot stat \"%.256s\"", name);
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? all->capacity * 2 : 64;
        struct directory_time *list = realloc(all->list, capacity * sizeof(*list));
        if (!list)
            return error_errno(err, ENOMEM, "extract", name, "no memory for the times of directories");
        all->list = list;
        all->capacity = capacity;
    }
    char *joined = tree_path_join(path);
    if (!joined)
        return error_errno(err, ENOMEM, "extract", name, "no memory for the times of directories");
    all->list[all->count++] =
        (struct directory_time){.path = joined, .inode = st.st_ino, .times = {times[0], times[1]}};
    return 0;
}

int directory_times_set(const struct directory_times *all, struct tree *tree, struct error *err) {
    for (size_t i = 0; i < all->count; i++) {
        const struct directory_time *t = &all->list[i];
        struct tree_path path;
        if (tree_split(t->path, &path, err) < 0)
            return -1;
        const char *name = *path.name ? path.name : ".";
        struct error gone;
        struct stat st;
        /* A later entry may have replaced the directory: then these times are nobody's. */
        int parent = tree_parent(tree, path.parent, false, &gone);
        int result = 0;
        if (parent >= 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == t->inode &&
            S_ISDIR(st.st_mode) && utimensat(parent, name, t->times, AT_SYMLINK_NOFOLLOW) < 0)
            result = error_errno(err, errno, "times", t->path, "cannot set the times of \"%.256s\"", t->path);
        tree_path_free(&path);
        if (result < 0)
            return -1;
    }
    return 0;
}

void directory_times_free(struct directory_times *all) {
    for (size_t i = 0; i < all->count; i++)
        free(all->list[i].path);
    free(all->list);
    *all = (struct directory_times){0};
}

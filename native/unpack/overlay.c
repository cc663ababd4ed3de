#include "overlay.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define XATTR_OPAQUE "trusted.overlay.opaque"

bool overlay_is_whiteout(const struct stat *st) {
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

void overlay_entry_path(char out[320], int parent, const char *name) {
    snprintf(out, 320, "/proc/self/fd/%d/%s", parent, name);
}

bool overlay_is_opaque(int fd) {
    char path[320], value[8];
    overlay_entry_path(path, fd, ".");
    return lgetxattr(path, XATTR_OPAQUE, value, sizeof(value)) == 1 && value[0] == 'y';
}

int overlay_set_opaque(int parent, const char *name, struct error *err) {
    char path[320];
    overlay_entry_path(path, parent, *name ? name : ".");
    if (lsetxattr(path, XATTR_OPAQUE, "y", 1, 0) < 0)
        return error_errno(err, errno, "whiteout", name, "cannot mark the directory \"%.256s\" opaque", name);
    return 0;
}

int overlay_make_whiteout(int parent, const char *name, struct error *err) {
    if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
        return error_errno(err, errno, "whiteout", name, "cannot make a whiteout for \"%.256s\"", name);
    return 0;
}

bool overlay_is_private_xattr(const char *name) {
    return strncmp(name, "trusted.overlay.", 16) == 0 || strncmp(name, "user.overlay.", 13) == 0;
}

int overlay_check_plain(int parent, const char *name, const char *path, struct error *err) {
    static const char *const names[] = {"trusted.overlay.redirect", "trusted.overlay.metacopy"};
    char entry[320];
    overlay_entry_path(entry, parent, name);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (lgetxattr(entry, names[i], NULL, 0) >= 0)
            return error_set(err, "failed_precondition", "diff", path,
                             "\"%.256s\" has %s: mount the snapshot with redirect_dir=off,metacopy=off", path,
                             names[i]);
    return 0;
}

int lower_dirs_open(struct lower_dirs *dirs, char *const *paths, int count, struct error *err) {
    *dirs = (struct lower_dirs){.fds = calloc((size_t)count + 1, sizeof(int))};
    if (!dirs->fds)
        return error_errno(err, ENOMEM, "open", NULL, "no memory for the lower directories");
    for (int i = 0; i < count; i++) {
        int fd = open(paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
            int number = errno;
            lower_dirs_free(dirs);
            return error_errno(err, number, "open", paths[i], "cannot open the lower directory \"%.256s\"",
                               paths[i]);
        }
        dirs->fds[dirs->count++] = fd;
    }
    return 0;
}

void lower_dirs_free(struct lower_dirs *dirs) {
    for (int i = 0; i < dirs->count; i++)
        close(dirs->fds[i]);
    free(dirs->fds);
    *dirs = (struct lower_dirs){0};
}

/* Goes on with one more layer below the directory; 1 if the stack ends there, else 0; -1 and err. */
static int push_lower(struct lower_dirs *below, int parent, const char *name, struct error *err) {
    int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open", name, "cannot open \"%.256s\" in a lower layer", name);
    below->fds[below->count++] = fd;
    return overlay_is_opaque(fd);
}

int lower_lookup(const struct lower_dirs *at, const char *name, enum lower_kind *kind, struct stat *st,
                 struct lower_dirs *below, struct error *err) {
    *kind = LOWER_NONE;
    *below = (struct lower_dirs){.fds = calloc((size_t)at->count + 1, sizeof(int))};
    if (!below->fds)
        return error_errno(err, ENOMEM, "diff", name, "no memory to compare \"%.256s\"", name);
    for (int i = 0; i < at->count; i++) {
        struct stat found;
        if (fstatat(at->fds[i], name, &found, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno == ENOENT)
                continue;
            error_errno(err, errno, "diff", name, "cannot stat \"%.256s\" in a lower layer", name);
            lower_dirs_free(below);
            return -1;
        }
        if (*kind == LOWER_NONE && !overlay_is_whiteout(&found)) {
            *kind = S_ISDIR(found.st_mode) ? LOWER_DIRECTORY : LOWER_OTHER;
            *st = found;
        }
        if (!S_ISDIR(found.st_mode))
            break;
        int last = push_lower(below, at->fds[i], name, err);
        if (last < 0) {
            lower_dirs_free(below);
            return -1;
        }
        if (last)
            break;
    }
    return 0;
}

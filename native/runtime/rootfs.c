/* The root itself: attach, pivot, finish. See rootfs.h. */
#include "rootfs.h"

#include "cleanup.h"
#include "path.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int root_error(const struct rootfs *rootfs, int number, const char *what, struct error *err) {
    return error_errno(err, number, "rootfs", rootfs->path, "%s %s", what, rootfs->path);
}

/*
 * pivot_root refuses a new root whose parent mount is shared. Only that one mount is made private, so that
 * with rootfsPropagation "shared" everything else keeps its peers.
 */
static int make_parent_private(const struct rootfs *rootfs, struct error *err) {
    struct mount_attr private = {.propagation = MS_PRIVATE};
    cleanup_fd int at = open(rootfs->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (;;) {
        struct statx stx;
        if (at < 0 || statx(at, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_TYPE, &stx) < 0)
            return root_error(rootfs, errno, "find the mount of", err);
        if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
            break;
        int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        fd_close(&at);
        at = up;
    }
    if (sys_mount_setattr(at, "", AT_EMPTY_PATH, &private) < 0)
        return root_error(rootfs, errno, "make the parent mount private of", err);
    return 0;
}

int rootfs_open(struct rootfs *rootfs, struct error *err) {
    uint64_t propagation = rootfs->spec->rootfs_propagation;
    unsigned long flags = propagation ? (unsigned long)propagation : MS_SLAVE | MS_REC;
    /* Unbindable cannot be copied; the property is set on the container's root at the end. */
    if (flags & MS_UNBINDABLE)
        flags = MS_PRIVATE | MS_REC;
    if (mount(NULL, "/", NULL, flags, NULL) < 0)
        return root_error(rootfs, errno, "set the propagation for", err);
    rootfs->fd = mount_clone_source(rootfs->path, true, err);
    if (rootfs->fd < 0)
        return -1;
    /* Whatever is asked for comes at the end; until then nothing that we mount may show on the host. */
    struct mount_attr slave = {.propagation = MS_SLAVE};
    if (propagation && sys_mount_setattr(rootfs->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave) < 0)
        return root_error(rootfs, errno, "make slave", err);
    if (propagation && make_parent_private(rootfs, err) < 0)
        return -1;
    cleanup_fd int target = open(rootfs->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target < 0 || sys_move_mount(rootfs->fd, target) < 0)
        return root_error(rootfs, errno, "attach", err);
    return 0;
}

/* mountinfo writes blanks, tabs, line feeds and backslashes in a path as \040 and so on. */
static void unescape(char *text) {
    char *out = text;
    for (; *text; text++) {
        bool octal = text[0] == '\\' && strspn(text + 1, "01234567") >= 3;
        *out++ = octal ? (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0')) : *text;
        text += octal ? 3 : 0;
    }
    *out = '\0';
}

/* "36 35 98:0 /root /point options - type source": the mount point if a whole procfs or sysfs is there. */
static char *kernel_mount_point(char *line) {
    char *field[5], *dash = strstr(line, " - "), *save = NULL;
    if (!dash || (strncmp(dash + 3, "proc ", 5) != 0 && strncmp(dash + 3, "sysfs ", 6) != 0))
        return NULL;
    for (int i = 0; i < 5; i++)
        if (!(field[i] = strtok_r(i ? NULL : line, " ", &save)))
            return NULL;
    unescape(field[4]);
    return strcmp(field[3], "/") == 0 ? field[4] : NULL;
}

/*
 * Without pivot_root the host's mounts stay below the moved root. An unmasked procfs among them would entitle
 * whoever makes a user namespace inside to mount a new one without our masks, so those go.
 */
static int hide_kernel_mounts(const struct rootfs *rootfs, struct error *err) {
    char *line = NULL;
    size_t room = 0, length = strlen(rootfs->path);
    int fd = openat(rootfs->proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    int result = file ? 0 : root_error(rootfs, errno, "read the mounts beside", err);
    while (file && result == 0 && getline(&line, &room, file) > 0) {
        const char *point = kernel_mount_point(line);
        bool ours = point && strncmp(point, rootfs->path, length) == 0 &&
                    (point[length] == '/' || point[length] == '\0');
        if (!point || ours)
            continue;
        if (mount(NULL, point, NULL, MS_PRIVATE, NULL) < 0 && errno != EINVAL)
            result = error_errno(err, errno, "rootfs", point, "hide %s of the host", point);
        /* One that came with a user namespace cannot be unmounted, only covered. */
        else if (umount2(point, MNT_DETACH) < 0 && errno != ENOENT &&
                 mount("tmpfs", point, "tmpfs", MS_RDONLY, NULL) < 0 && errno != ENOENT)
            result = error_errno(err, errno, "rootfs", point, "hide %s of the host", point);
    }
    free(line);
    if (file)
        fclose(file);
    return result;
}

static int move_root(struct rootfs *rootfs, struct error *err) {
    if (hide_kernel_mounts(rootfs, err) < 0)
        return -1;
    if (fchdir(rootfs->fd) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
        chdir("/") < 0)
        return root_error(rootfs, errno, "move to the root", err);
    return 0;
}

int rootfs_pivot(struct rootfs *rootfs, bool no_pivot, struct error *err) {
    if (no_pivot)
        return move_root(rootfs, err);
    cleanup_fd int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old < 0 || fchdir(rootfs->fd) < 0)
        return root_error(rootfs, errno, "enter", err);
    /* Old and new root on the same directory: no place in the image is needed for the old one. */
    if (sys_pivot_root(".", ".") < 0)
        return root_error(rootfs, errno, "pivot_root to", err);
    /* The old root lies on top of "."; all of it must be slave (or private) so that this unmount does not
     * reach the host. "shared", and the words without "r", have left some of it shared. By its own
     * descriptor:
     * "." still means the new root here, whose shared binds must stay so. */
    if (fchdir(old) < 0 ||
        (rootfs->spec->rootfs_propagation && mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0))
        return root_error(rootfs, errno, "make the old root slave for", err);
    if (umount2(".", MNT_DETACH) < 0)
        return root_error(rootfs, errno, "detach the old root for", err);
    if (chdir("/") < 0)
        return root_error(rootfs, errno, "enter", err);
    return 0;
}

static int finish_dev(const struct rootfs *rootfs, struct error *err) {
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
    cleanup_fd int dev = path_open_plain(rootfs->fd, "/dev", O_PATH | O_DIRECTORY, err);
    if (dev < 0)
        return -1;
    if (sys_mount_setattr(dev, "", AT_EMPTY_PATH, &readonly) < 0)
        return error_errno(err, errno, "mount", "/dev", "make /dev read-only");
    return 0;
}

int rootfs_finish(struct rootfs *rootfs, struct error *err) {
    if (rootfs->dev_readonly && finish_dev(rootfs, err) < 0)
        return -1;
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
    if (rootfs->spec->root_readonly && sys_mount_setattr(rootfs->fd, "", AT_EMPTY_PATH, &readonly) < 0)
        return root_error(rootfs, errno, "make read-only", err);
    return 0;
}

int rootfs_set_propagation(const struct rootfs *rootfs, struct error *err) {
    uint64_t propagation = rootfs->spec->rootfs_propagation;
    if (propagation && mount(NULL, "/", NULL, (unsigned long)propagation, NULL) < 0)
        return root_error(rootfs, errno, "set rootfsPropagation of", err);
    return 0;
}

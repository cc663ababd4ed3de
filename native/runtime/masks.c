/* Masked paths (nothing to read there) and read-only paths. */
#include "cleanup.h"
#include "path.h"
#include "rootfs.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int mask_error(const char *path, int number, struct error *err) {
    return error_errno(err, number, "mask", path, "can't mask path \"%s\"", path);
}

/* One empty read-only tmpfs serves for every masked directory: each gets a copy of the mount, not a file
 * system. */
static int empty_directory(struct error *err) {
    cleanup_fd int fs = sys_fsopen("tmpfs");
    if (fs < 0 || sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_blocks", "1", 0) < 0 ||
        sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
        sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return mask_error("tmpfs", errno, err);
    int fd = sys_fsmount(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return fd >= 0 ? fd : mask_error("tmpfs", errno, err);
}

/* The host's own null device, and really that one (CVE-2025-31133: never the image's). */
static int null_device(struct error *err) {
    int fd = open("/dev/null", O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_errno(err, errno, "mask", "/dev/null", "open /dev/null");
    if (path_is_char_device(fd, 1, 3))
        return fd;
    close(fd);
    return error_set(err, "failed_precondition", "mask", "/dev/null",
                     "the host's /dev/null is not the null device");
}

struct masks {
    int null_fd, directory_fd;
};

static int mask_one(struct masks *masks, int target, const char *path, struct error *err) {
    struct stat st;
    if (fstat(target, &st) < 0)
        return mask_error(path, errno, err);
    bool directory = S_ISDIR(st.st_mode);
    int *source = directory ? &masks->directory_fd : &masks->null_fd;
    bool first = *source < 0;
    if (first && (*source = directory ? empty_directory(err) : null_device(err)) < 0)
        return -1;
    /* The new tmpfs itself goes to the first directory: only an attached mount can be copied (before
     * Linux 6.15). */
    cleanup_fd int copy =
        first && directory ? fcntl(*source, F_DUPFD_CLOEXEC, 3)
                           : sys_open_tree(*source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (copy < 0 || sys_move_mount(copy, target) < 0)
        return mask_error(path, errno, err);
    return 0;
}

int rootfs_mask(struct rootfs *rootfs, struct error *err) {
    struct masks masks = {-1, -1};
    int result = 0;
    for (size_t i = 0; i < rootfs->spec->masked_count && result == 0; i++) {
        const char *path = rootfs->spec->masked_paths[i];
        cleanup_fd int target = path_try_open(rootfs->fd, path, O_PATH);
        if (target < 0) {
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                result = mask_error(path, errno, err);
            continue;
        }
        result = mask_one(&masks, target, path, err);
    }
    fd_close(&masks.null_fd);
    fd_close(&masks.directory_fd);
    return result;
}

int rootfs_make_readonly(struct rootfs *rootfs, struct error *err) {
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
    for (size_t i = 0; i < rootfs->spec->readonly_count; i++) {
        const char *path = rootfs->spec->readonly_paths[i];
        cleanup_fd int target = path_try_open(rootfs->fd, path, O_PATH);
        if (target < 0 && (errno == ENOENT || errno == ENOTDIR))
            continue;
        if (target < 0)
            return error_errno(err, errno, "readonly path", path, "make %s read-only", path);
        cleanup_fd int copy =
            sys_open_tree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
        if (copy < 0 || sys_mount_setattr(copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &readonly) < 0 ||
            sys_move_mount(copy, target) < 0)
            return error_errno(err, errno, "readonly path", path, "make %s read-only", path);
    }
    return 0;
}

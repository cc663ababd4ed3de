#include "pack.h"

#include "lib/cleanup.h"
#include "listing.h"
#include "tar_write.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Not every libc header set has these. */
#define DEVPTS_MAGIC 0x1cd1
#define MQUEUE_MAGIC 0x19800202

static int open_file(int parent, const char *name, const char *path, struct stat *st, struct error *err) {
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    cleanup_fd int fd = openat(parent, name, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM) /* O_NOATIME is the owner's privilege, also on some network file systems */
        fd = openat(parent, name, flags);
    if (fd < 0 || fstat(fd, st) < 0)
        return error_errno(err, errno, "read", path, "cannot open \"%.256s\"", path);
    if (!S_ISREG(st->st_mode))
        return error_set(err, "failed_precondition", "read", path,
                         "\"%.256s\" was replaced by something else while it was being read", path);
    return fd_take(&fd);
}

/* Copies `size` bytes; a file that shrank meanwhile is filled up with zeros, as tar does. */
static int pack_content(struct output *out, int fd, uint64_t size, const char *path, struct error *err) {
    uint64_t left = size;
    while (left > 0) {
        size_t room;
        uint8_t *to = output_room(out, &room, err);
        if (!to)
            return -1;
        ssize_t got = read(fd, to, left < room ? (size_t)left : room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "read", path, "cannot read \"%.256s\"", path);
        if (got == 0)
            break;
        output_advance(out, (size_t)got);
        left -= (uint64_t)got;
    }
    if (output_zeros(out, left, err) < 0)
        return -1;
    return tar_pad(out, size, err);
}

static char *read_link(int parent, const char *name) {
    char target[4096 + 1];
    ssize_t length = readlinkat(parent, name, target, sizeof(target) - 1);
    if (length < 0)
        return NULL;
    target[length] = '\0';
    return strdup(target);
}

static char type_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return '0';
    case S_IFLNK:
        return '2';
    case S_IFCHR:
        return '3';
    case S_IFBLK:
        return '4';
    case S_IFDIR:
        return '5';
    case S_IFIFO:
        return '6';
    default:
        return 0;
    }
}

static int pack_header(struct packer *p, int parent, const char *name, struct tar_entry *e,
                       struct error *err) {
    struct tar_xattrs xattrs = {0};
    if (e->type != '1' && tar_xattrs_read(&xattrs, parent, name, err) < 0)
        return -1;
    if (xattrs.count > 0)
        e->xattrs = &xattrs;
    p->entries++;
    int result = tar_header(p->out, e, err);
    e->xattrs = NULL;
    tar_xattrs_free(&xattrs);
    return result;
}

int pack_entry(struct packer *p, int parent, const char *name, const char *path, const struct stat *st,
               struct error *err) {
    struct stat now = *st;
    struct tar_entry e = {.path = path, .type = type_of(st->st_mode)};
    cleanup_free char *target = NULL;
    cleanup_fd int fd = -1;
    int failed = 0;
    if (!e.type)
        return 0;
    if (e.type != '5' && st->st_nlink > 1) {
        e.linkname = inode_table_seen(&p->links, st->st_dev, st->st_ino, path, &failed);
        if (failed)
            return error_errno(err, ENOMEM, "read", path, "no memory for the table of hard links");
        if (e.linkname)
            e.type = '1';
    }
    if (e.type == '2') {
        e.linkname = target = read_link(parent, name);
        if (!target)
            return error_errno(err, errno, "read", path, "cannot read the link \"%.256s\"", path);
    }
    if (e.type == '0') {
        fd = open_file(parent, name, path, &now, err);
        if (fd < 0)
            return -1;
        e.size = (uint64_t)now.st_size;
    }
    e.mode = now.st_mode & 07777;
    e.uid = id_inside(p->ids, st->st_uid);
    e.gid = id_inside(p->ids, st->st_gid);
    if (!p->no_times)
        e.mtime = now.st_mtim;
    e.device_major = major(now.st_rdev);
    e.device_minor = minor(now.st_rdev);
    if (pack_header(p, parent, name, &e, err) < 0)
        return -1;
    return e.type == '0' ? pack_content(p->out, fd, e.size, path, err) : 0;
}

/* File systems whose content is the kernel's, not the container's. */
static bool is_kernel_fs(int fd) {
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return false;
    switch ((unsigned long)fs.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case DEVPTS_MAGIC:
    case MQUEUE_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case BPF_FS_MAGIC:
    case SECURITYFS_MAGIC:
        return true;
    default:
        return false;
    }
}

uint64_t pack_mount_id(int parent, const char *name) {
    struct statx sx;
    if (statx(parent, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &sx) < 0 ||
        !(sx.stx_mask & STATX_MNT_ID))
        return 0;
    return sx.stx_mnt_id;
}

/* What a mount covers cannot be seen; a mounted file is packed as the empty file that serves as its place. */
static int pack_mount_point(struct packer *p, int fd, const char *name, const char *path,
                            const struct stat *st, struct error *err) {
    struct tar_entry e = {.path = path, .type = '0', .mode = 0755, .mtime = st->st_mtim};
    if (S_ISDIR(st->st_mode))
        return pack_entry(p, fd, name, path, st, err);
    p->entries++;
    return tar_header(p->out, &e, err);
}

static int pack_child(struct packer *p, int fd, const char *name, const char *path, dev_t device, int depth,
                      struct error *err) {
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "read", path, "cannot stat \"%.256s\"", path);
    if (p->one_mount && pack_mount_id(fd, name) != p->mount)
        return pack_mount_point(p, fd, name, path, &st, err);
    if (pack_entry(p, fd, name, path, &st, err) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        return 0;
    cleanup_fd int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0)
        return error_errno(err, errno, "read", path, "cannot open \"%.256s\"", path);
    if (st.st_dev != device && is_kernel_fs(child))
        return 0;
    return pack_children(p, child, path, depth + 1, err);
}

int pack_children(struct packer *p, int fd, const char *path, int depth, struct error *err) {
    struct listing names;
    struct stat here;
    if (depth > WALK_DEPTH_LIMIT)
        return error_set(err, "resource_exhausted", "read", path, "the tree is more than %d directories deep",
                         WALK_DEPTH_LIMIT);
    if (fstat(fd, &here) < 0)
        return error_errno(err, errno, "read", path, "cannot stat \"%.256s\"", path);
    if (listing_read(&names, fd, path, err) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < names.count && result == 0; i++) {
        cleanup_free char *child = NULL;
        if (asprintf(&child, "%s%s%s", path, *path && path[strlen(path) - 1] != '/' ? "/" : "",
                     names.names[i]) < 0)
            result = error_errno(err, ENOMEM, "read", path, "no memory for a path");
        else
            result = pack_child(p, fd, names.names[i], child, here.st_dev, depth, err);
    }
    listing_free(&names);
    return result;
}

void packer_close(struct packer *p) {
    inode_table_free(&p->links);
}

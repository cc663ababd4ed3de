/* /dev of the container: default and listed devices, and the standard links. */
#include "cleanup.h"
#include "path.h"
#include "rootfs.h"
#include "state.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct device_spec default_devices[] = {
    {"/dev/null", S_IFCHR, 1, 3, 0666, 0, 0},    {"/dev/zero", S_IFCHR, 1, 5, 0666, 0, 0},
    {"/dev/full", S_IFCHR, 1, 7, 0666, 0, 0},    {"/dev/random", S_IFCHR, 1, 8, 0666, 0, 0},
    {"/dev/urandom", S_IFCHR, 1, 9, 0666, 0, 0}, {"/dev/tty", S_IFCHR, 5, 0, 0666, 0, 0},
};
enum { DEFAULT_DEVICES = sizeof(default_devices) / sizeof(default_devices[0]) };

const struct device_spec *rootfs_devices(struct arena *arena, const struct spec *spec, size_t *count) {
    struct device_spec *all = arena_array(arena, struct device_spec, DEFAULT_DEVICES + spec->device_count);
    size_t n = 0;
    for (size_t i = 0; i < DEFAULT_DEVICES; i++) {
        bool listed = false;
        for (size_t j = 0; j < spec->device_count; j++)
            listed = listed || strcmp(spec->devices[j].path, default_devices[i].path) == 0;
        if (!listed)
            all[n++] = default_devices[i];
    }
    for (size_t j = 0; j < spec->device_count; j++)
        all[n++] = spec->devices[j];
    *count = n;
    return all;
}

static int device_error(const struct device_spec *d, int number, struct error *err) {
    return error_errno(err, number, "devices", d->path, "create device node %s", d->path);
}

/* What stands there already must be the very device: an image's own /dev/null may be anything
 * (CVE-2025-31133). */
static int check_existing(const struct device_spec *d, int parent, const char *name, struct error *err) {
    struct stat st;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return device_error(d, errno, err);
    bool same = (st.st_mode & S_IFMT) == d->type &&
                (d->type == S_IFIFO || st.st_rdev == makedev((unsigned)d->major, (unsigned)d->minor));
    if (same)
        return 0;
    return error_set(err, "failed_precondition", "devices", d->path,
                     "%s exists in the container and is not the device %ld:%ld", d->path, (long)d->major,
                     (long)d->minor);
}

static int make_node(const struct device_spec *d, int parent, const char *name, struct error *err) {
    if (mknodat(parent, name, d->type | d->mode, makedev((unsigned)d->major, (unsigned)d->minor)) < 0) {
        if (errno == EEXIST)
            return check_existing(d, parent, name, err);
        return device_error(d, errno, err);
    }
    if ((d->uid || d->gid) && fchownat(parent, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return device_error(d, errno, err);
    return 0;
}

static bool is_device(const struct stat *st, const struct device_spec *d) {
    return (st->st_mode & S_IFMT) == d->type &&
           st->st_rdev == makedev((unsigned)d->major, (unsigned)d->minor);
}

/* The id on the host of one in the container; the id itself where nothing is mapped to it. */
static uint32_t host_id(const struct id_map *maps, size_t count, uint32_t id) {
    for (size_t i = 0; i < count; i++)
        if (id >= maps[i].container && id - maps[i].container < maps[i].size)
            return maps[i].host + (id - maps[i].container);
    return id;
}

int device_open_source(struct rootfs *rootfs, const struct device_spec *d, struct error *err) {
    const struct id_maps *maps = &rootfs->spec->maps;
    struct mount_attr usable = {.attr_clr = MOUNT_ATTR_NODEV}; /* /run often has nodev */
    struct stat st;
    char name[32];
    cleanup_fd int host = open(d->path, O_PATH | O_CLOEXEC);
    if (host >= 0 && fstat(host, &st) == 0 && is_device(&st, d)) {
        int tree = sys_open_tree(host, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        return tree >= 0 ? tree : device_error(d, errno, err);
    }
    snprintf(name, sizeof(name), STATE_DEVICE, rootfs->scratch_devices);
    mode_t mask = umask(0);
    int made =
        mknodat(rootfs->scratch_fd, name, d->type | d->mode, makedev((unsigned)d->major, (unsigned)d->minor));
    int number = errno;
    umask(mask);
    if (made < 0)
        return device_error(d, number, err);
    rootfs->scratch_devices++;
    if (fchownat(rootfs->scratch_fd, name, host_id(maps->uids, maps->uid_count, d->uid),
                 host_id(maps->gids, maps->gid_count, d->gid), AT_SYMLINK_NOFOLLOW) < 0)
        return device_error(d, errno, err);
    cleanup_fd int tree = sys_open_tree(rootfs->scratch_fd, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH, &usable) < 0)
        return device_error(d, errno, err);
    return fd_take(&tree);
}

/* In a user namespace mknod is not allowed: the host's node is bound over an empty file. */
static int bind_node(const struct rootfs *rootfs, const struct device_spec *d, int source,
                     struct error *err) {
    cleanup_fd int tree = source;
    cleanup_fd int target = path_make_file(rootfs->fd, d->path, err);
    if (target < 0)
        return -1;
    if (sys_move_mount(tree, target) < 0)
        return error_errno(err, errno, "devices", d->path, "bind device %s", d->path);
    return 0;
}

static int make_device(const struct rootfs *rootfs, const struct device_spec *d, int dev, int source,
                       struct error *err) {
    char name[256];
    if (source < 0 && rootfs->new_userns && d->type != S_IFIFO &&
        (source = mount_clone_source(d->path, false, err)) < 0)
        return -1;
    if (source >= 0)
        return bind_node(rootfs, d, source, err);
    /* The usual place is at hand as a descriptor that is known not to be a link. */
    const char *in_dev = strncmp(d->path, "/dev/", 5) == 0 ? d->path + 5 : NULL;
    if (in_dev && *in_dev && !strchr(in_dev, '/') && strcmp(in_dev, "..") != 0 && strcmp(in_dev, ".") != 0)
        return make_node(d, dev, in_dev, err);
    cleanup_fd int parent = path_make_parent(rootfs->fd, d->path, name, err);
    return parent < 0 ? -1 : make_node(d, parent, name, err);
}

static int make_link(int dev, const char *name, const char *text, struct error *err) {
    char have[PATH_MAX];
    if (symlinkat(text, dev, name) == 0)
        return 0;
    int number = errno;
    if (number == EEXIST) {
        ssize_t length = readlinkat(dev, name, have, sizeof(have) - 1);
        if (length >= 0)
            return 0; /* a link of the image's own; it can lead nowhere but into the container */
        return errno == EINVAL ? 0 : error_errno(err, errno, "devices", name, "read link /dev/%s", name);
    }
    return error_errno(err, number, "devices", name, "create link /dev/%s", name);
}

static int make_links(int dev, struct error *err) {
    static const struct {
        const char *name, *text;
    } links[] = {
        {"fd", "/proc/self/fd"},
        {"stdin", "/proc/self/fd/0"},
        {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"},
    };
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (make_link(dev, links[i].name, links[i].text, err) < 0)
            return -1;
    /* /proc/kcore is masked or harmless; Docker's images expect the link where the file exists. */
    if (access("/proc/kcore", F_OK) == 0 && make_link(dev, "core", "/proc/kcore", err) < 0)
        return -1;
    /* ptmx must be this container's devpts, never a node of the image. */
    if (unlinkat(dev, "ptmx", 0) < 0 && errno != ENOENT)
        return error_errno(err, errno, "devices", "/dev/ptmx", "replace /dev/ptmx");
    return make_link(dev, "ptmx", "pts/ptmx", err);
}

static bool dev_is_bound(const struct spec *spec) {
    for (size_t i = 0; i < spec->mount_count; i++) {
        const char *d = spec->mounts[i].destination;
        if (spec->mounts[i].bind &&
            (strcmp(d, "/dev") == 0 || strcmp(d, "/dev/") == 0 || strcmp(d, "dev") == 0))
            return true;
    }
    return false;
}

int rootfs_make_devices(struct rootfs *rootfs, struct error *err) {
    struct arena arena = {0};
    size_t count;
    int result = 0;
    if (dev_is_bound(rootfs->spec))
        return 0;
    /* An image whose /dev is a link would have us make nodes wherever it points (crun CVE-2026-47766). */
    cleanup_fd int dev = path_open_plain(rootfs->fd, "/dev", O_PATH | O_DIRECTORY, err);
    if (dev < 0 && err->number == ENOENT)
        dev = path_make_directory(rootfs->fd, "/dev", 0755, err);
    if (dev < 0)
        return -1;
    const struct device_spec *devices = rootfs_devices(&arena, rootfs->spec, &count);
    mode_t mask = umask(0);
    for (size_t i = 0; i < count && result == 0; i++)
        result = make_device(rootfs, &devices[i], dev,
                             rootfs->device_sources ? rootfs->device_sources[i] : -1, err);
    umask(mask);
    arena_free(&arena);
    return result == 0 ? make_links(dev, err) : -1;
}

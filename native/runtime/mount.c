/*
 * One `mounts` entry → one detached mount with its final attributes → attached at a descriptor of its
 * destination. There is no moment at which it is visible with other flags, and no path is resolved twice.
 */
#include "cleanup.h"
#include "copy_up.h"
#include "path.h"
#include "rootfs.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int mount_error(const struct mount_spec *m, int number, const char *what, struct error *err) {
    return error_errno(err, number, "mount", m->destination, "mount %s to %s: %s",
                       m->source && *m->source ? m->source : m->type, m->destination, what);
}

int mount_set_attributes(int mount_fd, const struct mount_spec *m, struct error *err) {
    uint64_t one_set = m->attr_set, one_clear = m->attr_clear;
    struct mount_attr one = {.attr_set = one_set, .attr_clr = one_clear};
    struct mount_attr tree = {.attr_set = m->attr_rec_set, .attr_clr = m->attr_rec_clear};
    if (m->propagation_recursive)
        tree.propagation = m->propagation;
    else
        one.propagation = m->propagation;
    if ((one.attr_set | one.attr_clr | one.propagation) &&
        sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH, &one) < 0)
        return mount_error(m, errno, "set mount attributes", err);
    if ((tree.attr_set | tree.attr_clr | tree.propagation) &&
        sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &tree) < 0)
        return mount_error(m, errno, "set recursive mount attributes", err);
    return 0;
}

int mount_clone_source(const char *source, bool recursive, struct error *err) {
    int fd =
        sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
    return fd >= 0 ? fd : error_errno(err, errno, "mount", source, "bind mount source %s", source);
}

/* The kernel's own words about a refused option ("tmpfs: Unknown parameter 'x'"), if it left any. */
static int fs_error(int fs, const struct mount_spec *m, const char *what, struct error *err) {
    char log[256];
    int number = errno;
    ssize_t length = read(fs, log, sizeof(log) - 1);
    if (length <= 2)
        return mount_error(m, number, what, err);
    log[length] = '\0';
    char text[400];
    snprintf(text, sizeof(text), "%s (%s)", what, log + 2);
    return mount_error(m, number, text, err);
}

static int set_option(int fs, const char *option) {
    char key[256];
    const char *equals = strchr(option, '=');
    if (!equals)
        return sys_fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
    if ((size_t)(equals - option) >= sizeof(key)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(key, option, (size_t)(equals - option));
    key[equals - option] = '\0';
    return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
}

static int set_sb_flags(int fs, uint64_t flags) {
    static const struct {
        uint64_t flag;
        const char *word;
    } words[] = {{MS_SYNCHRONOUS, "sync"},
                 {MS_DIRSYNC, "dirsync"},
                 {MS_MANDLOCK, "mand"},
                 {MS_LAZYTIME, "lazytime"},
                 {MS_I_VERSION, "iversion"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if ((flags & words[i].flag) && sys_fsconfig(fs, FSCONFIG_SET_FLAG, words[i].word, NULL, 0) < 0)
            return -1;
    return 0;
}

/* A tmpfs covers its destination with the same permissions, unless told otherwise; where nothing was
 * (covered < 0) it keeps the kernel's, which are everybody's. */
static int inherit_mode(int fs, const struct mount_spec *m, int covered) {
    char mode[16];
    struct stat st;
    if (covered < 0 || strcmp(m->type, "tmpfs") != 0)
        return 0;
    for (size_t i = 0; i < m->data_count; i++)
        if (strncmp(m->data[i], "mode=", 5) == 0)
            return 0;
    if (fstat(covered, &st) < 0)
        return -1;
    snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777);
    return sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", mode, 0);
}

static bool takes_label(const char *type) {
    return strcmp(type, "proc") != 0 && strcmp(type, "sysfs") != 0 &&
           access("/sys/fs/selinux/enforce", F_OK) == 0;
}

/* A new file system instance as a detached mount. */
static int new_fs(const struct rootfs *rootfs, const struct mount_spec *m, int covered, struct error *err) {
    cleanup_fd int fs = sys_fsopen(m->type);
    if (fs < 0)
        return mount_error(m, errno, "open file system type", err);
    if (m->source && *m->source && sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source, 0) < 0)
        return fs_error(fs, m, "set source", err);
    for (size_t i = 0; i < m->data_count; i++)
        if (set_option(fs, m->data[i]) < 0)
            return fs_error(fs, m, m->data[i], err);
    if (rootfs->spec->mount_label && takes_label(m->type) &&
        sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", rootfs->spec->mount_label, 0) < 0)
        return fs_error(fs, m, "set SELinux context", err);
    if (set_sb_flags(fs, m->sb_flags) < 0 || inherit_mode(fs, m, covered) < 0)
        return fs_error(fs, m, "set options", err);
    if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return fs_error(fs, m, "create file system", err);
    /* Read-only comes last if the tmpfs is to be filled first. */
    uint64_t attributes = m->copy_up ? m->attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY : m->attr_set;
    int mount_fd = sys_fsmount(fs, (unsigned)attributes);
    return mount_fd >= 0 ? mount_fd : fs_error(fs, m, "mount file system", err);
}

/* Normal form of a destination for comparisons only: one leading slash, no double or trailing ones, no "."
 * parts. */
static void clean_path(const char *path, char *out, size_t room) {
    size_t used = 0;
    while (*path && used + 2 < room) {
        path += strspn(path, "/");
        size_t length = strcspn(path, "/");
        if (length == 0)
            break;
        if (length == 1 && path[0] == '.') {
            path += length;
            continue;
        }
        out[used++] = '/';
        for (size_t i = 0; i < length && used + 1 < room; i++)
            out[used++] = path[i];
        path += length;
    }
    if (used == 0)
        out[used++] = '/';
    out[used] = '\0';
}

static bool under(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/*
 * /proc must be a real procfs, and nothing may be put over its files but what lxcfs provides: security
 * labels, sysctls and masks are written through it (CVE-2019-16884, 2019-19921).
 */
static int check_proc(const struct mount_spec *m, int mount_fd, const char *destination, struct error *err) {
    static const char *const allowed[] = {
        "/proc/cpuinfo",
        "/proc/diskstats",
        "/proc/meminfo",
        "/proc/stat",
        "/proc/swaps",
        "/proc/uptime",
        "/proc/loadavg",
        "/proc/slabinfo",
        "/proc/net/dev",
        "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/crypto/fips_enabled",
    };
    if (!under(destination, "/proc"))
        return 0;
    if (strcmp(destination, "/proc") == 0) {
        if (path_fs_magic(mount_fd) == PROC_SUPER_MAGIC)
            return 0;
        return error_set(err, "invalid_argument", "mount", m->destination,
                         "\"%s\" cannot be mounted because it is not of type proc", m->destination);
    }
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        if (strcmp(destination, allowed[i]) == 0)
            return 0;
    if (strncmp(destination, "/proc/sys/net/", 14) == 0 && path_fs_magic(mount_fd) == PROC_SUPER_MAGIC)
        return 0;
    return error_set(err, "invalid_argument", "mount", m->destination,
                     "\"%s\" cannot be mounted because it is inside /proc", m->destination);
}

/* The destination as a descriptor, made if missing. /proc and /sys may not be links (CVE-2023-27561). */
static int open_target(const struct rootfs *rootfs, const struct mount_spec *m, bool directory,
                       const char *clean, struct error *err) {
    if (m->type && (strcmp(m->type, "proc") == 0 || strcmp(m->type, "sysfs") == 0)) {
        int fd = path_open_plain(rootfs->fd, clean, O_PATH | O_DIRECTORY, err);
        if (fd >= 0 || err->number != ENOENT)
            return fd >= 0
                       ? fd
                       : error_wrap(err, "mount %s: must be mounted on ordinary directory", m->destination);
    }
    int fd = directory ? path_make_directory(rootfs->fd, clean, 0755, err)
                       : path_make_file(rootfs->fd, clean, err);
    return fd >= 0 ? fd : error_wrap(err, "create mountpoint for %s mount", m->destination);
}

static int attach(const struct mount_spec *m, int mount_fd, int target, struct error *err) {
    if (sys_move_mount(mount_fd, target) == 0)
        return 0;
    int number = errno;
    struct stat from, to;
    /* Of a directory on a file, and the other way round, the kernel says EINVAL here; mount(2) says it
     * better. */
    if (number == EINVAL && fstat(mount_fd, &from) == 0 && fstat(target, &to) == 0 &&
        S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode))
        number = ENOTDIR;
    return mount_error(m, number, "attach", err);
}

static int mount_bind(struct rootfs *rootfs, const struct mount_spec *m, int prepared, const char *clean,
                      struct error *err) {
    struct stat st;
    cleanup_fd int tree = prepared >= 0 ? prepared : mount_clone_source(m->source, m->recursive, err);
    if (tree < 0)
        return -1;
    if (fstat(tree, &st) < 0)
        return mount_error(m, errno, "stat source", err);
    if (check_proc(m, tree, clean, err) < 0)
        return -1;
    cleanup_fd int target = open_target(rootfs, m, S_ISDIR(st.st_mode), clean, err);
    struct mount_spec whole = *m;
    /* The host's /sys brings its cgroups along, which a plain "ro" would leave writable (CVE-2023-25809). */
    if (strcmp(clean, "/sys") == 0 && m->recursive && (m->attr_set & MOUNT_ATTR_RDONLY))
        whole.attr_rec_set |= MOUNT_ATTR_RDONLY;
    if (target < 0 || mount_set_attributes(tree, &whole, err) < 0)
        return -1;
    return attach(m, tree, target, err);
}

static int mount_fs(struct rootfs *rootfs, const struct mount_spec *m, const char *clean, struct error *err) {
    struct error absent = {0};
    cleanup_fd int covered = path_open(rootfs->fd, clean, O_PATH, &absent);
    cleanup_fd int target = open_target(rootfs, m, true, clean, err);
    if (target < 0)
        return -1;
    struct mount_spec first = *m;
    if (strcmp(clean, "/dev") == 0 && strcmp(m->type, "tmpfs") == 0 &&
        ((m->attr_set | m->attr_rec_set) & MOUNT_ATTR_RDONLY)) {
        first.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
        first.attr_rec_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
        rootfs->dev_readonly = true;
    }
    cleanup_fd int mount_fd = new_fs(rootfs, &first, covered, err);
    if (mount_fd < 0 || check_proc(m, mount_fd, clean, err) < 0)
        return -1;
    if (m->copy_up && copy_up(target, mount_fd, m->destination, err) < 0)
        return -1;
    /* fsmount has set attr_set; what is left: recursive ones, propagation, late read-only */
    struct mount_spec rest = first;
    rest.attr_clear = 0;
    rest.attr_set = m->copy_up ? first.attr_set & MOUNT_ATTR_RDONLY : 0;
    if (mount_set_attributes(mount_fd, &rest, err) < 0)
        return -1;
    return attach(m, mount_fd, target, err);
}

static int remount(struct rootfs *rootfs, const struct mount_spec *m, const char *clean, struct error *err) {
    cleanup_fd int target = path_open(rootfs->fd, clean, O_PATH, err);
    if (target < 0)
        return -1;
    if (m->data_count) {
        cleanup_fd int fs = (int)syscall(SYS_fspick, target, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
        if (fs < 0)
            return mount_error(m, errno, "remount", err);
        for (size_t i = 0; i < m->data_count; i++)
            if (set_option(fs, m->data[i]) < 0)
                return fs_error(fs, m, m->data[i], err);
        if (sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
            return fs_error(fs, m, "remount", err);
    }
    return mount_set_attributes(target, m, err);
}

/* cgroup v2, or without a hierarchy of its own: the container's own cgroup (or, without a cgroup namespace,
 * all of them). */
static int mount_cgroup2(struct rootfs *rootfs, const struct mount_spec *m, const char *clean,
                         struct error *err) {
    char source[CGROUP_PATH_MAX];
    bool own = rootfs->spec->namespaces[NS_CGROUP].listed && rootfs->cgroup->path[0];
    snprintf(source, sizeof(source), "/sys/fs/cgroup%s", own ? rootfs->cgroup->path : "");
    cleanup_fd int tree = mount_clone_source(source, false, err);
    if (tree < 0)
        return -1;
    cleanup_fd int target = open_target(rootfs, m, true, clean, err);
    if (target < 0 || mount_set_attributes(tree, m, err) < 0)
        return -1;
    return attach(m, tree, target, err);
}

/* One v1 hierarchy below /sys/fs/cgroup, and links for the single names of one that is mounted as
 * "cpu,cpuacct". */
static int mount_hierarchy(const struct mount_spec *m, const struct cgroup *cgroup, size_t index, int base,
                           struct error *err) {
    const struct cgroup_hierarchy *h = &cgroup->hierarchies[index];
    char source[CGROUP_PATH_MAX], single[CGROUP_NAME_MAX];
    snprintf(source, sizeof(source), "/sys/fs/cgroup/%s%s", h->directory, cgroup->path);
    cleanup_fd int tree = mount_clone_source(source, false, err);
    if (tree < 0)
        return -1;
    if (mkdirat(base, h->directory, 0755) < 0 && errno != EEXIST)
        return mount_error(m, errno, h->directory, err);
    cleanup_fd int target = openat(base, h->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0 || mount_set_attributes(tree, m, err) < 0)
        return target < 0 ? mount_error(m, errno, h->directory, err) : -1;
    if (attach(m, tree, target, err) < 0)
        return -1;
    for (const char *at = h->directory; strchr(h->directory, ',') && *at;) {
        size_t length = strcspn(at, ",");
        snprintf(single, sizeof(single), "%.*s", (int)length, at);
        if (symlinkat(h->directory, base, single) < 0 && errno != EEXIST)
            return mount_error(m, errno, single, err);
        at += length + (at[length] == ',');
    }
    return 0;
}

/* cgroup v1: a tmpfs with one directory a hierarchy, on each of which the container's own cgroup is bound. */
static int mount_cgroup1(struct rootfs *rootfs, const struct mount_spec *m, const char *clean,
                         struct error *err) {
    static const char *mode[] = {"mode=755", NULL};
    struct mount_spec base = *m;
    base.type = "tmpfs";
    base.source = "tmpfs";
    base.data = mode;
    base.data_count = 1;
    base.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
    base.attr_rec_set = base.attr_rec_clear = 0;
    cleanup_fd int target = open_target(rootfs, m, true, clean, err);
    if (target < 0)
        return -1;
    cleanup_fd int tmpfs = new_fs(rootfs, &base, target, err);
    if (tmpfs < 0 || attach(m, tmpfs, target, err) < 0)
        return -1;
    for (size_t i = 0; i < rootfs->cgroup->hierarchy_count; i++)
        if (!rootfs->cgroup->hierarchies[i].unified && mount_hierarchy(m, rootfs->cgroup, i, tmpfs, err) < 0)
            return -1;
    struct mount_attr readonly = {.attr_set = m->attr_set & MOUNT_ATTR_RDONLY};
    if (readonly.attr_set && sys_mount_setattr(tmpfs, "", AT_EMPTY_PATH, &readonly) < 0)
        return mount_error(m, errno, "make read-only", err);
    return 0;
}

static int mount_one(struct rootfs *rootfs, size_t index, struct error *err) {
    const struct mount_spec *m = &rootfs->spec->mounts[index];
    int prepared = rootfs->mount_sources ? rootfs->mount_sources[index] : -1;
    char clean[4096];
    if (strlen(m->destination) >= sizeof(clean) - 1)
        return mount_error(m, ENAMETOOLONG, "destination", err);
    clean_path(m->destination, clean, sizeof(clean));
    if (strcmp(clean, "/") == 0 && !m->remount)
        return error_set(err, "invalid_argument", "mount", m->destination,
                         "mount destination \"%s\" is the root itself", m->destination);
    if (m->remount)
        return remount(rootfs, m, clean, err);
    if (m->bind)
        return mount_bind(rootfs, m, prepared, clean, err);
    if (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0) {
        if (rootfs->await_cgroups(rootfs->await_context, err) < 0)
            return -1;
        if (rootfs->cgroup->version == 2)
            return mount_cgroup2(rootfs, m, clean, err);
        return mount_cgroup1(rootfs, m, clean, err);
    }
    return mount_fs(rootfs, m, clean, err);
}

int rootfs_mount_all(struct rootfs *rootfs, struct error *err) {
    for (size_t i = 0; i < rootfs->spec->mount_count; i++)
        if (mount_one(rootfs, i, err) < 0)
            return -1;
    return 0;
}

int rootfs_open_sources(struct rootfs *rootfs, struct arena *arena, struct error *err) {
    const struct spec *spec = rootfs->spec;
    size_t devices;
    struct mount_attr slave = {.propagation = MS_SLAVE};
    rootfs->mount_sources = arena_array(arena, int, spec->mount_count + 1);
    /* An unprivileged caller cannot copy mounts outside its user namespace: there init opens them, inside. */
    bool ours = rootfs->new_userns && geteuid() == 0;
    for (size_t i = 0; i < spec->mount_count; i++) {
        const struct mount_spec *m = &spec->mounts[i];
        rootfs->mount_sources[i] = -1;
        if (!m->bind || m->remount || !(ours || m->idmap != IDMAP_NONE))
            continue;
        int fd = rootfs->mount_sources[i] = mount_clone_source(m->source, m->recursive, err);
        if (fd < 0)
            return -1;
        /* A copy made here is a peer of the host's mount; what the container mounts below it must not show
         * here. */
        if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &slave) < 0)
            return mount_error(m, errno, "make slave", err);
    }
    if (!ours)
        return 0;
    const struct device_spec *device = rootfs_devices(arena, spec, &devices);
    rootfs->device_sources = arena_array(arena, int, devices + 1);
    for (size_t i = 0; i < devices; i++)
        if (device[i].type == S_IFIFO)
            rootfs->device_sources[i] = -1;
        else if ((rootfs->device_sources[i] = device_open_source(rootfs, &device[i], err)) < 0)
            return -1;
    return 0;
}

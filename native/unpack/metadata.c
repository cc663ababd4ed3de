#include "metadata.h"

#include "overlay.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct timespec clamp_time(time_t seconds, long nanoseconds) {
    struct timespec t = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    if (t.tv_nsec < 0 || t.tv_nsec > 999999999)
        t.tv_nsec = 0;
    /* libarchive takes "-1.5" apart as -1 and +0.5; the kernel counts nanoseconds upwards from -2. */
    if (t.tv_sec < 0 && t.tv_nsec > 0) {
        t.tv_sec--;
        t.tv_nsec = 1000000000 - t.tv_nsec;
    }
    return t;
}

int metadata_read(struct metadata *m, struct archive_entry *entry, const char *path, struct error *err) {
    int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
    /* 4294967295 is (uid_t)-1, which means "leave as it is" to chown. */
    if (uid < 0 || uid > UINT32_MAX - 1 || gid < 0 || gid > UINT32_MAX - 1)
        return error_set(err, "invalid_argument", "owner", path,
                         "the entry \"%.256s\" has the impossible owner %lld:%lld", path, (long long)uid,
                         (long long)gid);
    m->uid = (uint32_t)uid;
    m->gid = (uint32_t)gid;
    m->mode = archive_entry_perm(entry) & 07777;
    m->times[1] = clamp_time(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry));
    m->times[0] = archive_entry_atime_is_set(entry)
                      ? clamp_time(archive_entry_atime(entry), archive_entry_atime_nsec(entry))
                      : m->times[1];
    return 0;
}

static int apply_xattrs(int parent, const char *name, int fd, struct archive_entry *entry, uint64_t *skipped,
                        struct error *err) {
    const char *key;
    const void *value;
    size_t size;
    char path[320] = "";
    if (archive_entry_xattr_reset(entry) == 0)
        return 0;
    while (archive_entry_xattr_next(entry, &key, &value, &size) == ARCHIVE_OK) {
        if (overlay_is_private_xattr(key))
            continue;
        if (fd < 0 && !*path)
            overlay_entry_path(path, parent, *name ? name : ".");
        int result = fd >= 0 ? fsetxattr(fd, key, value, size, 0) : lsetxattr(path, key, value, size, 0);
        if (result == 0)
            continue;
        if (errno != EOPNOTSUPP)
            return error_errno(err, errno, "xattr", name, "cannot set the attribute %.128s of \"%.256s\"",
                               key, name);
        (*skipped)++;
    }
    return 0;
}

int metadata_apply(const struct metadata *m, int parent, const char *name, int fd, mode_t type,
                   mode_t made_mode, struct archive_entry *entry, uint64_t *skipped, struct error *err) {
    const char *at = *name ? name : ".";
    bool owned = m->uid != 0 || m->gid != 0 || made_mode == (mode_t)-1;
    if (owned && (fd >= 0 ? fchown(fd, m->uid, m->gid)
                          : fchownat(parent, at, m->uid, m->gid, AT_SYMLINK_NOFOLLOW)) < 0)
        return error_errno(err, errno, "owner", name, "cannot change the owner of \"%.256s\"", name);
    if (!S_ISLNK(type) && (m->mode != made_mode || (owned && (m->mode & 06000)))) {
        /* glibc makes NOFOLLOW work through an O_PATH descriptor, so a link put here meanwhile is an error.
         */
        if ((fd >= 0 ? fchmod(fd, m->mode) : fchmodat(parent, at, m->mode, AT_SYMLINK_NOFOLLOW)) < 0)
            return error_errno(err, errno, "mode", name, "cannot change the mode of \"%.256s\"", name);
    }
    if (apply_xattrs(parent, name, fd, entry, skipped, err) < 0)
        return -1;
    if (S_ISDIR(type))
        return 0; /* later: extract.c */
    if ((fd >= 0 ? futimens(fd, m->times) : utimensat(parent, at, m->times, AT_SYMLINK_NOFOLLOW)) < 0)
        return error_errno(err, errno, "times", name, "cannot set the times of \"%.256s\"", name);
    return 0;
}

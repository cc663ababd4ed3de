#include "usage.h"

#include "inode_table.h"
#include "lib/cleanup.h"
#include "listing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct measure {
    struct usage *usage;
    struct inode_table seen;
    dev_t device;
    struct error *err;
};

/* Order does not matter here, so entries are counted as the directory gives them. */
static int measure_directory(struct measure *m, int fd, int depth) {
    cleanup_dir DIR *dir = fdopendir(fd);
    struct dirent *entry;
    if (!dir) {
        close(fd);
        return error_errno(m->err, errno, "usage", NULL, "cannot read a directory");
    }
    if (depth > WALK_DEPTH_LIMIT)
        return error_set(m->err, "resource_exhausted", "usage", NULL,
                         "the tree is more than %d directories deep", WALK_DEPTH_LIMIT);
    while ((errno = 0, entry = readdir(dir))) {
        struct stat st;
        int failed = 0;
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno == ENOENT)
                continue;
            return error_errno(m->err, errno, "usage", name, "cannot stat \"%.256s\"", name);
        }
        if (st.st_dev != m->device)
            continue;
        if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 &&
            inode_table_seen(&m->seen, st.st_dev, st.st_ino, "", &failed))
            continue;
        if (failed)
            return error_errno(m->err, ENOMEM, "usage", NULL, "no memory for the table of hard links");
        if (!S_ISDIR(st.st_mode))
            m->usage->size_bytes += (uint64_t)st.st_size;
        m->usage->inodes++;
        if (!S_ISDIR(st.st_mode))
            continue;
        int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0 && errno == ENOENT)
            continue;
        if (child < 0)
            return error_errno(m->err, errno, "usage", name, "cannot open \"%.256s\"", name);
        if (measure_directory(m, child, depth + 1) < 0)
            return -1;
    }
    return errno == 0 ? 0 : error_errno(m->err, errno, "usage", NULL, "cannot read a directory");
}

int usage_measure(int fd, struct usage *usage, struct error *err) {
    struct stat st;
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0 || fstat(copy, &st) < 0) {
        fd_close(&copy);
        return error_errno(err, errno, "usage", NULL, "cannot open the directory");
    }
    *usage = (struct usage){.inodes = 1};
    struct measure m = {.usage = usage, .device = st.st_dev, .err = err};
    int result = measure_directory(&m, copy, 0);
    inode_table_free(&m.seen);
    return result;
}

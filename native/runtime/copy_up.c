#include "copy_up.h"

#include "cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 64 };

static int copy_directory(int from, int to, int depth);

static int copy_attributes(int parent, const char *name, const struct stat *st) {
    struct timespec times[2] = {st->st_atim, st->st_mtim};
    if (fchownat(parent, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (!S_ISLNK(st->st_mode) && fchmodat(parent, name, st->st_mode & 07777, 0) < 0)
        return -1;
    return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_file(int from, int to, const char *name, const struct stat *st) {
    cleanup_fd int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (in < 0)
        return -1;
    cleanup_fd int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (out < 0)
        return -1;
    for (off_t left = st->st_size; left > 0;) {
        ssize_t sent = sendfile(out, in, NULL, left > (1 << 30) ? 1 << 30 : (size_t)left);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return -1;
        if (sent == 0) /* it shrank meanwhile */
            break;
        left -= sent;
    }
    return 0;
}

static int copy_entry(int from, int to, const char *name, int depth) {
    struct stat st;
    char link[PATH_MAX];
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -1;
    if (S_ISLNK(st.st_mode)) {
        ssize_t length = readlinkat(from, name, link, sizeof(link) - 1);
        if (length < 0)
            return -1;
        link[length] = '\0';
        if (symlinkat(link, to, name) < 0)
            return -1;
    } else if (S_ISREG(st.st_mode)) {
        if (copy_file(from, to, name, &st) < 0)
            return -1;
    } else if (S_ISDIR(st.st_mode)) {
        if (mkdirat(to, name, 0700) < 0)
            return -1;
        cleanup_fd int in = openat(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        cleanup_fd int out = openat(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (in < 0 || out < 0 || copy_directory(in, out, depth + 1) < 0)
            return -1;
    } else {
        return 0;
    }
    return copy_attributes(to, name, &st);
}

static int copy_directory(int from, int to, int depth) {
    if (depth > MAX_DEPTH) {
        errno = ELOOP;
        return -1;
    }
    int listing = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_dir DIR *dir = listing < 0 ? NULL : fdopendir(listing);
    if (!dir)
        return -1;
    for (struct dirent *entry; (errno = 0, entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (copy_entry(from, to, entry->d_name, depth) < 0)
            return -1;
    }
    return errno ? -1 : 0;
}

int copy_up(int from, int to, const char *name, struct error *err) {
    if (copy_directory(from, to, 0) < 0)
        return error_errno(err, errno, "tmpcopyup", name, "copy the content of %s into its tmpfs", name);
    return 0;
}

#include "path.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

enum { MAX_LINKS = 40, MAX_RACES = 64 };

static int open_resolved(int root, const char *path, int flags, uint64_t resolve, mode_t mode) {
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = resolve | RESOLVE_NO_MAGICLINKS,
    };
    int fd, races = 0;
    do /* EAGAIN: something was renamed or mounted meanwhile, so the kernel could not vouch for ".." */
        fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
    while (fd < 0 && (errno == EAGAIN || errno == EINTR) && races++ < MAX_RACES);
    return fd;
}

int path_try_open(int root, const char *path, int flags) {
    return open_resolved(root, path, flags, RESOLVE_IN_ROOT, 0);
}

int path_open(int root, const char *path, int flags, struct error *err) {
    int fd = open_resolved(root, path, flags, RESOLVE_IN_ROOT, 0);
    return fd >= 0 ? fd : error_errno(err, errno, "open", path, "open %s in the container", path);
}

int path_open_plain(int root, const char *path, int flags, struct error *err) {
    struct stat st;
    /* O_DIRECTORY is checked here: with it the kernel would call a link "not a directory" and hide the
     * reason. */
    cleanup_fd int fd = open_resolved(root, path, (flags & ~O_DIRECTORY) | O_NOFOLLOW,
                                      RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, 0);
    if (fd < 0 && errno != ELOOP)
        return error_errno(err, errno, "open", path, "open %s in the container", path);
    if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode))
        return error_set(err, "invalid_argument", "open", path,
                         "%s must not be, or be reached through, a symbolic link", path);
    if ((flags & O_DIRECTORY) && !S_ISDIR(st.st_mode))
        return error_errno(err, ENOTDIR, "open", path, "open %s in the container", path);
    return fd_take(&fd);
}

/*
 * The slow walk, for paths of which a part is missing. `resolved` is the part already walked, without any
 * link; `rest` is what remains. Both are relative to the root.
 */
struct walk {
    int root;
    const char *path; /* as given, for messages */
    char resolved[PATH_MAX], rest[PATH_MAX];
    int links;
    struct error *err;
};

static int walk_too_long(struct walk *w) {
    return error_errno(w->err, ENAMETOOLONG, "resolve", w->path, "%s", w->path);
}

/* Takes the next component off w->rest into name. 0 at the end of the path. */
static int walk_next(struct walk *w, char name[static 256]) {
    char *start = w->rest + strspn(w->rest, "/");
    size_t length = strcspn(start, "/");
    if (length == 0)
        return 0;
    if (length > 255)
        return walk_too_long(w);
    memcpy(name, start, length);
    name[length] = '\0';
    memmove(w->rest, start + length, strlen(start + length) + 1);
    return 1;
}

static void walk_up(struct walk *w) {
    char *slash = strrchr(w->resolved, '/');
    *(slash ? slash : w->resolved) = '\0';
}

static int walk_down(struct walk *w, const char *name) {
    size_t used = strlen(w->resolved), length = strlen(name);
    if (used + length + 2 > sizeof(w->resolved))
        return walk_too_long(w);
    if (used)
        w->resolved[used++] = '/';
    memcpy(w->resolved + used, name, length + 1);
    return 0;
}

/* Puts the link's text in front of what remains; an absolute one begins at the root again. */
static int walk_link(struct walk *w, int link) {
    char text[PATH_MAX], rest[PATH_MAX];
    ssize_t length = readlinkat(link, "", text, sizeof(text) - 1);
    if (length < 0)
        return error_errno(w->err, errno, "resolve", w->path, "read link in %s", w->path);
    text[length] = '\0';
    if (++w->links > MAX_LINKS)
        return error_errno(w->err, ELOOP, "resolve", w->path, "%s", w->path);
    if ((size_t)length + strlen(w->rest) + 2 > sizeof(rest))
        return walk_too_long(w);
    strcpy(rest, text);
    strcat(rest, "/");
    strcat(rest, w->rest);
    strcpy(w->rest, rest);
    if (text[0] == '/')
        w->resolved[0] = '\0';
    return 0;
}

/* Opens w->resolved/name without following anything. */
static int walk_open(struct walk *w, const char *name) {
    char full[PATH_MAX + 256];
    snprintf(full, sizeof(full), "%s%s%s", w->resolved, *w->resolved ? "/" : "", name);
    return open_resolved(w->root, full, O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, 0);
}

static bool walk_at_end(const struct walk *w) {
    return w->rest[strspn(w->rest, "/")] == '\0';
}

/* Makes name in w->resolved: a file if it is the last one and a file is wanted, else a directory. */
static int walk_make(struct walk *w, const char *name, bool file, mode_t mode) {
    cleanup_fd int parent =
        open_resolved(w->root, w->resolved, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, 0);
    if (parent < 0)
        return error_errno(w->err, errno, "resolve", w->path, "open parent of %s", w->path);
    bool last = walk_at_end(w);
    if (last && file) {
        int made = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
        if (made < 0 && errno != EEXIST)
            return error_errno(w->err, errno, "create", w->path, "create file %s", w->path);
        fd_close(&made);
        return 0;
    }
    if (mkdirat(parent, name, last ? mode : 0755) < 0 && errno != EEXIST)
        return error_errno(w->err, errno, "mkdir", w->path, "create directory %s", w->path);
    return 0;
}

/* One component: follow, descend or make. Returns 0 to go on, or -1. */
static int walk_step(struct walk *w, const char *name, bool file, mode_t mode) {
    struct stat st;
    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) {
        walk_up(w);
        return 0;
    }
    cleanup_fd int fd = walk_open(w, name);
    if (fd < 0 && errno == ENOENT) {
        if (walk_make(w, name, file, mode) < 0)
            return -1;
        fd = walk_open(w, name);
    }
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(w->err, errno, "resolve", w->path, "%s", w->path);
    return S_ISLNK(st.st_mode) ? walk_link(w, fd) : walk_down(w, name);
}

static int walk_begin(struct walk *w, int root, const char *path, struct error *err) {
    w->root = root;
    w->path = path;
    w->links = 0;
    w->err = err;
    w->resolved[0] = '\0';
    if (strlen(path) >= sizeof(w->rest))
        return walk_too_long(w);
    strcpy(w->rest, path);
    return 0;
}

static int make(int root, const char *path, bool file, mode_t mode, struct error *err) {
    struct walk w;
    char name[256];
    int more;
    if (walk_begin(&w, root, path, err) < 0)
        return -1;
    while ((more = walk_next(&w, name)) > 0)
        if (walk_step(&w, name, file, mode) < 0)
            return -1;
    if (more < 0)
        return -1;
    int fd = open_resolved(root, w.resolved, O_PATH | (file ? 0 : O_DIRECTORY),
                           RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, 0);
    return fd >= 0 ? fd : error_errno(err, errno, "resolve", path, "%s", path);
}

int path_make_directory(int root, const char *path, mode_t mode, struct error *err) {
    int fd = open_resolved(root, path, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd >= 0 ? fd : error_errno(err, errno, "resolve", path, "%s", path);
    return make(root, path, false, mode, err);
}

int path_make_file(int root, const char *path, struct error *err) {
    int fd = open_resolved(root, path, O_PATH, RESOLVE_IN_ROOT, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd >= 0 ? fd : error_errno(err, errno, "resolve", path, "%s", path);
    return make(root, path, true, 0, err);
}

int path_make_parent(int root, const char *path, char name[static 256], struct error *err) {
    char parent[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof(parent))
        return error_errno(err, ENAMETOOLONG, "resolve", path, "%s", path);
    memcpy(parent, path, length + 1);
    while (length > 0 && parent[length - 1] == '/')
        parent[--length] = '\0';
    char *slash = strrchr(parent, '/');
    const char *last = slash ? slash + 1 : parent;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strlen(last) > 255)
        return error_set(err, "invalid_argument", "resolve", path, "%s does not name a file", path);
    strcpy(name, last);
    *(slash ? slash : parent) = '\0';
    return path_make_directory(root, parent, 0755, err);
}

struct fd_path path_of_fd(int fd) {
    struct fd_path path;
    snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", fd);
    return path;
}

long path_fs_magic(int fd) {
    struct statfs fs;
    return fstatfs(fd, &fs) < 0 ? 0 : (long)fs.f_type;
}

bool path_is_char_device(int fd, unsigned number_major, unsigned number_minor) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(number_major, number_minor);
}

#include "extract.h"

#include "archive_in.h"
#include "directory_times.h"
#include "lib/cleanup.h"
#include "metadata.h"
#include "overlay.h"
#include "remove.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

/* From this size on the kernel is told to start writing a finished file, so that the final sync finds less.
 */
#define EARLY_WRITE_SIZE (1 << 20)

struct extract {
    struct tree tree;
    const struct extract_options *options;
    const char *base;
    uint64_t bytes; /* sum of the entries' sizes */
    struct directory_times times;
    struct extract_result *result;
};

/* One entry on its way from the archive to the tree. */
struct item {
    struct extract *x;
    struct archive_in *archive;
    struct archive_entry *entry;
    struct tree_path path;
    const char *full; /* as the archive names it, for messages */
    int parent;       /* borrowed from the tree */
    struct metadata metadata;
    bool top;          /* the archive's own top directory ("./") */
    bool was_whiteout; /* a whiteout of the same layer stood here */
};

/*
 * Makes room for the entry's name: what is there goes, whatever it is (a later entry of an archive wins).
 * 0 if the name is free, 1 if it cannot be removed because something is mounted on it, -1 and err.
 */
static int make_room(struct item *it, struct error *err) {
    const char *name = it->path.name;
    struct stat st;
    if (fstatat(it->parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT
                   ? 0
                   : error_errno(err, errno, "extract", it->full, "cannot stat \"%.256s\"", it->full);
    if (it->x->options->keep_kind && S_ISDIR(st.st_mode))
        return error_set(err, "invalid_argument", "extract", it->full,
                         "cannot overwrite directory \"%.256s\" with non-directory \"%.256s\"", it->full,
                         it->full);
    if (it->x->options->layer && overlay_is_whiteout(&st))
        it->was_whiteout = true;
    it->x->result->replaced = true;
    if (remove_entry(it->parent, name, err) < 0)
        return err->number == EBUSY && S_ISREG(st.st_mode)
                   ? 1
                   : error_wrap(err, "cannot replace \"%.256s\"", it->full);
    if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)) {
        /* The cached directory may be the one that went, or have been reached through that link. */
        tree_forget(&it->x->tree);
        it->parent = tree_parent(&it->x->tree, it->path.parent, true, err);
        return it->parent < 0 ? -1 : 0;
    }
    return 0;
}

static int write_all(int fd, const void *data, size_t length, int64_t offset) {
    const char *at = data;
    while (length > 0) {
        ssize_t put = pwrite(fd, at, length, offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        offset += put;
        length -= (size_t)put;
    }
    return 0;
}

static int write_content(struct item *it, int fd, struct error *err) {
    const void *data;
    size_t length;
    int64_t offset, end = 0, size = archive_entry_size(it->entry);
    int more;
    while ((more = archive_in_data(it->archive, &data, &length, &offset, err)) > 0) {
        if (write_all(fd, data, length, offset) < 0)
            return error_errno(err, errno, "write", it->full, "cannot write \"%.256s\"", it->full);
        end = offset + (int64_t)length;
    }
    if (more < 0)
        return -1;
    if (end < size && ftruncate(fd, size) < 0)
        return error_errno(err, errno, "write", it->full, "cannot extend \"%.256s\" to its size", it->full);
    it->x->result->made_bytes += (uint64_t)(end < size ? size : end);
    if (size >= EARLY_WRITE_SIZE && it->x->options->write_early)
        (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* only a hint */
    return 0;
}

static int finish(struct item *it, int fd, mode_t type, mode_t made_mode, struct error *err) {
    if (metadata_apply(&it->metadata, it->parent, it->path.name, fd, type, made_mode, it->entry,
                       &it->x->result->skipped_xattrs, err) < 0)
        return error_wrap(err, "entry \"%.256s\"", it->full);
    return 0;
}

static int make_file(struct item *it, struct error *err) {
    mode_t mode = it->metadata.mode & 0777;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    cleanup_fd int fd = openat(it->parent, it->path.name, flags, mode);
    if (fd < 0 && errno == EEXIST) {
        int busy = make_room(it, err);
        if (busy < 0)
            return -1;
        if (busy) {
            flags = O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
            mode = (mode_t)-1;
        }
        fd = openat(it->parent, it->path.name, flags, mode);
    }
    if (fd < 0)
        return error_errno(err, errno, "extract", it->full, "cannot create \"%.256s\"", it->full);
    if (write_content(it, fd, err) < 0)
        return -1;
    return finish(it, fd, S_IFREG, mode, err);
}

static int make_directory(struct item *it, struct error *err) {
    const char *name = it->path.name;
    mode_t made = it->metadata.mode & 01777;
    bool is_root = it->top, existed = is_root;
    if (is_root && !it->x->options->layer && !it->x->options->keep_top)
        return 0; /* the directory that a copy goes into keeps its attributes */
    if (!is_root && mkdirat(it->parent, name, made) < 0) {
        struct stat st;
        if (errno != EEXIST || fstatat(it->parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return error_errno(err, errno, "extract", it->full, "cannot create the directory \"%.256s\"",
                               it->full);
        existed = S_ISDIR(st.st_mode);
        if (!existed && it->x->options->keep_kind)
            return error_set(err, "invalid_argument", "extract", it->full,
                             "cannot overwrite non-directory \"%.256s\" with directory \"%.256s\"", it->full,
                             it->full);
        if (!existed && (make_room(it, err) != 0 || mkdirat(it->parent, name, made) < 0))
            return err->code ? -1
                             : error_errno(err, errno, "extract", it->full,
                                           "cannot create the directory \"%.256s\"", it->full);
    }
    if (it->was_whiteout && overlay_set_opaque(it->parent, name, err) < 0)
        return -1;
    if (existed && it->x->options->own_new_only)
        return 0;
    if (finish(it, -1, S_IFDIR, existed ? (mode_t)-1 : made, err) < 0)
        return -1;
    return directory_times_remember(&it->x->times, it->parent, &it->path, it->metadata.times, err);
}

/*
 * Takes an archive's name apart. It is cleaned on its own first, so that its ".." cannot climb above the
 * directory that the archive is extracted into, and then put below that directory.
 */
static int split_below(struct extract *x, const char *name, struct tree_path *path, bool *top,
                       struct error *err) {
    if (tree_split(name, path, err) < 0)
        return -1;
    if (top)
        *top = *path->name == '\0';
    if (!x->base)
        return 0;
    cleanup_free char *clean = tree_path_join(path), *below = NULL;
    tree_path_free(path);
    if (!clean || asprintf(&below, "%s/%s", x->base, clean) < 0)
        return error_errno(err, ENOMEM, "extract", name, "no memory for a path");
    return tree_split_asked(below, path, err);
}

/* The link itself, unless the name already is one to the same file. */
static int link_to(struct item *it, int parent, const char *name, const struct stat *from,
                   struct error *err) {
    struct stat here;
    if (fstatat(it->parent, it->path.name, &here, AT_SYMLINK_NOFOLLOW) == 0 && here.st_ino == from->st_ino &&
        here.st_dev == from->st_dev)
        return 0;
    if (linkat(parent, name, it->parent, it->path.name, 0) == 0)
        return 0;
    int busy = errno == EEXIST ? make_room(it, err) : 0;
    if (busy < 0)
        return -1;
    if (busy || linkat(parent, name, it->parent, it->path.name, 0) < 0)
        return error_errno(err, busy ? EBUSY : errno, "extract", it->full, "cannot link \"%.256s\"",
                           it->full);
    return 0;
}

/*
 * A hard link's header has an owner and a mode too. They are nearly always the file's; if not, Docker lets
 * the later one win. Nothing is set again without need: a change of owner takes setuid and capabilities away.
 */
static int make_link(struct item *it, const char *target, struct error *err) {
    struct tree_path to;
    if (split_below(it->x, target, &to, NULL, err) < 0)
        return error_wrap(err, "the hard link \"%.256s\"", it->full);
    struct tree other; /* a second view, so that the entry's own parent stays cached */
    tree_init(&other, it->x->tree.root, it->x->tree.one_mount);
    struct stat from;
    int result;
    int parent = tree_parent(&other, to.parent, false, err);
    if (parent < 0 || fstatat(parent, to.name, &from, AT_SYMLINK_NOFOLLOW) < 0)
        result =
            error_set(err, "invalid_argument", "extract", it->full,
                      "the hard link \"%.256s\" points to \"%.256s\", which is not there", it->full, target);
    else if (S_ISDIR(from.st_mode))
        result = error_set(err, "invalid_argument", "extract", it->full,
                           "the hard link \"%.256s\" points to the directory \"%.256s\"", it->full, target);
    else
        result = link_to(it, parent, to.name, &from, err);
    tree_close(&other);
    tree_path_free(&to);
    if (result == 0 && (from.st_uid != it->metadata.uid || from.st_gid != it->metadata.gid ||
                        (!S_ISLNK(from.st_mode) && (from.st_mode & 07777) != it->metadata.mode)))
        result = finish(it, -1, from.st_mode & S_IFMT, (mode_t)-1, err);
    return result;
}

/* Symbolic links, devices and pipes: one call makes them. 0 or -1 and errno. */
static int make_node(struct item *it, mode_t type) {
    if (S_ISLNK(type)) {
        const char *target = archive_entry_symlink(it->entry);
        if (symlinkat(target ? target : "", it->parent, it->path.name) < 0)
            return -1;
        it->x->result->made_bytes += strlen(target ? target : "");
        return 0;
    }
    dev_t device = S_ISFIFO(type) ? 0
                                  : makedev((unsigned)archive_entry_rdevmajor(it->entry),
                                            (unsigned)archive_entry_rdevminor(it->entry));
    return mknodat(it->parent, it->path.name, type | (it->metadata.mode & 0777), device);
}

static int make_special(struct item *it, mode_t type, struct error *err) {
    int result = make_node(it, type);
    if (result < 0 && errno == EEXIST) {
        if (make_room(it, err) != 0)
            return err->code
                       ? -1
                       : error_errno(err, EBUSY, "extract", it->full, "cannot replace \"%.256s\"", it->full);
        result = make_node(it, type);
    }
    if (result < 0)
        return error_errno(err, errno, "extract", it->full, "cannot create \"%.256s\"", it->full);
    return finish(it, -1, type, it->metadata.mode & 0777, err);
}

/* A ".wh." entry of a layer. */
static int make_whiteout(struct item *it, struct error *err) {
    const char *name = it->path.name;
    if (strcmp(name, WHITEOUT_OPAQUE) == 0) {
        return overlay_set_opaque(it->parent, "", err);
    }
    if (strncmp(name, WHITEOUT_META_PREFIX, strlen(WHITEOUT_META_PREFIX)) == 0)
        return 0; /* AUFS's own book-keeping (.wh..wh.plnk, .wh..wh.aufs): nothing of the image */
    const char *hidden = name + strlen(WHITEOUT_PREFIX);
    if (*hidden == '\0' || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
        return error_set(err, "invalid_argument", "whiteout", it->full,
                         "the whiteout \"%.256s\" names no file", it->full);
    /* A whiteout is about the layers below: what this layer itself has under the name stays. */
    struct stat st;
    if (fstatat(it->parent, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT
                   ? overlay_make_whiteout(it->parent, hidden, err)
                   : error_errno(err, errno, "whiteout", it->full, "cannot stat \"%.256s\"", hidden);
    return S_ISDIR(st.st_mode) ? overlay_set_opaque(it->parent, hidden, err) : 0;
}

static int extract_item(struct item *it, struct error *err) {
    mode_t type = archive_entry_filetype(it->entry);
    const char *link = archive_entry_hardlink(it->entry);
    if (it->x->options->layer && strncmp(it->path.name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
        return make_whiteout(it, err);
    if (it->top && (link || !S_ISDIR(type)))
        return error_set(err, "invalid_argument", "extract", it->full,
                         "the entry \"%.256s\" would replace the root with something that is no directory",
                         it->full);
    if (link)
        return make_link(it, link, err);
    switch (type & S_IFMT) {
    case S_IFREG:
        return make_file(it, err);
    case S_IFDIR:
        return make_directory(it, err);
    case S_IFLNK:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
        return make_special(it, type, err);
    default:
        return error_set(err, "invalid_argument", "extract", it->full,
                         "the entry \"%.256s\" is of an unknown kind", it->full);
    }
}

static int count_entry(struct extract *x, struct archive_entry *entry, const char *name, struct error *err) {
    int64_t size = archive_entry_size(entry);
    x->result->entries++;
    if (x->options->max_entries && x->result->entries > x->options->max_entries)
        return error_set(err, "invalid_argument", "extract", name,
                         "the archive has more than the limit of %llu entries",
                         (unsigned long long)x->options->max_entries);
    if (size < 0)
        return error_set(err, "invalid_argument", "extract", name, "the entry \"%.256s\" has a negative size",
                         name);
    /* Sparse files can claim more than the stream holds, so the stream's own limit is not enough. */
    if (__builtin_add_overflow(x->bytes, (uint64_t)size, &x->bytes) ||
        (x->options->max_bytes && x->bytes > x->options->max_bytes))
        return error_set(err, "invalid_argument", "extract", name,
                         "the archive unpacks to more than the limit of %llu bytes (at \"%.256s\")",
                         (unsigned long long)x->options->max_bytes, name);
    return 0;
}

/* An archive whose own links lead nowhere, out, or in circles is a bad archive; other failures are ours. */
static int parent_error(const struct item *it, struct error *err) {
    static const int numbers[] = {ENOENT, ENOTDIR, ELOOP, EXDEV, ENAMETOOLONG};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (err->number == numbers[i])
            err->code = "invalid_argument";
    return error_wrap(err, "entry \"%.256s\"", it->full);
}

static int extract_entry(struct extract *x, struct archive_in *archive, struct archive_entry *entry,
                         struct error *err) {
    struct item it = {.x = x, .archive = archive, .entry = entry, .full = archive_entry_pathname(entry)};
    if (count_entry(x, entry, it.full, err) < 0 || metadata_read(&it.metadata, entry, it.full, err) < 0)
        return -1;
    if (x->options->set_owner) {
        it.metadata.uid = x->options->uid;
        it.metadata.gid = x->options->gid;
    }
    if (x->options->set_mode)
        it.metadata.mode = x->options->mode;
    if (split_below(x, it.full, &it.path, &it.top, err) < 0)
        return -1;
    it.parent = tree_parent(&x->tree, it.path.parent, true, err);
    int result = it.parent < 0 ? parent_error(&it, err) : extract_item(&it, err);
    tree_path_free(&it.path);
    return result;
}

static int extract_archive(struct extract *x, struct input *in, struct error *err) {
    struct archive_in archive;
    struct archive_entry *entry;
    int more;
    if (archive_in_open(&archive, in, err) < 0)
        return -1;
    while ((more = archive_in_next(&archive, &entry, err)) > 0)
        if (extract_entry(x, &archive, entry, err) < 0) {
            more = -1;
            break;
        }
    archive_in_close(&archive);
    return more < 0 ? -1 : directory_times_set(&x->times, &x->tree, err);
}

int extract_stream(int fd, int root, const char *base, const struct extract_options *options,
                   struct extract_result *result, struct error *err) {
    struct extract x = {.options = options, .base = base, .result = result};
    err->code = NULL;
    *result = (struct extract_result){0};
    struct input *in = input_open(fd, options->max_bytes, err);
    if (!in)
        return -1;
    tree_init(&x.tree, root, options->layer);
    x.tree.own_new = options->set_owner && options->own_parents;
    x.tree.uid = options->uid;
    x.tree.gid = options->gid;
    mode_t mask = umask(0); /* modes are the archive's */
    int status = extract_archive(&x, in, err);
    if (status == 0)
        status = input_finish(in, &result->summary, err);
    umask(mask);
    tree_close(&x.tree);
    directory_times_free(&x.times);
    input_close(in);
    return status;
}

/* `berth-unpack stat`, `list`, `remove`, `mkdir`, `rename`: a file manager's verbs inside a root. */
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "remove.h"
#include "root.h"
#include "tree.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A root opened, a path taken apart, its parent opened: what each of these verbs begins with. */
struct place {
    int root;
    struct tree tree;
    struct tree_path path;
    int parent; /* borrowed from the tree */
};

static int place_open(struct place *place, const struct root_options *options, const char *path,
                      bool create_parents, struct error *err) {
    *place = (struct place){.root = -1, .parent = -1};
    tree_init(&place->tree, -1, false);
    if (options_require(path, "path", err) < 0)
        return -1;
    place->root = root_open(options, err);
    if (place->root < 0)
        return -1;
    tree_init(&place->tree, place->root, false);
    if (tree_split_asked(path, &place->path, err) < 0)
        return -1;
    place->parent = tree_parent(&place->tree, place->path.parent, create_parents, err);
    return place->parent < 0 ? -1 : 0;
}

static void place_close(struct place *place) {
    tree_close(&place->tree);
    tree_path_free(&place->path);
    fd_close(&place->root);
}

/* RFC 3339 with nanoseconds, UTC. Years outside 0…9999 are shown as the nearest that can be written. */
static void put_time(struct json_writer *w, const char *key, struct timespec t) {
    char text[64];
    struct tm tm;
    const time_t last = 253402300799; /* 9999-12-31T23:59:59Z */
    time_t seconds = t.tv_sec < 0 ? 0 : t.tv_sec > last ? last : t.tv_sec;
    gmtime_r(&seconds, &tm);
    size_t used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + used, sizeof(text) - used, ".%09ldZ", t.tv_nsec);
    json_member_string(w, key, text);
}

static const char *type_name(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "link";
    case S_IFBLK:
        return "block";
    case S_IFCHR:
        return "char";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    default:
        return "file";
    }
}

static void put_link(struct json_writer *w, int parent, const char *name, mode_t mode) {
    char target[4097];
    ssize_t length = S_ISLNK(mode) ? readlinkat(parent, name, target, sizeof(target)) : -1;
    json_key(w, "linkTarget");
    if (length < 0)
        json_null(w);
    else
        json_string_n(w, target, (size_t)length);
}

/* A path that ends in "/" or "/." means the directory itself, not a link to it. */
static bool wants_directory(const char *path) {
    size_t length = strlen(path);
    return length > 0 && (path[length - 1] == '/' || (length > 1 && strcmp(path + length - 2, "/.") == 0));
}

static int stat_place(struct place *place, const char *path, struct stat *st, struct error *err) {
    const char *name = *place->path.name ? place->path.name : ".";
    int result;
    if (wants_directory(path)) {
        cleanup_free char *full = tree_path_join(&place->path);
        cleanup_fd int fd = full ? tree_open(&place->tree, full, O_PATH) : -1;
        result = fd < 0 ? -1 : fstat(fd, st);
    } else {
        result = fstatat(place->parent, name, st, AT_SYMLINK_NOFOLLOW);
    }
    return result < 0 ? error_errno(err, errno, "stat", path, "cannot stat \"%.256s\"", path) : 0;
}

/*
 * Where a link leads, as the container sees it; NULL when it cannot be told. A root that the container has
 * at a place of its own (`at`) holds a relative link's target below that place; an absolute one is of the
 * container's whole tree, so that it is given as it stands.
 */
static char *link_target(struct place *place, const char *at) {
    char text[4097];
    ssize_t length = readlinkat(place->parent, place->path.name, text, sizeof(text) - 1);
    if (at && length > 0 && text[0] == '/')
        return strndup(text, (size_t)length);
    cleanup_free char *full = tree_path_join(&place->path);
    char *found = full ? tree_resolve(&place->tree, full) : NULL;
    if (!at || !found)
        return found;
    char *placed = NULL;
    if (asprintf(&placed, "%s%s", at, found) < 0)
        placed = NULL;
    free(found);
    return placed;
}

int verb_stat(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    const char *path = NULL;
    const char *at = NULL;
    const struct option_spec specs[] = {
        ROOT_OPTION_SPECS(root), {"path", OPTION_TEXT, &path, NULL}, {"at", OPTION_TEXT, &at, NULL}, {0}};
    struct place place;
    struct stat st;
    if (options_parse(specs, argc, argv, err) < 0)
        return -1;
    int result = place_open(&place, &root, path, false, err);
    if (result == 0)
        result = stat_place(&place, path, &st, err);
    if (result == 0) {
        struct json_writer w;
        cleanup_free char *target = S_ISLNK(st.st_mode) ? link_target(&place, at) : NULL;
        json_writer_init(&w, 0);
        json_begin_object(&w);
        json_member_string(&w, "name", *place.path.name ? place.path.name : "/");
        json_member_int(&w, "sizeBytes", st.st_size);
        json_member_uint(&w, "mode", st.st_mode);
        put_time(&w, "mtime", st.st_mtim);
        json_member_string(&w, "linkTarget", target);
        json_member_bool(&w, "isDir", S_ISDIR(st.st_mode));
        json_end_object(&w);
        result = verb_answer(STDOUT_FILENO, &w, err);
    }
    place_close(&place);
    return result;
}

static void put_entry(struct json_writer *w, int fd, const char *name, const struct stat *st) {
    json_begin_object(w);
    json_member_string(w, "name", name);
    json_member_string(w, "type", type_name(st->st_mode));
    json_member_int(w, "sizeBytes", st->st_size);
    json_member_uint(w, "mode", st->st_mode & 07777);
    json_member_uint(w, "uid", st->st_uid);
    json_member_uint(w, "gid", st->st_gid);
    put_time(w, "mtime", st->st_mtim);
    put_link(w, fd, name, st->st_mode);
    json_end_object(w);
    json_newline(w);
    w->comma = false; /* every line is a document of its own */
}

static int list_directory(int fd, const char *path, uint64_t limit, struct error *err) {
    struct listing names;
    struct json_writer w;
    if (listing_read(&names, fd, path, err) < 0)
        return -1;
    json_writer_init(&w, 0);
    for (size_t i = 0, shown = 0; i < names.count && (limit == 0 || shown < limit); i++) {
        struct stat st;
        if (fstatat(fd, names.names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue; /* removed meanwhile */
        put_entry(&w, fd, names.names[i], &st);
        shown++;
    }
    listing_free(&names);
    int result = 0;
    if (w.failed || fwrite(w.data, 1, w.length, stdout) != w.length || fflush(stdout) != 0)
        result = error_errno(err, w.failed ? ENOMEM : errno, "answer", NULL, "cannot write the list");
    json_writer_free(&w);
    return result;
}

int verb_list(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    const char *path = NULL;
    uint64_t limit = 0;
    const struct option_spec specs[] = {ROOT_OPTION_SPECS(root),
                                        {"path", OPTION_TEXT, &path, NULL},
                                        {"limit", OPTION_NUMBER, &limit, NULL},
                                        {0}};
    struct place place;
    if (options_parse(specs, argc, argv, err) < 0)
        return -1;
    int result = place_open(&place, &root, path, false, err);
    if (result == 0) {
        cleanup_free char *full = tree_path_join(&place.path);
        cleanup_fd int fd = full ? tree_open(&place.tree, full, O_RDONLY | O_DIRECTORY) : -1;
        result = fd < 0 ? error_errno(err, errno, "list", path, "cannot open the directory \"%.256s\"", path)
                        : list_directory(fd, path, limit, err);
    }
    place_close(&place);
    return result;
}

static int refuse_root(const struct place *place, const char *verb_name, const char *path,
                       struct error *err) {
    if (*place->path.name)
        return 0;
    return error_set(err, "invalid_argument", verb_name, path, "\"%.256s\" is the root: it stays where it is",
                     path);
}

int verb_remove(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    const char *path = NULL;
    const struct option_spec specs[] = {ROOT_OPTION_SPECS(root), {"path", OPTION_TEXT, &path, NULL}, {0}};
    struct place place;
    struct stat st;
    if (options_parse(specs, argc, argv, err) < 0)
        return -1;
    int result = place_open(&place, &root, path, false, err);
    if (result == 0)
        result = refuse_root(&place, "remove", path, err);
    if (result == 0 && fstatat(place.parent, place.path.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        result = error_errno(err, errno, "remove", path, "cannot remove \"%.256s\"", path);
    if (result == 0)
        result = remove_entry(place.parent, place.path.name, err);
    place_close(&place);
    return result;
}

/* The directory and its missing parents; nothing to do is success. Says whether it was there. */
static int make_with_parents(struct place *place, const char *path, struct error *err) {
    struct json_writer w;
    cleanup_free char *full = tree_path_join(&place->path);
    cleanup_fd int fd = full ? tree_open(&place->tree, full, O_PATH | O_DIRECTORY) : -1;
    bool created = fd < 0;
    if (created && (!full || tree_parent(&place->tree, full, true, err) < 0))
        return full ? -1 : error_errno(err, ENOMEM, "mkdir", path, "no memory for a path");
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_bool(&w, "created", created);
    json_end_object(&w);
    return verb_answer(STDOUT_FILENO, &w, err);
}

int verb_mkdir(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    const char *path = NULL;
    uint64_t mode = 0755;
    bool parents = false;
    const struct option_spec specs[] = {ROOT_OPTION_SPECS(root),
                                        {"path", OPTION_TEXT, &path, NULL},
                                        {"mode", OPTION_OCTAL, &mode, NULL},
                                        {"parents", OPTION_FLAG, &parents, NULL},
                                        {0}};
    struct place place;
    if (options_parse(specs, argc, argv, err) < 0)
        return -1;
    umask(0);
    int result = place_open(&place, &root, path, parents, err);
    if (result == 0 && parents)
        result = make_with_parents(&place, path, err);
    else if (result == 0)
        result = refuse_root(&place, "mkdir", path, err);
    if (result == 0 && !parents && mkdirat(place.parent, place.path.name, (mode_t)(mode & 07777)) < 0)
        result = error_errno(err, errno, "mkdir", path, "cannot create the directory \"%.256s\"", path);
    place_close(&place);
    return result;
}

int verb_rename(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    const char *path = NULL, *to = NULL;
    const struct option_spec specs[] = {
        ROOT_OPTION_SPECS(root), {"path", OPTION_TEXT, &path, NULL}, {"to", OPTION_TEXT, &to, NULL}, {0}};
    struct place place;
    struct tree_path target = {0};
    struct tree other;
    tree_init(&other, -1, false);
    if (options_parse(specs, argc, argv, err) < 0 || options_require(to, "to", err) < 0)
        return -1;
    int result = place_open(&place, &root, path, false, err);
    if (result == 0)
        result = refuse_root(&place, "rename", path, err);
    if (result == 0)
        result = tree_split_asked(to, &target, err);
    if (result == 0) {
        tree_init(&other, place.root, false);
        int parent = tree_parent(&other, target.parent, false, err);
        result = parent < 0 ? -1 : 0;
        /* NOREPLACE: renaming never destroys what another process has put there meanwhile. */
        if (result == 0 && (*target.name == '\0' || renameat2(place.parent, place.path.name, parent,
                                                              target.name, RENAME_NOREPLACE) < 0))
            result = error_errno(err, *target.name ? errno : EEXIST, "rename", path,
                                 "cannot rename \"%.256s\" to \"%.256s\"", path, to);
    }
    tree_close(&other);
    tree_path_free(&target);
    place_close(&place);
    return result;
}

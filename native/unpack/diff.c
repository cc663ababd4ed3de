#include "diff.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "listing.h"
#include "tar_write.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

struct walk {
    diff_visit *visit;
    void *context;
    bool has_lower;
    struct id_range ids;
};

static int walk_directory(struct walk *w, int fd, const char *path, const struct lower_dirs *lower, int depth,
                          struct error *err);

static int walk_entry(struct walk *w, int fd, const char *name, const char *path,
                      const struct lower_dirs *lower, int depth, struct error *err) {
    struct diff_entry e = {.path = path, .name = name, .parent = fd};
    struct lower_dirs below = {0}, none = {0};
    cleanup_fd int child = -1;
    if (fstatat(fd, name, &e.st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "diff", path, "cannot stat \"%.256s\"", path);
    e.st.st_uid = id_inside(w->ids, e.st.st_uid);
    e.st.st_gid = id_inside(w->ids, e.st.st_gid);
    e.whiteout = overlay_is_whiteout(&e.st);
    if (!e.whiteout && overlay_check_plain(fd, name, path, err) < 0)
        return -1;
    if (w->has_lower && lower_lookup(lower, name, &e.lower, &e.lower_st, &below, err) < 0)
        return -1;
    int result = 0;
    if (S_ISDIR(e.st.st_mode)) {
        child = tree_open_child(fd, name);
        if (child < 0)
            result = error_errno(err, errno, "diff", path, "cannot open \"%.256s\"", path);
        else
            /* The kernel marks directories made in a merged one opaque though there is nothing to hide. */
            e.opaque = overlay_is_opaque(child) && (!w->has_lower || e.lower != LOWER_NONE);
    }
    if (result == 0)
        result = w->visit(w->context, &e, err);
    if (result == 0 && child >= 0)
        result = walk_directory(w, child, path, e.opaque ? &none : &below, depth + 1, err);
    lower_dirs_free(&below);
    return result;
}

static int walk_directory(struct walk *w, int fd, const char *path, const struct lower_dirs *lower, int depth,
                          struct error *err) {
    struct listing names;
    if (depth > WALK_DEPTH_LIMIT)
        return error_set(err, "resource_exhausted", "diff", path, "the tree is more than %d directories deep",
                         WALK_DEPTH_LIMIT);
    if (listing_read(&names, fd, path, err) < 0)
        return -1;
    int result = 0;
    for (size_t i = 0; i < names.count && result == 0; i++) {
        cleanup_free char *child = NULL;
        if (asprintf(&child, "%s%s%s", path, *path ? "/" : "", names.names[i]) < 0)
            result = error_errno(err, ENOMEM, "diff", path, "no memory for a path");
        else
            result = walk_entry(w, fd, names.names[i], child, lower, depth, err);
    }
    listing_free(&names);
    return result;
}

int diff_walk(int upper, const struct lower_dirs *lower, struct id_range ids, diff_visit *visit,
              void *context, struct error *err) {
    struct walk w = {.visit = visit, .context = context, .has_lower = lower->count > 0, .ids = ids};
    return walk_directory(&w, upper, "", lower, 0, err);
}

/* An empty ".wh." file. Its attributes say nothing but when and by whom, so only the time is kept. */
static int pack_mark(struct packer *p, const char *directory, size_t directory_length, const char *name,
                     const struct timespec *mtime, struct error *err) {
    cleanup_free char *path = NULL;
    if (asprintf(&path, "%.*s%s%s", (int)directory_length, directory, directory_length ? "/" : "", name) < 0)
        return error_errno(err, ENOMEM, "diff", directory, "no memory for a path");
    struct tar_entry e = {.path = path, .type = '0', .mode = 0600, .mtime = *mtime};
    p->entries++;
    return tar_header(p->out, &e, err);
}

static int pack_visit(void *context, const struct diff_entry *e, struct error *err) {
    struct packer *p = context;
    if (e->whiteout) {
        cleanup_free char *name = NULL;
        if (asprintf(&name, "%s%s", WHITEOUT_PREFIX, e->name) < 0)
            return error_errno(err, ENOMEM, "diff", e->path, "no memory for a path");
        size_t name_length = strlen(e->name), length = strlen(e->path);
        size_t directory = length > name_length ? length - name_length - 1 : 0;
        return pack_mark(p, e->path, directory, name, &e->st.st_mtim, err);
    }
    if (pack_entry(p, e->parent, e->name, e->path, &e->st, err) < 0)
        return -1;
    return e->opaque ? pack_mark(p, e->path, strlen(e->path), WHITEOUT_OPAQUE, &e->st.st_mtim, err) : 0;
}

int diff_pack(struct packer *packer, int upper, const struct lower_dirs *lower, struct id_range ids,
              struct error *err) {
    return diff_walk(upper, lower, ids, pack_visit, packer, err);
}

/* kind 0: a directory that is as it was, unless something below it turns out to be changed. */
struct change {
    char kind;
    char *path;
};

struct changes {
    struct change *list;
    size_t count, capacity;
    size_t above[WALK_DEPTH_LIMIT +
                 2]; /* index of the directory at each depth on the way to the current entry */
};

static size_t depth_of(const char *path) {
    size_t depth = 0;
    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

static int add_change(struct changes *c, char kind, const char *path, struct error *err) {
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? c->capacity * 2 : 64;
        struct change *list = realloc(c->list, capacity * sizeof(*list));
        if (!list)
            return error_errno(err, ENOMEM, "changes", NULL, "no memory for the changes");
        c->list = list;
        c->capacity = capacity;
    }
    char *copy = strdup(path);
    if (!copy)
        return error_errno(err, ENOMEM, "changes", NULL, "no memory for the changes");
    size_t depth = depth_of(path);
    /* A directory above a change counts as changed, even if its own attributes are as before. */
    for (size_t i = 0; kind && i < depth; i++)
        if (!c->list[c->above[i]].kind)
            c->list[c->above[i]].kind = 'C';
    c->above[depth] = c->count;
    c->list[c->count++] = (struct change){.kind = kind, .path = copy};
    return 0;
}

static bool same_directory(const struct stat *a, const struct stat *b) {
    return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int changes_visit(void *context, const struct diff_entry *e, struct error *err) {
    bool same_kind = e->lower == LOWER_DIRECTORY && S_ISDIR(e->st.st_mode);
    char kind = e->lower == LOWER_NONE ? 'A' : 'C';
    if (e->whiteout && e->lower == LOWER_NONE)
        return 0; /* hides nothing: made and removed again */
    if (e->whiteout || (same_kind && e->opaque))
        kind = 'D'; /* an opaque directory: the old one was removed and another made in its place */
    else if (same_kind && same_directory(&e->st, &e->lower_st))
        kind = 0;
    return add_change(context, kind, e->path, err);
}

int diff_print_changes(int upper, const struct lower_dirs *lower, struct id_range ids, struct error *err) {
    struct changes c = {0};
    int result = diff_walk(upper, lower, ids, changes_visit, &c, err);
    struct json_writer w;
    json_writer_init(&w, 0);
    for (size_t i = 0; i < c.count; i++) {
        cleanup_free char *path = NULL;
        char kind[2] = {c.list[i].kind, '\0'};
        if (result == 0 && kind[0] && asprintf(&path, "/%s", c.list[i].path) >= 0) {
            json_begin_object(&w);
            json_member_string(&w, "kind", kind);
            json_member_string(&w, "path", path);
            json_end_object(&w);
            json_newline(&w);
            w.comma = false; /* every line is a document of its own */
        }
        free(c.list[i].path);
    }
    free(c.list);
    if (result == 0 && (w.failed || fwrite(w.data, 1, w.length, stdout) != w.length || fflush(stdout) != 0))
        result = error_errno(err, errno, "changes", NULL, "cannot write the changes");
    json_writer_free(&w);
    return result;
}

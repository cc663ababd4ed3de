/*
 * `berth-unpack place`: files from one root into another, as COPY and ADD of a Dockerfile want them, and
 * `probe`: is stdin an archive?
 */
#include "archive_in.h"
#include "copy.h"
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "root.h"
#include "tree.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct placing {
    struct tree from;
    int target;
    const char *to; /* ends in "/": a directory */
    struct extract_options options;
};

static bool is_directory(int root, const char *path) {
    struct tree tree;
    struct tree_path clean;
    struct error ignored;
    struct stat st;
    tree_init(&tree, root, false);
    if (tree_split_asked(path, &clean, &ignored) < 0)
        return false;
    cleanup_free char *full = tree_path_join(&clean);
    tree_path_free(&clean);
    cleanup_fd int fd = full ? tree_open(&tree, full, O_PATH) : -1;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Makes the directory that is copied into, and what is missing above it. */
static int make_target(const struct placing *p, struct error *err) {
    struct tree tree;
    struct tree_path clean;
    tree_init(&tree, p->target, false);
    tree.own_new = true;
    tree.uid = p->options.uid;
    tree.gid = p->options.gid;
    if (tree_split_asked(p->to, &clean, err) < 0)
        return -1;
    cleanup_free char *full = tree_path_join(&clean);
    tree_path_free(&clean);
    int fd = full ? tree_parent(&tree, full, true, err)
                  : error_errno(err, ENOMEM, "place", p->to, "no memory for a path");
    tree_close(&tree);
    return fd < 0 ? -1 : 0;
}

static int place_found(struct placing *p, const struct tree_path *found, const char *asked_name,
                       struct error *err) {
    struct tree_path to = {0};
    struct stat st;
    int parent = tree_parent(&p->from, found->parent, false, err);
    const char *name = *found->name ? found->name : ".";
    if (parent < 0)
        return -1;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "place", name, "cannot open \"%.256s\"", name);
    struct copy_plan plan = {.source = parent, .name = name, .target = p->target, .options = p->options};
    int result = 0;
    if (S_ISDIR(st.st_mode)) {
        /* Of a directory the content is copied, and new directories on the way belong to whom the files do.
         */
        plan.top = plan.children = true;
        plan.path = "";
        plan.base = p->to;
        plan.options.keep_top = !is_directory(p->target, p->to);
        umask(0);
        return make_target(p, err) < 0 ? -1 : copy_run(&plan, err);
    }
    plan.top = true;
    plan.path = asked_name;
    plan.base = p->to;
    size_t length = strlen(p->to);
    if ((length == 0 || p->to[length - 1] != '/') && !is_directory(p->target, p->to)) {
        result = tree_split_asked(p->to, &to, err);
        plan.path = to.name;
        plan.base = to.parent;
    }
    if (result == 0)
        result = copy_run(&plan, err);
    tree_path_free(&to);
    return result;
}

/* Links in the source's own path are followed inside its root, links below it are copied as links. */
static int place(struct placing *p, const char *path, struct error *err) {
    struct tree_path asked, found = {0};
    if (tree_split_asked(path, &asked, err) < 0)
        return -1;
    cleanup_free char *full = tree_path_join(&asked);
    cleanup_free char *target = full ? tree_resolve(&p->from, full) : NULL;
    int result = target ? tree_split_asked(target, &found, err)
                        : error_errno(err, ELOOP, "place", path, "cannot follow \"%.256s\"", path);
    if (result == 0)
        result = place_found(p, &found, *asked.name ? asked.name : "root", err);
    tree_path_free(&asked);
    tree_path_free(&found);
    return result;
}

/*
 * Where `to` leads when every link in it is followed inside the target's root, also one that points at
 * nothing yet: what is missing is made there. A slash at the end stays. A new string; NULL and err on
 * failure.
 */
static char *follow_target(int target, const char *to, struct error *err) {
    struct tree tree;
    struct tree_path clean;
    tree_init(&tree, target, false);
    if (tree_split_asked(to, &clean, err) < 0)
        return NULL;
    cleanup_free char *full = tree_path_join(&clean);
    cleanup_free char *resolved = full ? tree_resolve(&tree, full) : NULL;
    size_t length = strlen(to);
    char *out = NULL;
    tree_path_free(&clean);
    if (!resolved || asprintf(&out, "%s%s", resolved, length > 0 && to[length - 1] == '/' ? "/" : "") < 0) {
        error_errno(err, ELOOP, "place", to, "cannot follow \"%.256s\"", to);
        return NULL;
    }
    return out;
}

struct place_options {
    struct root_options root, from;
    struct option_list paths;
    const char *to;
    uint64_t uid, gid, mode;
    bool has_mode;
    bool keep_owner;
};

static int run_place(const struct place_options *o, struct error *err) {
    if (o->uid > UINT32_MAX - 1 || o->gid > UINT32_MAX - 1 || o->mode > 07777)
        return error_set(err, "invalid_argument", "options", NULL, "--uid, --gid or --chmod is out of range");
    if (o->paths.count == 0)
        return error_set(err, "invalid_argument", "options", NULL, "--from-path is required");
    listing_raise_descriptor_limit();
    cleanup_fd int from = root_open(&o->from, err);
    cleanup_fd int target = from < 0 ? -1 : root_open(&o->root, err);
    if (target < 0)
        return -1;
    cleanup_free char *to = follow_target(target, o->to, err);
    if (!to)
        return -1;
    struct placing p = {.target = target, .to = to};
    p.options = (struct extract_options){.set_owner = !o->keep_owner,
                                         .own_new_only = true,
                                         .own_parents = true,
                                         .uid = (uint32_t)o->uid,
                                         .gid = (uint32_t)o->gid,
                                         .set_mode = o->has_mode,
                                         .mode = (uint32_t)o->mode};
    tree_init(&p.from, from, false);
    int result = 0;
    for (int i = 0; i < o->paths.count && result == 0; i++)
        result = place(&p, o->paths.values[i], err);
    tree_close(&p.from);
    return result;
}

int verb_place(int argc, char **argv, struct error *err) {
    struct place_options o = {0};
    const struct option_spec specs[] = {ROOT_OPTION_SPECS(o.root),
                                        {"from-root", OPTION_TEXT, &o.from.dir, NULL},
                                        {"from-mounts", OPTION_TEXT, &o.from.mounts, NULL},
                                        {"from-path", OPTION_LIST, &o.paths, NULL},
                                        {"to", OPTION_TEXT, &o.to, NULL},
                                        {"uid", OPTION_NUMBER, &o.uid, NULL},
                                        {"gid", OPTION_NUMBER, &o.gid, NULL},
                                        {"keep-owner", OPTION_FLAG, &o.keep_owner, NULL},
                                        {"chmod", OPTION_OCTAL, &o.mode, &o.has_mode},
                                        {0}};
    int result = options_parse(specs, argc, argv, err);
    if (result == 0)
        result = options_require(o.to, "to", err);
    if (result == 0)
        result = run_place(&o, err);
    free(o.paths.values);
    return result;
}

int verb_probe(int argc, char **argv, struct error *err) {
    const struct option_spec specs[] = {{0}};
    struct archive_in archive;
    struct archive_entry *entry;
    struct error reason;
    struct json_writer w;
    if (options_parse(specs, argc, argv, err) < 0)
        return -1;
    struct input *in = input_open(STDIN_FILENO, 0, err);
    if (!in)
        return -1;
    bool is_archive = archive_in_open(&archive, in, &reason) == 0;
    if (is_archive) {
        is_archive = archive_in_next(&archive, &entry, &reason) > 0;
        archive_in_close(&archive);
    }
    input_close(in);
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_bool(&w, "archive", is_archive);
    json_end_object(&w);
    return verb_answer(STDOUT_FILENO, &w, err);
}

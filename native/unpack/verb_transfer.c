/* `berth-unpack get`, `put` and `export`: archives out of and into a container's root, as `docker cp` wants
 * them. */
#include "extract.h"
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "pack.h"
#include "root.h"
#include "tar_write.h"
#include "tree.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/*
 * The name of the archive's top entry: the path's last part; "/" for the root and "." for "DIR/.", which is
 * what the docker command line renames by.
 */
static const char *top_name(const char *path, const struct tree_path *clean) {
    if (ends_with(path, "/.") || strcmp(path, ".") == 0)
        return ".";
    return *clean->name ? clean->name : "/";
}

static int pack_found(struct packer *p, struct tree *tree, const struct tree_path *at, const char *top,
                      struct error *err) {
    const char *name = *at->name ? at->name : ".";
    struct stat st;
    int parent = tree_parent(tree, at->parent, false, err);
    if (parent < 0)
        return -1;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "get", at->name, "cannot open \"%.256s\"", top);
    if (pack_entry(p, parent, name, top, &st, err) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        return 0;
    cleanup_fd int fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "get", at->name, "cannot open \"%.256s\"", top);
    return pack_children(p, fd, top, 0, err);
}

static int pack_path(struct packer *p, struct tree *tree, const char *path, bool follow, struct error *err) {
    struct tree_path asked, found = {0};
    if (tree_split_asked(path, &asked, err) < 0)
        return -1;
    cleanup_free char *full = tree_path_join(&asked);
    int result = full ? 0 : error_errno(err, ENOMEM, "get", path, "no memory for a path");
    if (result == 0 && (follow || ends_with(path, "/") || ends_with(path, "/."))) {
        /* The link is resolved to a name first and then opened as any other: swapped meanwhile, it is packed
         * as the link. */
        cleanup_free char *target = tree_resolve(tree, full);
        result = target ? tree_split_asked(target, &found, err)
                        : error_errno(err, ELOOP, "get", path, "cannot follow \"%.256s\"", path);
    } else if (result == 0) {
        result = tree_split_asked(full, &found, err);
    }
    if (result == 0)
        result = pack_found(p, tree, &found, top_name(path, &asked), err);
    tree_path_free(&asked);
    tree_path_free(&found);
    return result;
}

/* Ends the archive and the pipeline; with `digest` the answer is the archive's. */
static int finish(struct output *out, bool digest, struct error *err) {
    struct input_summary summary;
    struct json_writer w;
    if (tar_end(out, err) < 0 || output_finish(out, &summary, err) < 0)
        return -1;
    if (!digest)
        return 0;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_string(&w, "digest", summary.diff_id);
    json_end_object(&w);
    return verb_answer(STDOUT_FILENO, &w, err);
}

/* Where the archive goes: to stdout, or nowhere when only its digest is wanted. */
static int open_sink(bool digest, struct error *err) {
    int fd = digest ? open("/dev/null", O_WRONLY | O_CLOEXEC) : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return fd < 0 ? error_errno(err, errno, "get", NULL, "cannot open the output") : fd;
}

int verb_get(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    const char *path = NULL;
    bool follow = false, digest = false;
    uint64_t id_base = 0, id_size = 0;
    const struct option_spec specs[] = {ROOT_OPTION_SPECS(root),
                                        {"path", OPTION_TEXT, &path, NULL},
                                        {"id-base", OPTION_NUMBER, &id_base, NULL},
                                        {"id-size", OPTION_NUMBER, &id_size, NULL},
                                        {"follow", OPTION_FLAG, &follow, NULL},
                                        {"digest", OPTION_FLAG, &digest, NULL},
                                        {0}};
    if (options_parse(specs, argc, argv, err) < 0 || options_require(path, "path", err) < 0)
        return -1;
    listing_raise_descriptor_limit();
    cleanup_fd int fd = root_open(&root, err);
    cleanup_fd int sink = fd < 0 ? -1 : open_sink(digest, err);
    struct output *out = sink < 0 ? NULL : output_open(sink, OUTPUT_NONE, 0, err);
    if (!out)
        return -1;
    struct packer packer = {
        .out = out, .ids = {.base = (uint32_t)id_base, .size = (uint32_t)id_size}, .no_times = digest};
    struct tree tree;
    tree_init(&tree, fd, false);
    int result = pack_path(&packer, &tree, path, follow, err);
    if (result == 0)
        result = finish(out, digest, err);
    tree_close(&tree);
    packer_close(&packer);
    output_close(out);
    return result;
}

int verb_export(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    uint64_t id_base = 0, id_size = 0;
    const struct option_spec specs[] = {ROOT_OPTION_SPECS(root),
                                        {"id-base", OPTION_NUMBER, &id_base, NULL},
                                        {"id-size", OPTION_NUMBER, &id_size, NULL},
                                        {0}};
    if (options_parse(specs, argc, argv, err) < 0)
        return -1;
    listing_raise_descriptor_limit();
    cleanup_fd int fd = root_open_bare(&root, err);
    struct output *out = fd < 0 ? NULL : output_open(STDOUT_FILENO, OUTPUT_NONE, 0, err);
    if (!out)
        return -1;
    struct packer packer = {.out = out,
                            .ids = {.base = (uint32_t)id_base, .size = (uint32_t)id_size},
                            .one_mount = true,
                            .mount = pack_mount_id(fd, ".")};
    int result = pack_children(&packer, fd, "", 0, err);
    if (result == 0)
        result = finish(out, false, err);
    packer_close(&packer);
    output_close(out);
    return result;
}

/* The directory that an archive is extracted into; docker's words, because its clients look for them. */
static int open_extraction_point(int root, const char *path, struct error *err) {
    struct tree tree;
    struct tree_path clean;
    struct stat st;
    tree_init(&tree, root, false);
    if (tree_split_asked(path, &clean, err) < 0)
        return -1;
    cleanup_free char *full = tree_path_join(&clean);
    tree_path_free(&clean);
    cleanup_fd int fd = full ? tree_open(&tree, full, O_PATH) : -1;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "put", path, "cannot open the directory \"%.256s\"", path);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, "invalid_argument", "put", path,
                         "extraction point is not a directory: \"%.256s\"", path);
    return fd_take(&fd);
}

struct put_options {
    struct extract_options extract;
    uint64_t uid, gid, mode;
    bool has_uid, has_gid;
    bool copy_uidgid; /* docker's word for what is done anyway: owners are the archive's, or --uid and --gid
                         if given */
};

static int check_put_options(struct put_options *o, struct error *err) {
    if (o->has_uid != o->has_gid)
        return error_set(err, "invalid_argument", "options", NULL, "--uid and --gid go together");
    if (o->uid > UINT32_MAX - 1 || o->gid > UINT32_MAX - 1 || o->mode > 07777)
        return error_set(err, "invalid_argument", "options", NULL, "--uid, --gid or --chmod is out of range");
    o->extract.set_owner = o->has_uid;
    o->extract.uid = (uint32_t)o->uid;
    o->extract.gid = (uint32_t)o->gid;
    o->extract.mode = (uint32_t)o->mode;
    return 0;
}

/*
 * Names are resolved from the extraction point on, but links inside the archive's paths must be able to lead
 * anywhere in the container, and never further: so the tree's root is the container's root and entries are
 * put below the path of the extraction point.
 */
static int put(int root, const char *path, const struct put_options *options, struct error *err) {
    cleanup_fd int fd = open_extraction_point(root, path, err);
    struct extract_result made;
    return fd < 0 ? -1 : extract_stream(STDIN_FILENO, root, path, &options->extract, &made, err);
}

int verb_put(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    struct put_options o = {0};
    const char *path = NULL;
    const struct option_spec specs[] = {ROOT_OPTION_SPECS(root),
                                        {"path", OPTION_TEXT, &path, NULL},
                                        {"no-overwrite-dir-non-dir", OPTION_FLAG, &o.extract.keep_kind, NULL},
                                        {"copy-uidgid", OPTION_FLAG, &o.copy_uidgid, NULL},
                                        {"uid", OPTION_NUMBER, &o.uid, &o.has_uid},
                                        {"gid", OPTION_NUMBER, &o.gid, &o.has_gid},
                                        {"chmod", OPTION_OCTAL, &o.mode, &o.extract.set_mode},
                                        {"max-bytes", OPTION_NUMBER, &o.extract.max_bytes, NULL},
                                        {"max-entries", OPTION_NUMBER, &o.extract.max_entries, NULL},
                                        {0}};
    if (options_parse(specs, argc, argv, err) < 0 || options_require(path, "path", err) < 0 ||
        check_put_options(&o, err) < 0)
        return -1;
    cleanup_fd int fd = root_open(&root, err);
    return fd < 0 ? -1 : put(fd, path, &o, err);
}

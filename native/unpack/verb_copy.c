/* `berth-unpack copy`: a directory's content out of a root into an empty host directory, for a volume's first
 * use. */
#include "copy.h"
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "root.h"
#include "tree.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_source(int root, const char *path, struct error *err) {
    struct tree tree;
    struct tree_path clean;
    tree_init(&tree, root, false);
    if (tree_split_asked(path, &clean, err) < 0)
        return -1;
    cleanup_free char *full = tree_path_join(&clean);
    tree_path_free(&clean);
    int fd = full ? tree_open(&tree, full, O_RDONLY | O_DIRECTORY) : -1;
    return fd < 0 ? error_errno(err, errno, "copy", path, "cannot open the directory \"%.256s\"", path) : fd;
}

int verb_copy(int argc, char **argv, struct error *err) {
    struct root_options root = {0};
    const char *path = NULL, *to = NULL;
    struct listing names;
    const struct option_spec specs[] = {
        ROOT_OPTION_SPECS(root), {"path", OPTION_TEXT, &path, NULL}, {"to-dir", OPTION_TEXT, &to, NULL}, {0}};
    if (options_parse(specs, argc, argv, err) < 0 || options_require(path, "path", err) < 0 ||
        options_require(to, "to-dir", err) < 0)
        return -1;
    listing_raise_descriptor_limit();
    cleanup_fd int target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (target < 0)
        return error_errno(err, errno, "copy", to, "cannot open the directory \"%.256s\"", to);
    if (listing_read(&names, target, to, err) < 0)
        return -1;
    size_t count = names.count;
    listing_free(&names);
    if (count > 0)
        return error_set(err, "failed_precondition", "copy", to, "the directory \"%.256s\" is not empty", to);
    cleanup_fd int fd = root_open(&root, err);
    if (fd < 0)
        return -1;
    cleanup_fd int source = open_source(fd, path, err);
    struct copy_plan plan = {
        .source = source, .name = ".", .path = "", .children = true, .top = true, .target = target};
    plan.options.keep_top = true;
    return source < 0 ? -1 : copy_run(&plan, err);
}

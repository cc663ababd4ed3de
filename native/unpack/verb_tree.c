/* `berth-unpack usage` and `delete-tree`: whole directories of the agent's own data root. */
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "remove.h"
#include "tree.h"
#include "usage.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int parse_dir(int argc, char **argv, const char **dir, struct error *err) {
    const struct option_spec specs[] = {{"dir", OPTION_TEXT, dir, NULL}, {0}};
    return options_parse(specs, argc, argv, err) < 0 ? -1 : options_require(*dir, "dir", err);
}

int verb_usage(int argc, char **argv, struct error *err) {
    const char *dir = NULL;
    struct usage usage;
    struct json_writer w;
    if (parse_dir(argc, argv, &dir, err) < 0)
        return -1;
    listing_raise_descriptor_limit();
    cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open", dir, "cannot open \"%.256s\"", dir);
    if (usage_measure(fd, &usage, err) < 0)
        return -1;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_uint(&w, "sizeBytes", usage.size_bytes);
    json_member_uint(&w, "inodes", usage.inodes);
    json_end_object(&w);
    return verb_answer(STDOUT_FILENO, &w, err);
}

int verb_delete_tree(int argc, char **argv, struct error *err) {
    const char *dir = NULL;
    if (parse_dir(argc, argv, &dir, err) < 0)
        return -1;
    cleanup_free char *copy = strdup(dir);
    if (!copy)
        return error_errno(err, ENOMEM, "remove", dir, "no memory for a path");
    size_t length = strlen(copy);
    while (length > 1 && copy[length - 1] == '/')
        copy[--length] = '\0';
    char *slash = strrchr(copy, '/');
    const char *name = slash ? slash + 1 : copy;
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(err, "invalid_argument", "remove", dir,
                         "\"%.256s\" is not a directory that can be removed", dir);
    if (slash)
        *slash = '\0';
    cleanup_fd int parent = open(!slash ? "." : *copy ? copy : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return errno == ENOENT
                   ? 0
                   : error_errno(err, errno, "open", dir, "cannot open the parent of \"%.256s\"", dir);
    return remove_entry(parent, name, err);
}

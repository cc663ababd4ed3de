/*
 * `berth-unpack apply`: a layer archive on stdin → a directory that serves as an overlay lower layer.
 *
 * The directory must be empty. On failure it is emptied again: no half-made layer stays. Like every
 * tar, it leaves it to the caller when the disk shall have everything (the agent flushes once for many
 * layers, in the background); --sync syncs the file system before the answer is given.
 */
#include "extract.h"
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "remove.h"
#include "usage.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int check_empty(int fd, const char *path, struct error *err) {
    struct listing names;
    if (listing_read(&names, fd, path, err) < 0)
        return -1;
    size_t count = names.count;
    listing_free(&names);
    if (count > 0)
        return error_set(err, "failed_precondition", "open", path, "the directory \"%.256s\" is not empty",
                         path);
    return 0;
}

/* Best effort: the error that led here is the one to report. */
static void empty_again(int fd, const char *path) {
    struct listing names;
    struct error ignored;
    if (listing_read(&names, fd, path, &ignored) < 0)
        return;
    for (size_t i = 0; i < names.count; i++)
        (void)remove_entry(fd, names.names[i], &ignored);
    listing_free(&names);
}

static int apply(int fd, const struct extract_options *options, struct extract *x,
                 struct input_summary *summary, struct error *err) {
    struct input *in = input_open(STDIN_FILENO, options->max_bytes, err);
    if (!in)
        return -1;
    extract_begin(x, fd, options);
    int result = extract_archive(x, in, err);
    if (result == 0)
        result = input_finish(in, summary, err);
    extract_end(x);
    input_close(in);
    return result;
}

int verb_apply(int argc, char **argv, struct error *err) {
    const char *target = NULL;
    bool sync = false;
    struct extract_options options = {.layer = true};
    const struct option_spec specs[] = {{"target", OPTION_TEXT, &target, NULL},
                                        {"max-bytes", OPTION_NUMBER, &options.max_bytes, NULL},
                                        {"max-entries", OPTION_NUMBER, &options.max_entries, NULL},
                                        {"sync", OPTION_FLAG, &sync, NULL},
                                        {0}};
    if (options_parse(specs, argc, argv, err) < 0 || options_require(target, "target", err) < 0)
        return -1;
    options.write_early = sync;
    cleanup_fd int fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open", target, "cannot open the target \"%.256s\"", target);
    if (check_empty(fd, target, err) < 0)
        return -1;
    struct extract x = {0};
    struct input_summary summary = {0};
    struct usage usage = {0};
    int result = apply(fd, &options, &x, &summary, err);
    usage.size_bytes = x.made_bytes;
    if (result == 0 && x.replaced)
        result = usage_measure(fd, &usage, err);
    if (result == 0 && sync && syncfs(fd) < 0)
        result = error_errno(err, errno, "sync", target, "cannot sync the file system of \"%.256s\"", target);
    if (result < 0) {
        empty_again(fd, target);
        return -1;
    }
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    verb_put_summary(&w, &summary);
    json_member_uint(&w, "entries", x.entries);
    json_member_uint(&w, "usageBytes", usage.size_bytes);
    json_member_uint(&w, "skippedXattrs", x.skipped_xattrs);
    json_end_object(&w);
    return verb_answer(STDOUT_FILENO, &w, err);
}

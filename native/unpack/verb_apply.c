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
    struct extract_result made;
    struct usage usage = {0};
    int result = extract_stream(STDIN_FILENO, fd, NULL, &options, &made, err);
    usage.size_bytes = made.made_bytes;
    if (result == 0 && made.replaced)
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
    verb_put_summary(&w, &made.summary);
    json_member_uint(&w, "entries", made.entries);
    json_member_uint(&w, "usageBytes", usage.size_bytes);
    json_member_uint(&w, "skippedXattrs", made.skipped_xattrs);
    json_end_object(&w);
    return verb_answer(STDOUT_FILENO, &w, err);
}

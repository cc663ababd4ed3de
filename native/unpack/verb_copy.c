/*
 * `berth-unpack copy`: a directory's content out of a root into an empty host directory, for a volume's first
 * use. The archive writer and the archive reader are joined by a pipe, so that what is copied (owners,
 * attributes, hard links, devices) and what is refused is the same as everywhere else. Sockets are not
 * copied.
 */
#include "extract.h"
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "pack.h"
#include "remove.h"
#include "root.h"
#include "tar_write.h"
#include "tree.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

struct sender {
    int source, pipe;
    int result;
    struct error error;
};

static void *send_thread(void *argument) {
    struct sender *s = argument;
    struct packer packer = {0};
    struct input_summary summary;
    struct stat st;
    s->result = -1;
    packer.out = output_open(s->pipe, OUTPUT_NONE, 0, &s->error);
    if (packer.out) {
        /* The top entry brings the directory's own owner, mode and times along. */
        s->result = fstatat(s->source, ".", &st, 0) < 0
                        ? error_errno(&s->error, errno, "copy", NULL, "cannot stat the directory")
                        : pack_entry(&packer, s->source, ".", "", &st, &s->error);
        if (s->result == 0)
            s->result = pack_children(&packer, s->source, "", 0, &s->error);
        if (s->result == 0)
            s->result = tar_end(packer.out, &s->error);
        if (s->result == 0)
            s->result = output_finish(packer.out, &summary, &s->error);
    }
    packer_close(&packer);
    output_close(packer.out);
    close(s->pipe);
    return NULL;
}

static int receive(int target, int pipe_fd, struct error *err) {
    struct extract_options options = {.keep_top = true};
    struct input_summary summary;
    struct extract x;
    struct input *in = input_open(pipe_fd, 0, err);
    if (!in)
        return -1;
    extract_begin(&x, target, &options);
    int result = extract_archive(&x, in, err);
    if (result == 0)
        result = input_finish(in, &summary, err);
    extract_end(&x);
    input_close(in);
    return result;
}

static int copy(int source, int target, struct error *err) {
    int ends[2];
    pthread_t thread;
    struct sender sender = {.source = source};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "copy", NULL, "cannot make a pipe");
    sender.pipe = ends[1];
    if (pthread_create(&thread, NULL, send_thread, &sender) != 0) {
        close(ends[0]);
        close(ends[1]);
        return error_errno(err, EAGAIN, "copy", NULL, "cannot start a thread");
    }
    int result = receive(target, ends[0], err);
    close(ends[0]); /* a sender that is still writing gets EPIPE and ends */
    pthread_join(thread, NULL);
    if (sender.result < 0 && (result == 0 || sender.error.code[0] != 'c')) /* "cancelled" is our own doing */
        *err = sender.error;
    return sender.result < 0 ? -1 : result;
}

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
    return source < 0 ? -1 : copy(source, target, err);
}

/*
 * berth-unpack: layer archives ⇄ directories, and files in and out of containers' roots.
 *
 * No code of an image or a container ever runs here: the program never changes its root, never asks the name
 * service, never sets a locale and never converts character sets (see archive_in.c). It is short-lived, and
 * its command line is the page native/README.md.
 */
#include "verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    verb *run;
} verbs[] = {
    {"apply", verb_apply},
    {"changes", verb_changes},
    {"compress", verb_compress},
    {"copy", verb_copy},
    {"delete-tree", verb_delete_tree},
    {"diff", verb_diff},
    {"export", verb_export},
    {"get", verb_get},
    {"list", verb_list},
    {"mkdir", verb_mkdir},
    {"place", verb_place},
    {"probe", verb_probe},
    {"put", verb_put},
    {"remove", verb_remove},
    {"rename", verb_rename},
    {"stat", verb_stat},
    {"usage", verb_usage},
};

int verb_answer(int fd, struct json_writer *w, struct error *err) {
    json_newline(w);
    const char *at = w->data;
    size_t left = w->length;
    int result = w->failed ? error_errno(err, ENOMEM, "answer", NULL, "no memory for the answer") : 0;
    while (result == 0 && left > 0) {
        ssize_t put = write(fd, at, left);
        if (put < 0 && errno != EINTR)
            result = error_errno(err, errno, "answer", NULL, "cannot write the answer");
        if (put > 0) {
            at += put;
            left -= (size_t)put;
        }
    }
    json_writer_free(w);
    return result;
}

void verb_put_summary(struct json_writer *w, const struct input_summary *summary) {
    json_member_string(w, "digest", summary->digest);
    json_member_uint(w, "sizeBytes", summary->size_bytes);
    json_member_string(w, "diffId", summary->diff_id);
    json_member_uint(w, "plainBytes", summary->plain_bytes);
}

int main(int argc, char **argv) {
    struct error err = {0};
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error with a sentence */
    int result = -1;
    if (argc < 2)
        error_set(&err, "invalid_argument", "options", NULL,
                  "usage: berth-unpack VERB [OPTIONS] (see native/README.md)");
    else {
        size_t i = 0, count = sizeof(verbs) / sizeof(*verbs);
        while (i < count && strcmp(verbs[i].name, argv[1]) != 0)
            i++;
        result = i < count ? verbs[i].run(argc - 2, argv + 2, &err)
                           : error_set(&err, "invalid_argument", "options", NULL, "unknown verb \"%.64s\"",
                                       argv[1]);
    }
    if (result == 0)
        return 0;
    error_write(STDERR_FILENO, &err);
    return 1;
}

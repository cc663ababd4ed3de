/* `berth-unpack compress`: a plain layer archive (or anything) on stdin → gzip or zstd on stdout, hashing
 * both. */
#include "options.h"
#include "output.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ANSWER_FD 3

static int copy(struct output *out, struct error *err) {
    for (;;) {
        size_t room;
        uint8_t *block = output_room(out, &room, err);
        if (!block)
            return -1;
        ssize_t got = read(STDIN_FILENO, block, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "read", NULL, "cannot read the input");
        if (got == 0)
            return 0;
        output_advance(out, (size_t)got);
    }
}

int verb_compress(int argc, char **argv, struct error *err) {
    const char *kind = "gzip";
    uint64_t level = 0;
    const struct option_spec specs[] = {
        {"compress", OPTION_TEXT, &kind, NULL}, {"level", OPTION_NUMBER, &level, NULL}, {0}};
    enum output_compression compression;
    struct input_summary summary;
    if (options_parse(specs, argc, argv, err) < 0 || output_parse_compression(kind, &compression, err) < 0)
        return -1;
    struct output *out = output_open(STDOUT_FILENO, compression, level > 1000 ? 1000 : (int)level, err);
    int result = out ? copy(out, err) : -1;
    if (result == 0)
        result = output_finish(out, &summary, err);
    output_close(out);
    if (result < 0 || fcntl(ANSWER_FD, F_GETFD) < 0)
        return result;
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    verb_put_summary(&w, &summary);
    json_end_object(&w);
    return verb_answer(ANSWER_FD, &w, err);
}

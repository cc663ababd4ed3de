/* `berth-unpack compress`: a layer archive (or anything) on stdin, plain or compressed in whatever way → gzip
 * or zstd on stdout, hashing both. */
#include "input.h"
#include "options.h"
#include "output.h"
#include "verbs.h"

#include <fcntl.h>
#include <unistd.h>

#define ANSWER_FD 3

static int copy(struct input *in, struct output *out, struct error *err) {
    struct input_summary unused;
    const void *block;
    for (;;) {
        ssize_t got = input_next(in, &block, err);
        if (got < 0)
            return -1;
        if (got == 0)
            return input_finish(in, &unused, err);
        if (output_append(out, block, (size_t)got, err) < 0)
            return -1;
    }
}

int verb_compress(int argc, char **argv, struct error *err) {
    const char *kind = "gzip";
    uint64_t level = 0, max_bytes = 0;
    const struct option_spec specs[] = {{"compress", OPTION_TEXT, &kind, NULL},
                                        {"level", OPTION_NUMBER, &level, NULL},
                                        {"max-bytes", OPTION_NUMBER, &max_bytes, NULL},
                                        {0}};
    enum output_compression compression;
    struct input_summary summary;
    if (options_parse(specs, argc, argv, err) < 0 || output_parse_compression(kind, &compression, err) < 0)
        return -1;
    struct output *out = output_open(STDOUT_FILENO, compression, level > 1000 ? 1000 : (int)level, err);
    struct input *in = out ? input_open(STDIN_FILENO, max_bytes, err) : NULL;
    int result = in ? copy(in, out, err) : -1;
    if (result == 0)
        result = output_finish(out, &summary, err);
    input_close(in);
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

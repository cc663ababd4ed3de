/* `berth-unpack diff` and `changes`: what the upper directory of an overlay changes. */
#include "diff.h"
#include "lib/cleanup.h"
#include "listing.h"
#include "options.h"
#include "tar_write.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_FD 3

static int open_layers(const char *upper, const struct option_list *lower, int *fd, struct lower_dirs *dirs,
                       struct error *err) {
    if (options_require(upper, "upper", err) < 0)
        return -1;
    listing_raise_descriptor_limit();
    *fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return error_errno(err, errno, "open", upper, "cannot open the upper directory \"%.256s\"", upper);
    return lower_dirs_open(dirs, lower->values, lower->count, err);
}

static int write_layer(struct output *out, int upper, const struct lower_dirs *lower, struct id_range ids,
                       struct input_summary *summary, uint64_t *entries, struct error *err) {
    struct packer packer = {.out = out};
    int result = diff_pack(&packer, upper, lower, ids, err);
    *entries = packer.entries;
    packer_close(&packer);
    if (result == 0)
        result = tar_end(out, err);
    return result == 0 ? output_finish(out, summary, err) : -1;
}

int verb_diff(int argc, char **argv, struct error *err) {
    const char *upper = NULL, *compress = "none";
    uint64_t level = 0, entries = 0, id_base = 0, id_size = 0;
    struct option_list lower = {0};
    const struct option_spec specs[] = {{"upper", OPTION_TEXT, &upper, NULL},
                                        {"lower", OPTION_LIST, &lower, NULL},
                                        {"compress", OPTION_TEXT, &compress, NULL},
                                        {"level", OPTION_NUMBER, &level, NULL},
                                        {"id-base", OPTION_NUMBER, &id_base, NULL},
                                        {"id-size", OPTION_NUMBER, &id_size, NULL},
                                        {0}};
    enum output_compression compression = OUTPUT_NONE;
    struct lower_dirs dirs = {0};
    cleanup_fd int fd = -1;
    struct input_summary summary;
    if (options_parse(specs, argc, argv, err) < 0 ||
        output_parse_compression(compress, &compression, err) < 0)
        return -1;
    int result = open_layers(upper, &lower, &fd, &dirs, err);
    struct output *out =
        result == 0 ? output_open(STDOUT_FILENO, compression, level > 1000 ? 1000 : (int)level, err) : NULL;
    struct id_range ids = {.base = (uint32_t)id_base, .size = (uint32_t)id_size};
    result = out ? write_layer(out, fd, &dirs, ids, &summary, &entries, err) : -1;
    output_close(out);
    lower_dirs_free(&dirs);
    free(lower.values);
    if (result < 0 || fcntl(ANSWER_FD, F_GETFD) < 0)
        return result; /* whoever does not open descriptor 3 does not want the answer */
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    verb_put_summary(&w, &summary);
    json_member_uint(&w, "entries", entries);
    json_end_object(&w);
    return verb_answer(ANSWER_FD, &w, err);
}

int verb_changes(int argc, char **argv, struct error *err) {
    const char *upper = NULL;
    uint64_t id_base = 0, id_size = 0;
    struct option_list lower = {0};
    const struct option_spec specs[] = {{"upper", OPTION_TEXT, &upper, NULL},
                                        {"lower", OPTION_LIST, &lower, NULL},
                                        {"id-base", OPTION_NUMBER, &id_base, NULL},
                                        {"id-size", OPTION_NUMBER, &id_size, NULL},
                                        {0}};
    struct lower_dirs dirs = {0};
    cleanup_fd int fd = -1;
    if (options_parse(specs, argc, argv, err) < 0)
        return -1;
    int result = open_layers(upper, &lower, &fd, &dirs, err);
    if (result == 0)
        result = diff_print_changes(
            fd, &dirs, (struct id_range){.base = (uint32_t)id_base, .size = (uint32_t)id_size}, err);
    lower_dirs_free(&dirs);
    free(lower.values);
    return result;
}

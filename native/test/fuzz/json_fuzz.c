/* The JSON reader on any bytes: it must neither crash nor accept what its own writer cannot write back the
 * same. */
#include "lib/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(const struct json_value *value, size_t *length) {
    struct json_writer w;
    json_writer_init(&w, 0);
    json_copy(&w, value);
    if (w.failed)
        abort();
    char *copy = malloc(w.length + 1);
    if (!copy)
        abort();
    memcpy(copy, w.data, w.length);
    *length = w.length;
    json_writer_free(&w);
    return copy;
}

/* What a document looks like once read and written. The text is freed. NULL if it is no document. */
static char *pass(char *text, size_t length, size_t *out_length) {
    struct json_doc doc = {0};
    struct error err;
    char *out = NULL;
    if (json_parse(&doc, text, length, "fuzz", &err) == 0)
        out = text_of(doc.root, out_length);
    json_free(&doc);
    free(text);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t length;
    char *text = malloc(size + 1);
    if (!text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    char *first = pass(text, size, &length);
    if (!first)
        return 0;
    /* The first writing may turn -0.0 into -0 and the second that into 0; from then on nothing changes. */
    size_t second_length, third_length;
    char *second = pass(first, length, &second_length);
    if (!second)
        abort();
    char *kept = malloc(second_length + 1);
    if (!kept)
        abort();
    memcpy(kept, second, second_length);
    char *third = pass(second, second_length, &third_length);
    if (!third || third_length != second_length || memcmp(kept, third, third_length) != 0)
        abort();
    free(kept);
    free(third);
    return 0;
}

/* Unit tests of lib/json.c, lib/json_write.c and lib/error.c. */
#include "error.h"
#include "json.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

/* Parses a copy of text; returns 0 or -1 as json_parse does. The copy is owned by doc. */
static int parse_n(struct json_doc *doc, const char *text, size_t length, struct error *err) {
    char *copy = check_memory(malloc(length + 1));
    *doc = (struct json_doc){0};
    *err = (struct error){0};
    memcpy(copy, text, length);
    if (json_parse(doc, copy, length, "test.json", err) < 0) {
        free(copy);
        return -1;
    }
    doc->text = copy;
    return 0;
}

static int refused(const char *text) {
    struct json_doc doc;
    struct error err;
    int result = parse_n(&doc, text, strlen(text), &err);
    json_free(&doc);
    return result < 0 && strcmp(err.code, "invalid_argument") == 0;
}

static void reads_values(void) {
    struct json_doc doc;
    struct error err;
    uint64_t big;
    int64_t n;
    const char text[] =
        " {\"a\": [1, -2, 3.5, 1e3, true, false, null], \"s\": \"x\\u00e9\\ud83d\\ude00\\n\\/\","
        "\"max\": 18446744073709551615, \"min\": -9223372036854775808, \"o\": {}, \"n\": null, "
        "\"k\":1,\"k\":2} ";
    CHECK(parse_n(&doc, text, sizeof(text) - 1, &err) == 0);
    const struct json_value *a = json_get(doc.root, "a");
    CHECK(a && a->count == 7 && json_first(a)->integer == 1 && json_first(a)->next->integer == -2);
    CHECK(json_first(a)->next->next->number == 3.5);
    CHECK(json_to_int64(json_first(a)->next->next->next, &n) && n == 1000);
    CHECK(!json_to_int64(json_first(a)->next->next, &n));
    CHECK_STRING(json_get_string(doc.root, "s", ""), "x\xc3\xa9\xf0\x9f\x98\x80\n/");
    CHECK(json_to_uint64(json_get(doc.root, "max"), &big) && big == UINT64_MAX);
    CHECK(!json_to_int64(json_get(doc.root, "max"), &n));
    CHECK(json_get_int(doc.root, "min", 0) == INT64_MIN);
    CHECK(!json_to_uint64(json_get(doc.root, "min"), &big));
    CHECK(json_get(doc.root, "n") == NULL && json_get(doc.root, "absent") == NULL);
    CHECK(json_first(json_get(doc.root, "o")) == NULL);
    CHECK(json_get_int(doc.root, "k", 0) == 2);
    CHECK(json_get_bool(doc.root, "k", true) == true);
    json_free(&doc);
}

static void refuses_what_is_not_json(void) {
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "1e+",
        "1e999",
        "tru",
        "nul",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800x\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"a\\u0000b\"",
        "\"\n\"",
        "\"\x01\"",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x82\"",
        "1 2",
        "{} x",
        "NaN",
        "Infinity",
        "'a'",
        "[1 2]",
        "{\"a\" 1}",
        "// c\n1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!refused(bad[i])) {
            CHECK(!"accepted bad JSON");
            fprintf(stderr, "  accepted: %s\n", bad[i]);
        }
    struct json_doc doc;
    struct error err;
    CHECK(parse_n(&doc, "\"a\0b\"", 5, &err) < 0);
    CHECK(parse_n(&doc, "{\n \"a\": x}", 10, &err) < 0);
    CHECK_STRING(err.message, "test.json: line 2, column 7: value expected");
}

static void bounds_depth(void) {
    char text[2 * JSON_MAX_DEPTH + 8];
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    text[2 * JSON_MAX_DEPTH] = '\0';
    CHECK(!refused(text));
    memset(text, '[', JSON_MAX_DEPTH + 1);
    memset(text + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
    text[2 * JSON_MAX_DEPTH + 2] = '\0';
    CHECK(refused(text));
}

static void bounds_number_of_values(void) {
    size_t count = JSON_MAX_VALUES + 2, length = count * 2 + 1;
    char *text = check_memory(malloc(length + 1));
    text[0] = '[';
    for (size_t i = 0; i < count; i++)
        memcpy(text + 1 + i * 2, "1,", 2);
    text[length - 1] = ']';
    text[length] = '\0';
    CHECK(refused(text));
    free(text);
}

static void writes(void) {
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_string(&w, "s", "a\"\\\n\x01\xff\xc3\xa9");
    json_member_int(&w, "i", INT64_MIN);
    json_member_uint(&w, "u", UINT64_MAX);
    json_member_bool(&w, "b", true);
    json_key(&w, "a");
    json_begin_array(&w);
    json_null(&w);
    json_double(&w, 0.5);
    json_begin_object(&w);
    json_end_object(&w);
    json_end_array(&w);
    json_end_object(&w);
    json_newline(&w);
    json_raw(&w, "", 1);
    CHECK(!w.failed);
    CHECK(strncmp(w.data,
                  "{\"s\":\"a\\\"\\\\\\n\\u0001\\ufffd\xc3\xa9\",\"i\":-9223372036854775808,\"u\":"
                  "18446744073709551615,"
                  "\"b\":true,\"a\":[null,0.5,{}]}\n",
                  w.length - 2) == 0);
    json_writer_free(&w);

    json_writer_init(&w, 2);
    json_begin_object(&w);
    json_member_int(&w, "a", 1);
    json_key(&w, "b");
    json_begin_array(&w);
    json_int(&w, 1);
    json_int(&w, 2);
    json_end_array(&w);
    json_end_object(&w);
    CHECK(w.length == strlen("{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ]\n}"));
    CHECK(memcmp(w.data, "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ]\n}", w.length) == 0);
    json_writer_free(&w);
}

static void copies_what_it_read(void) {
    const char text[] = "{\"a\":[1,-2,18446744073709551615,\"x\",true,null,{\"b\":{}}]}";
    struct json_doc doc;
    struct error err;
    struct json_writer w;
    CHECK(parse_n(&doc, text, sizeof(text) - 1, &err) == 0);
    json_writer_init(&w, 0);
    json_copy(&w, doc.root);
    CHECK(w.length == sizeof(text) - 1 && memcmp(w.data, text, w.length) == 0);
    json_writer_free(&w);
    json_free(&doc);
}

static void makes_errors(void) {
    struct error err = {0};
    CHECK(error_errno(&err, ENOENT, "open", "/x", "open %s", "/x") == -1);
    CHECK_STRING(err.message, "open /x: no such file or directory");
    CHECK_STRING(err.code, "not_found");
    CHECK(error_wrap(&err, "container %s", "web") == -1);
    CHECK_STRING(err.message, "container web: open /x: no such file or directory");
    CHECK_STRING(err.step, "open");
    char longer[2000];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    error_errno(&err, EPERM, "open", longer, "%s", longer);
    CHECK(strstr(err.message, ": operation not permitted") != NULL);
    error_wrap(&err, "%s", longer);
    CHECK(strlen(err.message) == sizeof(err.message) - 1);
}

int main(void) {
    reads_values();
    refuses_what_is_not_json();
    bounds_depth();
    bounds_number_of_values();
    writes();
    copies_what_it_read();
    makes_errors();
    return check_status("json_test");
}

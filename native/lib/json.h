/*
 * JSON (RFC 8259): a strict reader into an arena, and a writer into a growing buffer.
 *
 * The reader works in place: it decodes strings inside the text it is given, so a document costs one text
 * buffer and one run of 48-byte values, no allocation per value. Text and values live until json_free. Strict
 * means: UTF-8 only, no lone surrogates, no NUL inside a string (a C string could not carry it; CVE class
 * "truncated argument"), nothing after the document, bounded size, depth and number of values. Of a key given
 * twice the last wins, as in Go's and JavaScript's readers, so that two programs never see two different
 * documents.
 */
#ifndef BERTH_LIB_JSON_H
#define BERTH_LIB_JSON_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_BYTES (16u << 20)
#define JSON_MAX_DEPTH 128
#define JSON_MAX_VALUES (1u << 20)

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_UINT,
    JSON_DOUBLE,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_value {
    enum json_type type;
    uint32_t count;          /* elements of an array, members of an object; bytes of a string */
    const char *key;         /* this member's key if the parent is an object, else NULL */
    struct json_value *next; /* next sibling */
    union {
        bool boolean;
        int64_t integer;    /* JSON_INT */
        uint64_t natural;   /* JSON_UINT: an integer above INT64_MAX */
        double number;      /* JSON_DOUBLE: a fraction, an exponent, or an integer beyond 64 bits */
        const char *string; /* NUL-terminated UTF-8 */
        struct json_value *first;
    };
};

struct json_block;

/* A parsed document. Zero-initialise before use; json_free may be called on a zeroed one. */
struct json_doc {
    const struct json_value *root;
    char *text; /* owned text if the document was read by json_read_fd */
    struct json_block *blocks;
    uint32_t values;
};

/*
 * Parses text[0..length) in place; text is modified, must have room for one more byte at text[length], and
 * must outlive doc. On failure (code invalid_argument, message with line and column) doc is empty.
 */
int json_parse(struct json_doc *doc, char *text, size_t length, const char *name, struct error *err);

/* Reads fd to its end (at most JSON_MAX_BYTES) and parses it; `name` is used in messages. doc owns the text.
 */
int json_read_fd(struct json_doc *doc, int fd, const char *name, struct error *err);

/* Releases values and owned text. */
void json_free(struct json_doc *doc);

/* Member `key` of an object; NULL if value is NULL, no object, has no such member, or the member is null. */
const struct json_value *json_get(const struct json_value *value, const char *key);

/* First element of an array or object for `for (v = json_first(a); v; v = v->next)`; NULL otherwise. */
const struct json_value *json_first(const struct json_value *value);

/* Typed look-ups with a default for "absent or of another type". */
const char *json_get_string(const struct json_value *value, const char *key, const char *otherwise);
int64_t json_get_int(const struct json_value *value, const char *key, int64_t otherwise);
bool json_get_bool(const struct json_value *value, const char *key, bool otherwise);

/* A number as int64 / uint64. False if it is not an integer of that range (a double with integral value
 * counts). */
bool json_to_int64(const struct json_value *value, int64_t *out);
bool json_to_uint64(const struct json_value *value, uint64_t *out);

/*
 * The writer. Fill, look at `failed` once at the end (memory ran out), use data/length, free. Strings may
 * hold any bytes: what is not UTF-8 becomes U+FFFD, so the output is always JSON. indent > 0 pretty-prints
 * with that many spaces.
 */
struct json_writer {
    char *data;
    size_t length, capacity;
    int indent, depth;
    bool comma, after_key, failed;
};

void json_writer_init(struct json_writer *w, int indent);
void json_writer_free(struct json_writer *w);
void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_string(struct json_writer *w, const char *string); /* NULL writes null */
void json_string_n(struct json_writer *w, const char *string, size_t length);
void json_int(struct json_writer *w, int64_t value);
void json_uint(struct json_writer *w, uint64_t value);
void json_double(struct json_writer *w, double value); /* not finite: null */
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
void json_raw(struct json_writer *w, const char *text, size_t length); /* one ready-made JSON value */
void json_copy(struct json_writer *w, const struct json_value *value); /* a value that was read */
void json_newline(struct json_writer *w);                              /* after the document: a line feed */
void json_member_string(struct json_writer *w, const char *key, const char *value);
void json_member_int(struct json_writer *w, const char *key, int64_t value);
void json_member_uint(struct json_writer *w, const char *key, uint64_t value);
void json_member_bool(struct json_writer *w, const char *key, bool value);

#endif

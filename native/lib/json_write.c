/* The JSON writer; json.c has the reader. See json.h for what both promise. */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct json_writer *w, const char *data, size_t length) {
    if (w->failed)
        return;
    if (w->capacity - w->length < length) {
        size_t capacity = w->capacity ? w->capacity : 256;
        while (capacity - w->length < length)
            capacity *= 2;
        char *grown = realloc(w->data, capacity);
        if (!grown) {
            w->failed = true;
            return;
        }
        w->data = grown;
        w->capacity = capacity;
    }
    memcpy(w->data + w->length, data, length);
    w->length += length;
}

static void put_line(struct json_writer *w) {
    if (!w->indent)
        return;
    put(w, "\n", 1);
    for (int i = 0; i < w->indent * w->depth; i++)
        put(w, " ", 1);
}

/* Before every value: the comma and line break that it needs where it stands. */
static void begin_value(struct json_writer *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->comma)
        put(w, ",", 1);
    if (w->depth > 0)
        put_line(w);
}

static void open_bracket(struct json_writer *w, const char *bracket) {
    begin_value(w);
    put(w, bracket, 1);
    w->depth++;
    w->comma = false;
}

static void close_bracket(struct json_writer *w, const char *bracket) {
    bool empty = !w->comma;
    w->depth--;
    if (!empty)
        put_line(w);
    put(w, bracket, 1);
    w->comma = true;
}

static int utf8_sequence(const unsigned char *s, size_t left) {
    int length = s[0] < 0x80                    ? 1
                 : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
                 : (s[0] & 0xf0) == 0xe0        ? 3
                 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                                : 0;
    if (length == 0 || (size_t)length > left)
        return 0;
    for (int i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

static void put_quoted(struct json_writer *w, const char *string, size_t length) {
    const unsigned char *s = (const unsigned char *)string;
    put(w, "\"", 1);
    for (size_t i = 0; i < length;) {
        size_t run = i;
        while (run < length && s[run] >= 0x20 && s[run] < 0x7f && s[run] != '"' && s[run] != '\\')
            run++;
        put(w, string + i, run - i);
        i = run;
        if (i == length)
            break;
        char escaped[8];
        int bytes = utf8_sequence(s + i, length - i);
        if (bytes > 1) {
            put(w, string + i, (size_t)bytes);
            i += (size_t)bytes;
            continue;
        }
        if (s[i] == '"' || s[i] == '\\')
            snprintf(escaped, sizeof(escaped), "\\%c", s[i]);
        else if (s[i] == '\n')
            snprintf(escaped, sizeof(escaped), "\\n");
        else if (s[i] == '\t')
            snprintf(escaped, sizeof(escaped), "\\t");
        else
            snprintf(escaped, sizeof(escaped), "\\u%04x", bytes ? s[i] : 0xfffdu);
        put(w, escaped, strlen(escaped));
        i++;
    }
    put(w, "\"", 1);
}

void json_writer_init(struct json_writer *w, int indent) {
    *w = (struct json_writer){.indent = indent};
}

void json_writer_free(struct json_writer *w) {
    free(w->data);
    *w = (struct json_writer){0};
}

void json_begin_object(struct json_writer *w) {
    open_bracket(w, "{");
}

void json_end_object(struct json_writer *w) {
    close_bracket(w, "}");
}

void json_begin_array(struct json_writer *w) {
    open_bracket(w, "[");
}

void json_end_array(struct json_writer *w) {
    close_bracket(w, "]");
}

void json_key(struct json_writer *w, const char *key) {
    begin_value(w);
    put_quoted(w, key, strlen(key));
    put(w, ": ", w->indent ? 2 : 1);
    w->comma = true;
    w->after_key = true;
}

void json_raw(struct json_writer *w, const char *text, size_t length) {
    begin_value(w);
    put(w, text, length);
    w->comma = true;
}

void json_string_n(struct json_writer *w, const char *string, size_t length) {
    begin_value(w);
    put_quoted(w, string, length);
    w->comma = true;
}

void json_string(struct json_writer *w, const char *string) {
    if (string)
        json_string_n(w, string, strlen(string));
    else
        json_null(w);
}

void json_int(struct json_writer *w, int64_t value) {
    char text[24];
    json_raw(w, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value));
}

void json_uint(struct json_writer *w, uint64_t value) {
    char text[24];
    json_raw(w, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

void json_double(struct json_writer *w, double value) {
    char text[40];
    if (isfinite(value))
        json_raw(w, text, (size_t)snprintf(text, sizeof(text), "%.17g", value));
    else
        json_null(w);
}

void json_bool(struct json_writer *w, bool value) {
    json_raw(w, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *w) {
    json_raw(w, "null", 4);
}

/* Recursion is bounded by JSON_MAX_DEPTH, which the reader enforced. */
void json_copy(struct json_writer *w, const struct json_value *value) {
    switch (value->type) {
    case JSON_NULL:
        json_null(w);
        return;
    case JSON_BOOL:
        json_bool(w, value->boolean);
        return;
    case JSON_INT:
        json_int(w, value->integer);
        return;
    case JSON_UINT:
        json_uint(w, value->natural);
        return;
    case JSON_DOUBLE:
        json_double(w, value->number);
        return;
    case JSON_STRING:
        json_string_n(w, value->string, value->count);
        return;
    case JSON_ARRAY:
    case JSON_OBJECT:
        open_bracket(w, value->type == JSON_ARRAY ? "[" : "{");
        for (const struct json_value *v = value->first; v; v = v->next) {
            if (v->key)
                json_key(w, v->key);
            json_copy(w, v);
        }
        close_bracket(w, value->type == JSON_ARRAY ? "]" : "}");
    }
}

void json_newline(struct json_writer *w) {
    put(w, "\n", 1);
}

void json_member_string(struct json_writer *w, const char *key, const char *value) {
    json_key(w, key);
    json_string(w, value);
}

void json_member_int(struct json_writer *w, const char *key, int64_t value) {
    json_key(w, key);
    json_int(w, value);
}

void json_member_uint(struct json_writer *w, const char *key, uint64_t value) {
    json_key(w, key);
    json_uint(w, value);
}

void json_member_bool(struct json_writer *w, const char *key, bool value) {
    json_key(w, key);
    json_bool(w, value);
}

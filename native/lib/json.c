/* The JSON reader; json_get.c asks what was read, json_write.c has the writer. See json.h for what they
 * promise. */
#include "json.h"

#include "cleanup.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct json_block {
    struct json_block *previous;
    size_t used, capacity;
    struct json_value values[];
};

struct parser {
    struct json_doc *doc;
    char *start, *at, *end;
    const char *name;
    int depth;
    struct error *err;
};

static int parse_value(struct parser *p, struct json_value *value);

static int fail(struct parser *p, const char *what) {
    int line = 1;
    const char *line_start = p->start;
    for (const char *c = p->start; c < p->at && c < p->end; c++) {
        if (*c == '\n') {
            line++;
            line_start = c + 1;
        }
    }
    return error_set(p->err, "invalid_argument", "parse", p->name, "%s: line %d, column %ld: %s", p->name,
                     line, (long)(p->at - line_start) + 1, what);
}

static struct json_value *new_value(struct parser *p) {
    struct json_doc *doc = p->doc;
    struct json_block *block = doc->blocks;
    if (doc->values >= JSON_MAX_VALUES) {
        fail(p, "too many values");
        return NULL;
    }
    if (!block || block->used == block->capacity) {
        size_t capacity = block ? block->capacity * 2 : 64;
        struct json_block *grown = malloc(sizeof(*grown) + capacity * sizeof(struct json_value));
        if (!grown) {
            error_errno(p->err, ENOMEM, "parse", p->name, "%s", p->name);
            return NULL;
        }
        *grown = (struct json_block){.previous = block, .capacity = capacity};
        doc->blocks = block = grown;
    }
    doc->values++;
    struct json_value *value = &block->values[block->used++];
    *value = (struct json_value){.type = JSON_NULL};
    return value;
}

static void skip_space(struct parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static int hex4(const char *s, const char *end, unsigned *out) {
    unsigned value = 0;
    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        else
            return -1;
        value = value << 4 | digit;
    }
    *out = value;
    return 0;
}

/* Writes code point c as UTF-8 at out (an escape is never shorter than its bytes). Returns the byte after it.
 */
static char *put_utf8(char *out, unsigned c) {
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* Decodes the \uXXXX at p->at (which is at 'u'), surrogate pairs included, into *out. */
static int parse_unicode_escape(struct parser *p, char **out) {
    unsigned c, low;
    if (hex4(p->at + 1, p->end, &c) < 0)
        return fail(p, "\\u needs four hexadecimal digits");
    p->at += 5;
    if (c >= 0xdc00 && c <= 0xdfff)
        return fail(p, "lone surrogate in string");
    if (c >= 0xd800 && c <= 0xdbff) {
        if (p->end - p->at < 6 || p->at[0] != '\\' || p->at[1] != 'u' || hex4(p->at + 2, p->end, &low) < 0 ||
            low < 0xdc00 || low > 0xdfff)
            return fail(p, "lone surrogate in string");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        p->at += 6;
    }
    if (c == 0)
        return fail(p, "NUL character in string");
    *out = put_utf8(*out, c);
    return 0;
}

static int parse_escape(struct parser *p, char **out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    p->at++;
    if (p->at >= p->end)
        return fail(p, "unterminated string");
    if (*p->at == 'u')
        return parse_unicode_escape(p, out);
    const char *found = *p->at ? strchr(from, *p->at) : NULL;
    if (!found)
        return fail(p, "unknown escape in string");
    *(*out)++ = to[found - from];
    p->at++;
    return 0;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), 0 if there is none.
 */
static int utf8_length(const unsigned char *s, const unsigned char *end) {
    unsigned char c = s[0];
    int length;
    unsigned char low = 0x80, high = 0xbf;
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf) {
        length = 2;
    } else if (c >= 0xe0 && c <= 0xef) {
        length = 3;
        low = c == 0xe0 ? 0xa0 : 0x80;
        high = c == 0xed ? 0x9f : 0xbf;
    } else if (c >= 0xf0 && c <= 0xf4) {
        length = 4;
        low = c == 0xf0 ? 0x90 : 0x80;
        high = c == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (end - s < length || s[1] < low || s[1] > high)
        return 0;
    for (int i = 2; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Parses the string whose opening quote is at p->at; *string points into the text. */
static int parse_string(struct parser *p, const char **string, uint32_t *length) {
    char *begin = ++p->at, *out = begin;
    while (p->at < p->end) {
        unsigned char c = (unsigned char)*p->at;
        if (c == '"') {
            p->at++;
            *out = '\0';
            *string = begin;
            *length = (uint32_t)(out - begin);
            return 0;
        }
        if (c == '\\') {
            if (parse_escape(p, &out) < 0)
                return -1;
        } else if (c < 0x20) {
            return fail(p, "control character in string");
        } else {
            int bytes = utf8_length((unsigned char *)p->at, (unsigned char *)p->end);
            if (!bytes)
                return fail(p, "string is not valid UTF-8");
            while (bytes--)
                *out++ = *p->at++;
        }
    }
    return fail(p, "unterminated string");
}

static bool is_digit(const struct parser *p) {
    return p->at < p->end && *p->at >= '0' && *p->at <= '9';
}

static int skip_digits(struct parser *p) {
    if (!is_digit(p))
        return fail(p, "digit expected");
    while (is_digit(p))
        p->at++;
    return 0;
}

/* Integers that fit 64 bits stay exact: limits and masks of the runtime spec use the whole range. */
static bool exact_integer(const char *s, const char *end, struct json_value *value) {
    bool negative = *s == '-';
    uint64_t n = 0;
    for (s += negative; s < end; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    if (negative) {
        if (n > (uint64_t)INT64_MAX + 1)
            return false;
        value->type = JSON_INT;
        value->integer = (int64_t)(0 - n);
    } else if (n > INT64_MAX) {
        value->type = JSON_UINT;
        value->natural = n;
    } else {
        value->type = JSON_INT;
        value->integer = (int64_t)n;
    }
    return true;
}

static int parse_number(struct parser *p, struct json_value *value) {
    const char *begin = p->at;
    bool integral = true;
    if (*p->at == '-')
        p->at++;
    if (p->at < p->end && *p->at == '0')
        p->at++;
    else if (skip_digits(p) < 0)
        return -1;
    if (p->at < p->end && *p->at == '.') {
        integral = false;
        p->at++;
        if (skip_digits(p) < 0)
            return -1;
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        integral = false;
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (skip_digits(p) < 0)
            return -1;
    }
    if (integral && exact_integer(begin, p->at, value))
        return 0;
    value->type = JSON_DOUBLE;
    value->number = strtod(begin, NULL); /* the text ends in a NUL, so this cannot run past it */
    if (!isfinite(value->number))
        return fail(p, "number out of range");
    return 0;
}

static int parse_word(struct parser *p, const char *word, struct json_value *value, enum json_type type,
                      bool boolean) {
    size_t length = strlen(word);
    if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0)
        return fail(p, "value expected");
    p->at += length;
    value->type = type;
    value->boolean = boolean;
    return 0;
}

/* After an element: true if another follows, false at the closing bracket; *failed on anything else. */
static bool more_elements(struct parser *p, char close, bool *failed) {
    skip_space(p);
    if (p->at < p->end && *p->at == ',') {
        p->at++;
        skip_space(p);
        return true;
    }
    if (p->at < p->end && *p->at == close)
        p->at++;
    else
        *failed = fail(p, close == ']' ? "',' or ']' expected" : "',' or '}' expected") < 0;
    return false;
}

static int parse_member_key(struct parser *p, const char **key) {
    uint32_t length;
    if (p->at >= p->end || *p->at != '"')
        return fail(p, "key expected");
    if (parse_string(p, key, &length) < 0)
        return -1;
    skip_space(p);
    if (p->at >= p->end || *p->at != ':')
        return fail(p, "':' expected");
    p->at++;
    return 0;
}

static int parse_container(struct parser *p, struct json_value *value, char close) {
    struct json_value **link = &value->first;
    bool failed = false;
    value->type = close == ']' ? JSON_ARRAY : JSON_OBJECT;
    value->first = NULL;
    if (++p->depth > JSON_MAX_DEPTH)
        return fail(p, "nested too deeply");
    p->at++;
    skip_space(p);
    if (p->at < p->end && *p->at == close) {
        p->at++;
        p->depth--;
        return 0;
    }
    do {
        const char *key = NULL;
        if (close == '}' && parse_member_key(p, &key) < 0)
            return -1;
        struct json_value *element = new_value(p);
        if (!element || parse_value(p, element) < 0)
            return -1;
        element->key = key;
        *link = element;
        link = &element->next;
        value->count++;
    } while (more_elements(p, close, &failed));
    p->depth--;
    return failed ? -1 : 0;
}

static int parse_value(struct parser *p, struct json_value *value) {
    skip_space(p);
    if (p->at >= p->end)
        return fail(p, "value expected");
    switch (*p->at) {
    case '{':
        return parse_container(p, value, '}');
    case '[':
        return parse_container(p, value, ']');
    case '"':
        value->type = JSON_STRING;
        return parse_string(p, &value->string, &value->count);
    case 't':
        return parse_word(p, "true", value, JSON_BOOL, true);
    case 'f':
        return parse_word(p, "false", value, JSON_BOOL, false);
    case 'n':
        return parse_word(p, "null", value, JSON_NULL, false);
    default:
        if (*p->at == '-' || is_digit(p))
            return parse_number(p, value);
        return fail(p, "value expected");
    }
}

int json_parse(struct json_doc *doc, char *text, size_t length, const char *name, struct error *err) {
    struct parser p = {.doc = doc, .start = text, .at = text, .end = text + length, .name = name, .err = err};
    doc->root = NULL;
    if (length > JSON_MAX_BYTES)
        return error_set(err, "invalid_argument", "parse", name, "%s: larger than %u bytes", name,
                         JSON_MAX_BYTES);
    text[length] = '\0';
    struct json_value *root = new_value(&p);
    int result = root ? parse_value(&p, root) : -1;
    if (result == 0) {
        skip_space(&p);
        if (p.at != p.end)
            result = fail(&p, "unexpected text after the document");
    }
    if (result == 0)
        doc->root = root;
    else
        json_free(doc);
    return result;
}

int json_read_fd(struct json_doc *doc, int fd, const char *name, struct error *err) {
    size_t capacity = 16384, length = 0;
    cleanup_free char *text = malloc(capacity + 1);
    for (;;) {
        if (!text)
            return error_errno(err, ENOMEM, "read", name, "read %s", name);
        ssize_t got = read(fd, text + length, capacity - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, errno, "read", name, "read %s", name);
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > JSON_MAX_BYTES)
            return error_set(err, "invalid_argument", "read", name, "%s: larger than %u bytes", name,
                             JSON_MAX_BYTES);
        if (length == capacity) {
            char *grown = realloc(text, capacity * 2 + 1);
            if (!grown)
                return error_errno(err, ENOMEM, "read", name, "read %s", name);
            text = grown;
            capacity *= 2;
        }
    }
    if (json_parse(doc, text, length, name, err) < 0)
        return -1;
    doc->text = text;
    text = NULL;
    return 0;
}

void json_free(struct json_doc *doc) {
    for (struct json_block *block = doc->blocks, *previous; block; block = previous) {
        previous = block->previous;
        free(block);
    }
    free(doc->text);
    *doc = (struct json_doc){0};
}

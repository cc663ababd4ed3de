#include "user.h"

#include <string.h>

static int parse_digits(const char *text, size_t length, uint32_t *id) {
    uint64_t value = 0;
    if (length == 0 || length > 10)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value >= UINT32_MAX) /* (uid_t)-1 means "unchanged" to setresuid */
        return -1;
    *id = (uint32_t)value;
    return 0;
}

static int bad(const char *text, struct error *err) {
    return error_set(err, "invalid_argument", "user", NULL,
                     "invalid user \"%.100s\": expected UID or UID:GID, decimal numbers from 0 to 4294967294",
                     text);
}

int user_parse_id(const char *text, uint32_t *id, struct error *err) {
    return parse_digits(text, strlen(text), id) < 0 ? bad(text, err) : 0;
}

int user_parse(const char *text, uint32_t *uid, uint32_t *gid, struct error *err) {
    size_t length = strcspn(text, ":");
    uint32_t new_uid, new_gid = *gid;
    if (parse_digits(text, length, &new_uid) < 0)
        return bad(text, err);
    if (text[length] == ':' && parse_digits(text + length + 1, strlen(text + length + 1), &new_gid) < 0)
        return bad(text, err);
    *uid = new_uid;
    *gid = new_gid;
    return 0;
}

/* Questions to what the JSON reader has read. */
#include "json.h"

#include <math.h>
#include <string.h>

const struct json_value *json_get(const struct json_value *value, const char *key) {
    const struct json_value *found = NULL;
    if (!value || value->type != JSON_OBJECT)
        return NULL;
    for (const struct json_value *member = value->first; member; member = member->next)
        if (strcmp(member->key, key) == 0)
            found = member;
    return found && found->type != JSON_NULL ? found : NULL;
}

const struct json_value *json_first(const struct json_value *value) {
    return value && (value->type == JSON_ARRAY || value->type == JSON_OBJECT) ? value->first : NULL;
}

const char *json_get_string(const struct json_value *value, const char *key, const char *otherwise) {
    const struct json_value *found = json_get(value, key);
    return found && found->type == JSON_STRING ? found->string : otherwise;
}

int64_t json_get_int(const struct json_value *value, const char *key, int64_t otherwise) {
    int64_t out;
    return json_to_int64(json_get(value, key), &out) ? out : otherwise;
}

bool json_get_bool(const struct json_value *value, const char *key, bool otherwise) {
    const struct json_value *found = json_get(value, key);
    return found && found->type == JSON_BOOL ? found->boolean : otherwise;
}

bool json_to_int64(const struct json_value *value, int64_t *out) {
    if (!value)
        return false;
    if (value->type == JSON_INT) {
        *out = value->integer;
        return true;
    }
    if (value->type == JSON_DOUBLE && value->number >= -9223372036854775808.0 &&
        value->number < 9223372036854775808.0 && value->number == trunc(value->number)) {
        *out = (int64_t)value->number;
        return true;
    }
    return false;
}

bool json_to_uint64(const struct json_value *value, uint64_t *out) {
    int64_t n;
    if (value && value->type == JSON_UINT) {
        *out = value->natural;
        return true;
    }
    if (value && value->type == JSON_DOUBLE && value->number >= 9223372036854775808.0 &&
        value->number < 18446744073709551616.0) {
        *out = (uint64_t)value->number;
        return true;
    }
    if (!json_to_int64(value, &n) || n < 0)
        return false;
    *out = (uint64_t)n;
    return true;
}

#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int parse_number(const char *name, const char *text, int base, uint64_t *out, struct error *err) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    if (errno != 0 || end == text || *end || strchr(text, '-') || strchr(text, '+'))
        return error_set(err, "invalid_argument", "options", NULL, "--%s needs %s, not \"%.64s\"", name,
                         base == 8 ? "an octal number" : "a number", text);
    *out = value;
    return 0;
}

static int store(const struct option_spec *spec, char *value, struct error *err) {
    struct option_list *list;
    if (spec->given)
        *spec->given = true;
    switch (spec->kind) {
    case OPTION_FLAG:
        *(bool *)spec->target = true;
        return 0;
    case OPTION_TEXT:
        *(const char **)spec->target = value;
        return 0;
    case OPTION_NUMBER:
        return parse_number(spec->name, value, 10, spec->target, err);
    case OPTION_OCTAL:
        return parse_number(spec->name, value, 8, spec->target, err);
    case OPTION_LIST:
        list = spec->target;
        char **values = realloc(list->values, ((size_t)list->count + 1) * sizeof(*values));
        if (!values)
            return error_errno(err, ENOMEM, "options", NULL, "no memory for the options");
        list->values = values;
        list->values[list->count++] = value;
        return 0;
    }
    return -1;
}

int options_parse(const struct option_spec *specs, int argc, char **argv, struct error *err) {
    for (int i = 0; i < argc; i++) {
        const struct option_spec *spec = specs;
        char *equals = strchr(argv[i], '=');
        size_t length = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        if (strncmp(argv[i], "--", 2) != 0 || length <= 2)
            return error_set(err, "invalid_argument", "options", NULL, "unexpected argument \"%.128s\"",
                             argv[i]);
        while (spec->name &&
               (strlen(spec->name) != length - 2 || strncmp(spec->name, argv[i] + 2, length - 2) != 0))
            spec++;
        if (!spec->name)
            return error_set(err, "invalid_argument", "options", NULL, "unknown option \"%.128s\"", argv[i]);
        char *value = equals ? equals + 1 : NULL;
        if (spec->kind == OPTION_FLAG && value)
            return error_set(err, "invalid_argument", "options", NULL, "--%s takes no value", spec->name);
        if (spec->kind != OPTION_FLAG && !value) {
            if (++i >= argc)
                return error_set(err, "invalid_argument", "options", NULL, "--%s needs a value", spec->name);
            value = argv[i];
        }
        if (store(spec, value, err) < 0)
            return -1;
    }
    return 0;
}

int options_require(const char *value, const char *name, struct error *err) {
    if (value && *value)
        return 0;
    return error_set(err, "invalid_argument", "options", NULL, "--%s is required", name);
}

/* Command line options as a table: `--name VALUE` or `--name=VALUE`, flags without a value, lists. */
#ifndef BERTH_UNPACK_OPTIONS_H
#define BERTH_UNPACK_OPTIONS_H

#include "lib/error.h"

#include <stdbool.h>
#include <stdint.h>

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_OCTAL, OPTION_LIST };

struct option_list {
    char **values;
    int count;
};

struct option_spec {
    const char *name; /* without the dashes; NULL ends the table */
    enum option_kind kind;
    void *target; /* bool *, const char **, uint64_t *, uint64_t *, struct option_list * */
    bool *given;  /* set if the option was there; may be NULL */
};

/* Reads argv[0..argc); anything unknown, repeated wrongly or malformed is invalid_argument. */
int options_parse(const struct option_spec *specs, int argc, char **argv, struct error *err);
/* invalid_argument if a required text option was not given. */
int options_require(const char *value, const char *name, struct error *err);

#endif

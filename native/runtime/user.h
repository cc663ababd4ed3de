/* exec --user: "UID[:GID]", numbers only, as strictly as can be (class 12: "1000x" or "-1" must never become
 * root). */
#ifndef BERTH_RUNTIME_USER_H
#define BERTH_RUNTIME_USER_H

#include "error.h"

#include <stdint.h>

/* A decimal number from 0 to 4294967294. */
int user_parse_id(const char *text, uint32_t *id, struct error *err);

/* *gid is left alone if the text has none. */
int user_parse(const char *text, uint32_t *uid, uint32_t *gid, struct error *err);

#endif

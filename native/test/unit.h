/*
 * The smallest frame for C unit tests: CHECK(cond) counts and reports, main returns check_status(). A failed
 * check does not stop the program, so one run shows every failure.
 */
#ifndef BERTH_TEST_UNIT_H
#define BERTH_TEST_UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures, check_count;

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        check_count++;                                                                                       \
        if (!(condition)) {                                                                                  \
            check_failures++;                                                                                \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                          \
        }                                                                                                    \
    } while (0)

#define CHECK_STRING(actual, expected)                                                                       \
    do {                                                                                                     \
        const char *check_actual = (actual), *check_expected = (expected);                                   \
        check_count++;                                                                                       \
        if (!check_actual || strcmp(check_actual, check_expected) != 0) {                                    \
            check_failures++;                                                                                \
            fprintf(stderr, "%s:%d: got \"%s\", expected \"%s\"\n", __FILE__, __LINE__,                      \
                    check_actual ? check_actual : "(null)", check_expected);                                 \
        }                                                                                                    \
    } while (0)

/* What malloc and its relatives gave; without memory there is nothing to test. */
static inline void *check_memory(void *memory) {
    if (!memory)
        abort();
    return memory;
}

static inline int check_status(const char *name) {
    printf("%s: %d checks, %d failed\n", name, check_count, check_failures);
    return check_failures ? 1 : 0;
}

#endif

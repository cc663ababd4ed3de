/*
 * The one error convention of the native programs.
 *
 * A function that can fail takes `struct error *err` last and returns 0 (or a descriptor, a count) on success
 * and a negative value on failure, after filling err: which step failed, on which path, the closed error code
 * of agent/contract/src/error.ts, and one sentence that names the thing and the reason. The first error wins:
 * callers pass it up unchanged or put context in front of it (error_wrap); nobody prints below main().
 */
#ifndef BERTH_LIB_ERROR_H
#define BERTH_LIB_ERROR_H

#include <stddef.h>

struct error {
    int number;       /* errno value behind it, 0 if none */
    const char *code; /* static string of the closed list: "not_found", "invalid_argument", "internal", … */
    char step[48];    /* what was being done: "mount", "cgroup", "read config" */
    char path[512];   /* the file concerned, "" if none (cut to fit) */
    char message[1024]; /* the whole sentence, path and reason included (cut to fit) */
};

/* The closed list's code for an errno value: ENOENT is "not_found", EPERM "permission_denied", … else
 * "internal". */
const char *error_code_of_errno(int number);

/* Fills err with a sentence of one's own. Always returns -1. path may be NULL. */
int error_set(struct error *err, const char *code, const char *step, const char *path, const char *format,
              ...) __attribute__((format(printf, 5, 6)));

/* Fills err from errno value `number`: the sentence becomes "<format…>: <reason>". Always returns -1. */
int error_errno(struct error *err, int number, const char *step, const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Puts "<format…>: " in front of err's sentence; step, path and code stay. Always returns -1. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Writes err as the one line `{"step","path","code","message"}` and a newline to fd (see native/README.md).
 * Failure to write is ignored: there is nobody left to tell.
 */
void error_write(int fd, const struct error *err);

/* What lets the compiler see that the three always return -1, so that it knows which variables are set after
 * a success. */
static inline int error_failed(int result) {
    (void)result;
    return -1;
}
#define error_set(...) error_failed((error_set)(__VA_ARGS__))
#define error_errno(...) error_failed((error_errno)(__VA_ARGS__))
#define error_wrap(...) error_failed((error_wrap)(__VA_ARGS__))

#endif

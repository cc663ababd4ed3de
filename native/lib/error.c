#include "error.h"

#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *error_code_of_errno(int number) {
    switch (number) {
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case ENXIO:
        return "not_found";
    case EEXIST:
        return "already_exists";
    case EPERM:
    case EACCES:
    case EROFS:
        return "permission_denied";
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
    case ENOTDIR:
    case ERANGE:
        return "invalid_argument";
    case EBUSY:
    case ENOTEMPTY:
        return "failed_precondition";
    case ENOMEM:
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case EDQUOT:
    case EAGAIN:
        return "resource_exhausted";
    case ETIMEDOUT:
    case ECONNREFUSED:
        return "unavailable";
    default:
        return "internal";
    }
}

static void fill(struct error *err, int number, const char *code, const char *step, const char *path) {
    err->number = number;
    err->code = code;
    snprintf(err->step, sizeof(err->step), "%s", step ? step : "");
    snprintf(err->path, sizeof(err->path), "%s", path ? path : "");
}

int(error_set)(struct error *err, const char *code, const char *step, const char *path, const char *format,
               ...) {
    va_list args;
    fill(err, 0, code, step, path);
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return -1;
}

int(error_errno)(struct error *err, int number, const char *step, const char *path, const char *format, ...) {
    va_list args;
    fill(err, number, error_code_of_errno(number), step, path);
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    /* A sentence that fills the buffer would push the reason out: keep room for it. */
    char reason[96];
    snprintf(reason, sizeof(reason), "%s", strerror(number));
    if (reason[1] >= 'a' &&
        reason[1] <= 'z') /* the middle of a sentence; and the case in which other runtimes write it */
        reason[0] = (char)tolower((unsigned char)reason[0]);
    size_t need = strlen(reason) + 3;
    if (used < 0)
        used = 0;
    size_t at = (size_t)used;
    if (at + need > sizeof(err->message))
        at = sizeof(err->message) - need;
    snprintf(err->message + at, sizeof(err->message) - at, ": %s", reason);
    return -1;
}

int(error_wrap)(struct error *err, const char *format, ...) {
    char inner[sizeof(err->message)];
    va_list args;
    memcpy(inner, err->message, sizeof(inner));
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (used < 0)
        used = 0;
    size_t at = (size_t)used < sizeof(err->message) ? (size_t)used : sizeof(err->message) - 1;
    size_t room = sizeof(err->message) - at;
    if (room > 2) {
        memcpy(err->message + at, ": ", 3);
        size_t length = strlen(inner) < room - 3 ? strlen(inner) : room - 3;
        memcpy(err->message + at + 2, inner, length);
        err->message[at + 2 + length] = '\0';
    }
    return -1;
}

void error_write(int fd, const struct error *err) {
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_string(&w, "step", err->step);
    json_member_string(&w, "path", err->path);
    json_member_string(&w, "code", err->code ? err->code : "internal");
    json_member_string(&w, "message", err->message);
    json_end_object(&w);
    json_newline(&w);
    if (!w.failed) {
        ssize_t ignored = write(fd, w.data, w.length);
        (void)ignored;
    }
    json_writer_free(&w);
}

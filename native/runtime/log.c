#include "log.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    int fd;
    bool file, json;
    enum log_level level;
} out = {.fd = STDERR_FILENO, .level = LOG_WARNING};

static const char *const names[] = {"error", "warning", "info", "debug"};

bool log_level_parse(const char *word, enum log_level *level) {
    for (int i = 0; i < 4; i++) {
        if (strcmp(names[i], word) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    if (strcmp(word, "warn") != 0)
        return false;
    *level = LOG_WARNING;
    return true;
}

int log_descriptor(void) {
    return out.file ? out.fd : -1;
}

int log_open(const char *path, bool json, enum log_level level, struct error *err) {
    out.json = json;
    out.level = level;
    if (!path)
        return 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_errno(err, errno, "log", path, "open log file %s", path);
    out.fd = fd;
    out.file = true;
    return 0;
}

static void timestamp(char *text, size_t room) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, room, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void log_message(enum log_level level, const char *format, ...) {
    char text[2048], when[40];
    va_list args;
    if (level > out.level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    timestamp(when, sizeof(when));
    struct json_writer w, quoted;
    json_writer_init(&w, 0);
    json_writer_init(&quoted, 0);
    if (out.json) {
        json_begin_object(&w);
        json_member_string(&w, "level", names[level]);
        json_member_string(&w, "msg", text);
        json_member_string(&w, "time", when);
        json_end_object(&w);
        json_newline(&w);
    } else {
        char head[80];
        json_string(
            &quoted,
            text); /* the text format quotes as JSON does: control characters never reach a terminal raw */
        int length = snprintf(head, sizeof(head), "time=\"%s\" level=%s msg=", when, names[level]);
        json_raw(&w, head, (size_t)length);
        w.comma = false;
        json_raw(&w, quoted.data ? quoted.data : "", quoted.length);
        json_newline(&w);
    }
    ssize_t ignored = w.failed ? 0 : write(out.fd, w.data, w.length);
    if (level == LOG_ERROR && out.file)
        dprintf(STDERR_FILENO, "%s\n", text);
    (void)ignored;
    json_writer_free(&w);
    json_writer_free(&quoted);
}

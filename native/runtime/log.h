/* Where messages go: --log, --log-format, --debug. One process, one log; errors reach it only through main().
 */
#ifndef BERTH_RUNTIME_LOG_H
#define BERTH_RUNTIME_LOG_H

#include "error.h"

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Opens the log file (appended to, 0644) if path is not NULL; else messages go to stderr. */
int log_open(const char *path, bool json, enum log_level level, struct error *err);

/* The log file's descriptor, or -1 if messages go to stderr. */
int log_descriptor(void);

/* "error", "warning", … → level; false if unknown. */
bool log_level_parse(const char *word, enum log_level *level);

/*
 * One line: `time="…" level=error msg="…"`, or as JSON `{"level":"error","msg":"…","time":"…"}` (what conmon
 * and containerd's shim read). An error is also printed plainly to stderr if the log is a file.
 */
void log_message(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/*
 * The log writer: bytes of two streams in, CRI records in rotated files out.
 *
 * Files are named by the logical offset of their first byte (20 digits + ".log"), so one number is a position
 * in the log for ever. Records end in a line feed; a file is closed only at a record's end. What cannot be
 * written (disk full) is counted and reported by one notice record as soon as a write succeeds again: the log
 * never holds half a record and never stops the container.
 *
 * INVARIANTS: `offset` is the logical offset of the file's end as far as whole records go; `batch` holds
 * whole records only; a pending line (no line feed seen yet) is at most LOG_LINE_MAX bytes per stream.
 */
#ifndef BERTH_MONITOR_LOG_H
#define BERTH_MONITOR_LOG_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define LOG_LINE_MAX 16384u          /* a longer line is cut into P records */
#define LOG_BATCH_SIZE (128u * 1024) /* records are written in batches of at most this many bytes */
#define LOG_PREFIX_MAX 64

enum log_stream { LOG_STDOUT = 0, LOG_STDERR = 1 };

struct log_writer {
    int dir_fd;  /* -1: no log; every call then does nothing */
    int file_fd; /* the file being written, -1 between files */
    uint64_t file_start, offset;
    uint64_t max_size; /* 0: never rotate by size */
    uint32_t max_files;
    uint64_t lost_records, lost_bytes; /* since the last notice */
    int lost_reason;                   /* errno */
    time_t stamp_second;               /* of stamp: rendering a date is done once a second */
    char stamp[40];
    char *batch; /* LOG_BATCH_SIZE + LOG_LINE_MAX + LOG_PREFIX_MAX bytes, pages touched only while in use */
    size_t batch_used, batch_records;
    struct {
        char *bytes; /* LOG_LINE_MAX, touched only if a read ends inside a line */
        size_t used;
    } pending[2];
};

/*
 * Opens the log in `dir` (created 0750 if absent) and goes on behind what is there: a torn last record (a
 * monitor that was killed) is cut off. dir NULL makes a writer that does nothing.
 */
int log_open(struct log_writer *log, const char *dir, uint64_t max_size, uint32_t max_files,
             struct error *err);

/* Takes output bytes read at `now`. Cannot fail; see above for what happens if the disk is full. */
void log_append(struct log_writer *log, enum log_stream stream, const char *bytes, size_t length,
                const struct timespec *now);

/* Writes the batch. Called once after each round of reads. */
void log_flush(struct log_writer *log);

/* Writes unfinished lines as P records: the process has ended. */
void log_finish(struct log_writer *log, const struct timespec *now);

/* Closes the current file and begins the next one, unless the current one is empty. */
void log_rotate(struct log_writer *log);

void log_close(struct log_writer *log);

/* Gives the memory of an idle log back to the kernel; pending lines stay. */
void log_trim(struct log_writer *log);

#endif

/* The log writer; log.h tells what it promises. */
#include "log.h"

#include "cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define STEP "log"
#define NAME_DIGITS 20
#define BATCH_ROOM (LOG_BATCH_SIZE + LOG_LINE_MAX + LOG_PREFIX_MAX)
#define TORN_SEARCH (LOG_LINE_MAX + LOG_PREFIX_MAX) /* a record is not longer than this */

/* Is this "<20 digits>.log"? Then *start is its logical offset. */
static bool parse_name(const char *name, uint64_t *start) {
    *start = 0;
    for (int i = 0; i < NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        *start = *start * 10 + (uint64_t)(name[i] - '0');
    }
    return strcmp(name + NAME_DIGITS, ".log") == 0;
}

static void format_name(char name[32], uint64_t start) {
    snprintf(name, 32, "%020llu.log", (unsigned long long)start);
}

/* Counts the log files; *newest and *oldest are the extreme offsets. */
static int scan(int dir_fd, uint64_t *oldest, uint64_t *newest) {
    int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
    cleanup_dir DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (!dir) {
        fd_close(&copy);
        return -1;
    }
    *oldest = UINT64_MAX;
    *newest = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        uint64_t start;
        if (!parse_name(entry->d_name, &start))
            continue;
        count++;
        *oldest = start < *oldest ? start : *oldest;
        *newest = start > *newest ? start : *newest;
    }
    return count;
}

/* Cuts a torn last record off; returns the file's size after that, or -1. */
static int64_t mend_end(int fd) {
    char tail[1024];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    off_t low = st.st_size > (off_t)TORN_SEARCH ? st.st_size - (off_t)TORN_SEARCH : 0;
    for (off_t end = st.st_size; end > low;) {
        off_t begin = end - low > (off_t)sizeof(tail) ? end - (off_t)sizeof(tail) : low;
        ssize_t got = pread(fd, tail, (size_t)(end - begin), begin);
        if (got != end - begin)
            return -1;
        char *feed = memrchr(tail, '\n', (size_t)got);
        if (feed) {
            off_t size = begin + (feed - tail) + 1;
            return size == st.st_size || ftruncate(fd, size) == 0 ? size : -1;
        }
        end = begin;
    }
    return ftruncate(fd, low) == 0 ? low : -1;
}

static int open_file(struct log_writer *log, uint64_t start) {
    char name[32];
    format_name(name, start);
    log->file_fd = openat(log->dir_fd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    log->file_start = start;
    return log->file_fd;
}

static char *reserve(size_t size) {
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

int log_open(struct log_writer *log, const char *dir, uint64_t max_size, uint32_t max_files,
             struct error *err) {
    uint64_t oldest, newest;
    *log = (struct log_writer){.dir_fd = -1, .file_fd = -1, .max_size = max_size, .max_files = max_files};
    log->stamp_second = -1;
    if (!dir)
        return 0;
    if (mkdir(dir, 0750) < 0 && errno != EEXIST)
        return error_errno(err, errno, STEP, dir, "create log directory %s", dir);
    cleanup_fd int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    log->dir_fd = dir_fd;
    int count = dir_fd < 0 ? -1 : scan(dir_fd, &oldest, &newest);
    if (count < 0 || open_file(log, count ? newest : 0) < 0) {
        log->dir_fd = -1;
        return error_errno(err, errno, STEP, dir, "open log in %s", dir);
    }
    int64_t size = mend_end(log->file_fd);
    log->batch = reserve(BATCH_ROOM);
    log->pending[0].bytes = reserve(2 * LOG_LINE_MAX);
    if (size < 0 || !log->batch || !log->pending[0].bytes) {
        error_errno(err, errno, STEP, dir, "open log in %s", dir);
        log_close(log);
        fd_take(&dir_fd); /* log_close has closed it */
        return -1;
    }
    log->pending[1].bytes = log->pending[0].bytes + LOG_LINE_MAX;
    log->offset = log->file_start + (uint64_t)size;
    fd_take(&dir_fd);
    return 0;
}

/* Removes the oldest files until at most max_files are there. */
static void remove_old(struct log_writer *log) {
    uint64_t oldest = 0, newest = 0;
    char name[32];
    while (scan(log->dir_fd, &oldest, &newest) > (int)log->max_files) {
        format_name(name, oldest);
        if (unlinkat(log->dir_fd, name, 0) < 0)
            return;
    }
}

/* Begins the next file; with no descriptor or inode to be had the current one is kept for longer. */
static void next_file(struct log_writer *log) {
    int old = log->file_fd;
    uint64_t old_start = log->file_start;
    if (log->offset == log->file_start)
        return;
    if (open_file(log, log->offset) < 0) {
        log->file_fd = old;
        log->file_start = old_start;
        return;
    }
    fd_close(&old);
    remove_old(log);
}

/* "2026-11-21T03:11:57.123456789Z " into out; returns its length. */
static size_t format_time(struct log_writer *log, char *out, const struct timespec *now) {
    if (now->tv_sec != log->stamp_second) {
        struct tm tm;
        gmtime_r(&now->tv_sec, &tm);
        strftime(log->stamp, sizeof(log->stamp), "%Y-%m-%dT%H:%M:%S.", &tm);
        log->stamp_second = now->tv_sec;
    }
    size_t length = strlen(log->stamp);
    memcpy(out, log->stamp, length);
    uint32_t nanoseconds = (uint32_t)now->tv_nsec;
    for (size_t i = 9; i-- > 0; nanoseconds /= 10)
        out[length + i] = (char)('0' + nanoseconds % 10);
    memcpy(out + length + 9, "Z ", 2);
    return length + 11;
}

/* Writes all or nothing: a short write (disk full) is taken back, so that no half record stays. */
static bool write_whole(struct log_writer *log, const char *bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t wrote = write(log->file_fd, bytes + done, length - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            log->lost_reason = wrote < 0 ? errno : ENOSPC;
            if (done > 0 && ftruncate(log->file_fd, (off_t)(log->offset - log->file_start)) < 0)
                log->offset += done; /* cannot be mended: at least positions stay true */
            return false;
        }
        done += (size_t)wrote;
    }
    log->offset += length;
    return true;
}

/* After a loss: says in the log itself how much is missing. False while even that does not fit. */
static bool write_notice(struct log_writer *log) {
    char record[256];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    size_t length = format_time(log, record, &now);
    length += (size_t)snprintf(record + length, sizeof(record) - length,
                               "stderr F [berth] %llu log records (%llu bytes) were lost here: %s\n",
                               (unsigned long long)log->lost_records, (unsigned long long)log->lost_bytes,
                               strerror(log->lost_reason));
    return write_whole(log, record, length);
}

/* The batch, behind a notice if records were lost before it: both or neither, so that one loss is one notice.
 */
static bool write_batch(struct log_writer *log) {
    uint64_t begin = log->offset;
    if (log->lost_records > 0 && !write_notice(log))
        return false;
    if (!write_whole(log, log->batch, log->batch_used)) {
        if (log->offset > begin && ftruncate(log->file_fd, (off_t)(begin - log->file_start)) == 0)
            log->offset = begin;
        return false;
    }
    log->lost_records = log->lost_bytes = 0;
    return true;
}

void log_flush(struct log_writer *log) {
    if (log->batch_used == 0)
        return;
    if (!write_batch(log)) {
        log->lost_records += log->batch_records;
        log->lost_bytes += log->batch_used;
    }
    log->batch_used = log->batch_records = 0;
    if (log->max_size && log->offset - log->file_start >= log->max_size)
        next_file(log);
}

/* Has the file, with what waits in the batch, reached its size? */
static bool full(const struct log_writer *log) {
    return log->batch_used >= LOG_BATCH_SIZE ||
           (log->max_size && log->offset + log->batch_used - log->file_start >= log->max_size);
}

/* One record: the pending part of the line, then `bytes`. */
static void put_record(struct log_writer *log, enum log_stream stream, char tag, const char *bytes,
                       size_t length, const struct timespec *now) {
    char *out = log->batch + log->batch_used;
    size_t used = format_time(log, out, now), waiting = log->pending[stream].used;
    memcpy(out + used, stream == LOG_STDOUT ? "stdout " : "stderr ", 7);
    out[used + 7] = tag;
    out[used + 8] = ' ';
    used += 9;
    memcpy(out + used, log->pending[stream].bytes, waiting);
    memcpy(out + used + waiting, bytes, length);
    used += waiting + length;
    out[used++] = '\n';
    log->pending[stream].used = 0;
    log->batch_used += used;
    log->batch_records++;
    if (full(log))
        log_flush(log);
}

void log_append(struct log_writer *log, enum log_stream stream, const char *bytes, size_t length,
                const struct timespec *now) {
    if (log->dir_fd < 0)
        return;
    while (length > 0) {
        size_t room = LOG_LINE_MAX - log->pending[stream].used;
        /* A line of exactly LOG_LINE_MAX bytes is whole: look one byte further for its line feed. */
        size_t look = length < room + 1 ? length : room + 1;
        const char *feed = memchr(bytes, '\n', look);
        if (feed) {
            size_t line = (size_t)(feed - bytes);
            put_record(log, stream, 'F', bytes, line, now);
            bytes += line + 1;
            length -= line + 1;
        } else if (look > room) {
            put_record(log, stream, 'P', bytes, room, now);
            bytes += room;
            length -= room;
        } else {
            memcpy(log->pending[stream].bytes + log->pending[stream].used, bytes, length);
            log->pending[stream].used += length;
            length = 0;
        }
    }
}

void log_finish(struct log_writer *log, const struct timespec *now) {
    if (log->dir_fd < 0)
        return;
    for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++)
        if (log->pending[stream].used > 0)
            put_record(log, stream, 'P', "", 0, now);
    log_flush(log);
    if (log->lost_records > 0 && write_notice(log))
        log->lost_records = log->lost_bytes = 0;
}

void log_rotate(struct log_writer *log) {
    if (log->dir_fd < 0)
        return;
    log_flush(log);
    next_file(log);
}

void log_close(struct log_writer *log) {
    fd_close(&log->file_fd);
    fd_close(&log->dir_fd);
    if (log->batch)
        munmap(log->batch, BATCH_ROOM);
    if (log->pending[0].bytes)
        munmap(log->pending[0].bytes, 2 * LOG_LINE_MAX);
    log->batch = log->pending[0].bytes = log->pending[1].bytes = NULL;
}

void log_trim(struct log_writer *log) {
    if (log->dir_fd < 0 || log->batch_used > 0)
        return;
    madvise(log->batch, BATCH_ROOM, MADV_DONTNEED);
    if (log->pending[0].used == 0 && log->pending[1].used == 0)
        madvise(log->pending[0].bytes, 2 * LOG_LINE_MAX, MADV_DONTNEED);
}

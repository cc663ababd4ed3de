/* Unit tests of monitor/log.c: records, parts, rotation by logical offset, going on after a torn end. */
#include "monitor/log.h"

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct timespec noon = {.tv_sec = 1795262400, .tv_nsec = 7};
static char directory[] = "/tmp/monitor_log_test.XXXXXX";

static void clear(void) {
    DIR *dir = opendir(directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

static int count_files(void) {
    int count = 0;
    DIR *dir = opendir(directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return count;
}

/* The text of one log file; "" if it is not there. Static, overwritten by the next call. */
static const char *read_log(unsigned long long start) {
    static char text[1 << 20];
    char path[128];
    snprintf(path, sizeof(path), "%s/%020llu.log", directory, start);
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[got] = '\0';
    if (file)
        fclose(file);
    return text;
}

static struct log_writer begin(uint64_t max_size, uint32_t max_files) {
    struct log_writer log;
    struct error err;
    CHECK(log_open(&log, directory, max_size, max_files, &err) == 0);
    return log;
}

static void put(struct log_writer *log, enum log_stream stream, const char *text) {
    log_append(log, stream, text, strlen(text), &noon);
    log_flush(log);
}

static void writes_records(void) {
    struct log_writer log = begin(0, 1);
    put(&log, LOG_STDOUT, "one\ntw");
    put(&log, LOG_STDERR, "err\n");
    put(&log, LOG_STDOUT, "o\n\nunfinished");
    log_finish(&log, &noon);
    log_close(&log);
    CHECK_STRING(read_log(0), "2026-11-21T12:00:00.000000007Z stdout F one\n"
                              "2026-11-21T12:00:00.000000007Z stderr F err\n"
                              "2026-11-21T12:00:00.000000007Z stdout F two\n"
                              "2026-11-21T12:00:00.000000007Z stdout F \n"
                              "2026-11-21T12:00:00.000000007Z stdout P unfinished\n");
    clear();
}

/* The tags of the records in the first file, and the sum of their lengths. */
static void tags(char *out, size_t *total) {
    *total = 0;
    for (const char *line = read_log(0); *line; line = strchr(line, '\n') + 1) {
        *out++ = line[38];
        *total += (size_t)(strchr(line, '\n') - line) - 40;
    }
    *out = '\0';
}

static void cuts_long_lines(void) {
    static const struct {
        size_t length;
        const char *tags;
    } cases[] = {
        {LOG_LINE_MAX - 1, "F"}, {LOG_LINE_MAX, "F"}, {LOG_LINE_MAX + 1, "PF"}, {3 * LOG_LINE_MAX, "PPF"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* However the bytes come: the records must be the same. */
        static const size_t pieces[] = {1000000, 4096, 1000, LOG_LINE_MAX};
        for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
            struct log_writer log = begin(0, 1);
            char *line = check_memory(malloc(cases[i].length + 1)), found[32];
            memset(line, 'x', cases[i].length);
            line[cases[i].length] = '\n';
            for (size_t at = 0; at <= cases[i].length; at += pieces[p]) {
                size_t left = cases[i].length + 1 - at;
                log_append(&log, LOG_STDOUT, line + at, left < pieces[p] ? left : pieces[p], &noon);
                log_flush(&log);
            }
            log_close(&log);
            size_t total;
            tags(found, &total);
            CHECK_STRING(found, cases[i].tags);
            CHECK(total == cases[i].length);
            free(line);
            clear();
        }
    }
}

static void rotates_at_a_records_end(void) {
    struct log_writer log = begin(100, 2);
    for (int i = 0; i < 7; i++) /* 46 bytes each: three make a file full */
        put(&log, LOG_STDOUT, "12345\n");
    log_close(&log);
    CHECK(count_files() == 2);
    CHECK(strlen(read_log(0)) == 0);
    CHECK(strlen(read_log(138)) == 138);
    CHECK(strlen(read_log(276)) == 46);
    clear();
}

static void rotates_within_one_append(void) {
    struct log_writer log = begin(100, 10);
    put(&log, LOG_STDOUT, "12345\n12345\n12345\n12345\n");
    log_close(&log);
    CHECK(count_files() == 2);
    CHECK(strlen(read_log(0)) == 138 && strlen(read_log(138)) == 46);
    clear();
}

static void rotates_when_told(void) {
    struct log_writer log = begin(0, 10);
    log_rotate(&log);
    CHECK(count_files() == 1);
    put(&log, LOG_STDOUT, "12345\n");
    log_rotate(&log);
    log_rotate(&log);
    put(&log, LOG_STDOUT, "67890\n");
    log_close(&log);
    CHECK(count_files() == 2 && strlen(read_log(46)) == 46);
    clear();
}

static void goes_on_behind_a_torn_record(void) {
    char path[128];
    struct log_writer log = begin(0, 10);
    put(&log, LOG_STDOUT, "first\nsecond\n");
    log_close(&log);
    snprintf(path, sizeof(path), "%s/%020d.log", directory, 0);
    struct stat st;
    CHECK(stat(path, &st) == 0 && truncate(path, st.st_size - 4) == 0);
    log = begin(0, 10);
    CHECK(log.offset == 46);
    put(&log, LOG_STDOUT, "third\n");
    log_close(&log);
    CHECK(strstr(read_log(0), "first\n") && !strstr(read_log(0), "sec") && strstr(read_log(0), "third\n"));
    clear();
    /* A file with nothing but a torn record. */
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(write(fd, "2026-11-21T12:0", 15) == 15);
    close(fd);
    log = begin(0, 10);
    CHECK(log.offset == 0);
    log_close(&log);
    clear();
}

static void ignores_other_files(void) {
    char path[128];
    snprintf(path, sizeof(path), "%s/0000000000000000000x.log", directory);
    close(open(path, O_WRONLY | O_CREAT, 0600));
    struct log_writer log = begin(10, 1);
    put(&log, LOG_STDOUT, "1\n");
    put(&log, LOG_STDOUT, "2\n");
    log_close(&log);
    CHECK(access(path, F_OK) == 0 && count_files() == 2);
    clear();
}

static void does_nothing_without_a_directory(void) {
    struct log_writer log;
    struct error err;
    CHECK(log_open(&log, NULL, 0, 1, &err) == 0);
    put(&log, LOG_STDOUT, "nowhere\n");
    log_rotate(&log);
    log_finish(&log, &noon);
    log_close(&log);
    CHECK(log_open(&log, "/nonexistent/logs", 0, 1, &err) < 0);
    CHECK_STRING(err.step, "log");
}

int main(void) {
    if (!mkdtemp(directory))
        return 2;
    writes_records();
    cuts_long_lines();
    rotates_at_a_records_end();
    rotates_within_one_append();
    rotates_when_told();
    goes_on_behind_a_torn_record();
    ignores_other_files();
    does_nothing_without_a_directory();
    rmdir(directory);
    return check_status("monitor_log_test");
}

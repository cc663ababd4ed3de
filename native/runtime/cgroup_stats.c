/* Statistics of a container in the form of runc's `events --stats`. Files that a kernel or controller lacks
 * are left out. */
#include "cgroup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file of the container's own directory in the hierarchy of `controller`. */
static bool read_file(const struct cgroup *cgroup, const char *controller, const char *file, char *text,
                      size_t room) {
    int dir = cgroup_dir(cgroup, controller);
    return dir >= 0 && cgroup_read(dir, file, text, room) == 0;
}

/* "max" reads as the highest number, as runc shows it. */
static uint64_t to_number(const char *text) {
    return strncmp(text, "max", 3) == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

static bool number_file(const struct cgroup *cgroup, const char *controller, const char *file,
                        uint64_t *value) {
    char text[64];
    if (!read_file(cgroup, controller, file, text, sizeof(text)))
        return false;
    *value = to_number(text);
    return true;
}

/* The value of `key` in text of "key value" lines; 0 if absent. */
static uint64_t line_value(const char *text, const char *key) {
    size_t length = strlen(key);
    for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
        if (strncmp(at, key, length) == 0 && at[length] == ' ')
            return to_number(at + length + 1);
    return 0;
}

static void member_file(const struct cgroup *cgroup, struct json_writer *w, const char *key,
                        const char *controller, const char *file) {
    uint64_t value;
    if (number_file(cgroup, controller, file, &value))
        json_member_uint(w, key, value);
}

static void cpu(const struct cgroup *cgroup, struct json_writer *w) {
    char stat[4096] = "";
    uint64_t total = 0, user = 0, kernel = 0;
    bool v2 = cgroup->version == 2;
    read_file(cgroup, "cpu", "cpu.stat", stat, sizeof(stat));
    if (v2) {
        total = line_value(stat, "usage_usec") * 1000;
        user = line_value(stat, "user_usec") * 1000;
        kernel = line_value(stat, "system_usec") * 1000;
    } else {
        number_file(cgroup, "cpuacct", "cpuacct.usage", &total);
        number_file(cgroup, "cpuacct", "cpuacct.usage_user", &user);
        number_file(cgroup, "cpuacct", "cpuacct.usage_sys", &kernel);
    }
    json_key(w, "cpu");
    json_begin_object(w);
    json_key(w, "usage");
    json_begin_object(w);
    json_member_uint(w, "total", total);
    json_member_uint(w, "kernel", kernel);
    json_member_uint(w, "user", user);
    json_end_object(w);
    json_key(w, "throttling");
    json_begin_object(w);
    json_member_uint(w, "periods", line_value(stat, "nr_periods"));
    json_member_uint(w, "throttledPeriods", line_value(stat, "nr_throttled"));
    json_member_uint(w, "throttledTime",
                     v2 ? line_value(stat, "throttled_usec") * 1000 : line_value(stat, "throttled_time"));
    json_end_object(w);
    json_end_object(w);
}

static void memory_entry(const struct cgroup *cgroup, struct json_writer *w, const char *key,
                         const char *usage, const char *max, const char *limit, const char *failures) {
    json_key(w, key);
    json_begin_object(w);
    member_file(cgroup, w, "limit", "memory", limit);
    member_file(cgroup, w, "usage", "memory", usage);
    if (max)
        member_file(cgroup, w, "max", "memory", max);
    if (failures)
        member_file(cgroup, w, "failcnt", "memory", failures);
    else
        json_member_int(w, "failcnt", 0);
    json_end_object(w);
}

static void memory(const struct cgroup *cgroup, struct json_writer *w) {
    char stat[8192] = "";
    bool v2 = cgroup->version == 2;
    read_file(cgroup, "memory", "memory.stat", stat, sizeof(stat));
    json_key(w, "memory");
    json_begin_object(w);
    json_member_uint(w, "cache", line_value(stat, v2 ? "file" : "total_cache"));
    if (v2) {
        memory_entry(cgroup, w, "usage", "memory.current", "memory.peak", "memory.max", NULL);
        memory_entry(cgroup, w, "swap", "memory.swap.current", NULL, "memory.swap.max", NULL);
    } else {
        memory_entry(cgroup, w, "usage", "memory.usage_in_bytes", "memory.max_usage_in_bytes",
                     "memory.limit_in_bytes", "memory.failcnt");
        memory_entry(cgroup, w, "swap", "memory.memsw.usage_in_bytes", "memory.memsw.max_usage_in_bytes",
                     "memory.memsw.limit_in_bytes", "memory.memsw.failcnt");
        memory_entry(cgroup, w, "kernel", "memory.kmem.usage_in_bytes", "memory.kmem.max_usage_in_bytes",
                     "memory.kmem.limit_in_bytes", "memory.kmem.failcnt");
        memory_entry(cgroup, w, "kernelTCP", "memory.kmem.tcp.usage_in_bytes",
                     "memory.kmem.tcp.max_usage_in_bytes", "memory.kmem.tcp.limit_in_bytes",
                     "memory.kmem.tcp.failcnt");
    }
    json_key(w, "raw");
    json_begin_object(w);
    char *save = NULL;
    for (char *line = strtok_r(stat, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *space = strchr(line, ' ');
        if (!space)
            continue;
        *space = '\0';
        json_member_uint(w, line, to_number(space + 1));
    }
    json_end_object(w);
    json_end_object(w);
}

static void pids(const struct cgroup *cgroup, struct json_writer *w) {
    uint64_t limit = 0;
    json_key(w, "pids");
    json_begin_object(w);
    member_file(cgroup, w, "current", "pids", "pids.current");
    if (number_file(cgroup, "pids", "pids.max", &limit) && limit != UINT64_MAX)
        json_member_uint(w, "limit", limit);
    json_end_object(w);
}

static void io_entry(struct json_writer *w, unsigned major, unsigned minor, const char *op, uint64_t value) {
    json_begin_object(w);
    json_member_uint(w, "major", major);
    json_member_uint(w, "minor", minor);
    json_member_string(w, "op", op);
    json_member_uint(w, "value", value);
    json_end_object(w);
}

/* v1: "8:0 Read 4096" lines, and a "Total" that has no device. */
static void io_v1(const struct cgroup *cgroup, struct json_writer *w, const char *key, const char *file) {
    char text[8192] = "", *save = NULL;
    read_file(cgroup, "blkio", file, text, sizeof(text));
    json_key(w, key);
    json_begin_array(w);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        unsigned major, minor;
        char op[32];
        uint64_t value;
        if (sscanf(line, "%u:%u %31s %" SCNu64, &major, &minor, op, &value) == 4)
            io_entry(w, major, minor, op, value);
    }
    json_end_array(w);
}

/* v2: "8:0 rbytes=1 wbytes=2 rios=3 …" lines; `read` and `write` choose two of them. */
static void io_v2(const struct cgroup *cgroup, struct json_writer *w, const char *key, const char *read_key,
                  const char *write_key) {
    char text[8192] = "", *save = NULL;
    read_file(cgroup, "io", "io.stat", text, sizeof(text));
    json_key(w, key);
    json_begin_array(w);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        unsigned major, minor;
        if (sscanf(line, "%u:%u", &major, &minor) != 2)
            continue;
        const char *read_at = strstr(line, read_key), *write_at = strstr(line, write_key);
        if (read_at)
            io_entry(w, major, minor, "Read", to_number(read_at + strlen(read_key)));
        if (write_at)
            io_entry(w, major, minor, "Write", to_number(write_at + strlen(write_key)));
    }
    json_end_array(w);
}

static void block_io(const struct cgroup *cgroup, struct json_writer *w) {
    json_key(w, "blkio");
    json_begin_object(w);
    if (cgroup->version == 2) {
        io_v2(cgroup, w, "ioServiceBytesRecursive", "rbytes=", "wbytes=");
        io_v2(cgroup, w, "ioServicedRecursive", "rios=", "wios=");
    } else {
        io_v1(cgroup, w, "ioServiceBytesRecursive", "blkio.throttle.io_service_bytes_recursive");
        io_v1(cgroup, w, "ioServicedRecursive", "blkio.throttle.io_serviced_recursive");
    }
    json_end_object(w);
}

void cgroup_stats(struct cgroup *cgroup, struct json_writer *w) {
    json_begin_object(w);
    cpu(cgroup, w);
    memory(cgroup, w);
    pids(cgroup, w);
    block_io(cgroup, w);
    json_end_object(w);
}

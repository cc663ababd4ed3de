#include "intel_rdt.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RESCTRL "/sys/fs/resctrl"

int intel_rdt_available(void) {
    return access(RESCTRL "/schemata", F_OK) == 0;
}

static int write_file(int dir, const char *name, const char *text, struct error *err) {
    cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        return error_errno(err, errno, "intelRdt", name, "write \"%.100s\" to resctrl %s", text, name);
    return 0;
}

static int open_group(const char *group, struct error *err) {
    char path[300];
    if (!*group || strchr(group, '/') || strcmp(group, ".") == 0 || strcmp(group, "..") == 0 ||
        strlen(group) > 255)
        return error_set(err, "invalid_argument", "intelRdt", group, "invalid intelRdt.closID \"%.100s\"",
                         group);
    snprintf(path, sizeof(path), RESCTRL "/%s", group);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? fd : error_errno(err, errno, "intelRdt", path, "open %s", path);
}

/* "L3:…" and "MB:…" lines, and any in `schemata`, one write each: the kernel judges line by line. */
static int write_schemata(int dir, const struct json_value *value, struct error *err) {
    static const char *const keys[] = {"l3CacheSchema", "memBwSchema"};
    char line[1024];
    for (int i = 0; i < 2; i++) {
        const char *text = json_get_string(value, keys[i], NULL);
        if (text &&
            (snprintf(line, sizeof(line), "%s\n", text) < 0 || write_file(dir, "schemata", line, err) < 0))
            return -1;
    }
    for (const struct json_value *v = json_first(json_get(value, "schemata")); v; v = v->next) {
        if (v->type != JSON_STRING)
            return error_set(err, "invalid_argument", "intelRdt", NULL, "intelRdt.schemata must be strings");
        snprintf(line, sizeof(line), "%s\n", v->string);
        if (write_file(dir, "schemata", line, err) < 0)
            return -1;
    }
    return 0;
}

int intel_rdt_apply(const struct json_value *value, const char *id, pid_t pid, char **group,
                    struct error *err) {
    char path[300], text[16];
    *group = NULL;
    if (!value)
        return 0;
    const char *class = json_get_string(value, "closID", "");
    bool own = !*class;
    if (!intel_rdt_available())
        return error_set(err, "failed_precondition", "intelRdt", RESCTRL,
                         "intelRdt is specified in config, but Intel RDT is not supported or enabled");
    if (own)
        class = id;
    snprintf(path, sizeof(path), RESCTRL "/%s", class);
    bool made = !strchr(class, '/') && mkdir(path, 0755) == 0;
    cleanup_fd int dir = open_group(class, err);
    if (dir < 0)
        return -1;
    if (made)
        *group = strdup(class);
    snprintf(text, sizeof(text), "%d", pid);
    if (write_schemata(dir, value, err) < 0)
        return -1;
    return write_file(dir, "tasks", text, err);
}

int intel_rdt_update(const char *group, const char *l3, const char *bandwidth, struct error *err) {
    char line[1024];
    cleanup_fd int dir = open_group(group, err);
    if (dir < 0)
        return -1;
    const char *lines[] = {l3, bandwidth};
    for (int i = 0; i < 2; i++) {
        if (!lines[i] || !*lines[i])
            continue;
        snprintf(line, sizeof(line), "%s\n", lines[i]);
        if (write_file(dir, "schemata", line, err) < 0)
            return -1;
    }
    return 0;
}

int intel_rdt_remove(const char *group, struct error *err) {
    char path[300];
    if (strchr(group, '/'))
        return 0;
    snprintf(path, sizeof(path), RESCTRL "/%s", group);
    if (rmdir(path) < 0 && errno != ENOENT)
        return error_errno(err, errno, "intelRdt", path, "remove %s", path);
    return 0;
}

/* Directories of control groups: detect, make, join, list, freeze, remove. See cgroup.h. */
#include "cgroup.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>

static int hierarchy_path(const struct cgroup_hierarchy *h, char *out, size_t room) {
    int length = snprintf(out, room, "%s%s%s", CGROUP_ROOT, *h->directory ? "/" : "", h->directory);
    return length > 0 && (size_t)length < room ? 0 : -1;
}

static int add_hierarchy(struct cgroup *cgroup, const char *directory, bool unified) {
    char path[CGROUP_PATH_MAX];
    struct statfs fs;
    if (cgroup->hierarchy_count == CGROUP_HIERARCHIES_MAX || strlen(directory) >= CGROUP_NAME_MAX)
        return -1;
    struct cgroup_hierarchy *h = &cgroup->hierarchies[cgroup->hierarchy_count];
    *h = (struct cgroup_hierarchy){.fd = -1, .unified = unified};
    strcpy(h->directory, directory);
    if (hierarchy_path(h, path, sizeof(path)) < 0 || statfs(path, &fs) < 0 ||
        fs.f_type != (unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
        return -1;
    cgroup->hierarchy_count++;
    return 0;
}

/* One line of /proc/self/cgroup, "4:cpu,cpuacct:/path" or "1:name=systemd:/": the mount is named after its
 * controllers. */
static void detect_line(struct cgroup *cgroup, char *line) {
    char *controllers = strchr(line, ':');
    char *end = controllers ? strchr(++controllers, ':') : NULL;
    if (end && end == controllers) { /* "0::/path" */
        add_hierarchy(cgroup, "unified", true);
        return;
    }
    if (!end)
        return;
    *end = '\0';
    if (strncmp(controllers, "name=", 5) == 0)
        controllers += 5;
    if (add_hierarchy(cgroup, controllers, false) == 0)
        return;
    /* A few systems name the mount after the first controller, or in the other order, with links for each. */
    controllers[strcspn(controllers, ",")] = '\0';
    add_hierarchy(cgroup, controllers, false);
}

int cgroup_detect(struct cgroup *cgroup, struct error *err) {
    char text[4096];
    struct statfs fs;
    *cgroup = (struct cgroup){0};
    if (statfs(CGROUP_ROOT, &fs) < 0)
        return error_errno(err, errno, "cgroup", CGROUP_ROOT, "find control groups at %s", CGROUP_ROOT);
    if (fs.f_type == CGROUP2_SUPER_MAGIC) {
        cgroup->version = 2;
        cgroup->hierarchy_count = 1;
        cgroup->hierarchies[0] = (struct cgroup_hierarchy){.fd = -1};
        return 0;
    }
    cleanup_fd int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length < 0)
        return error_errno(err, errno, "cgroup", "/proc/self/cgroup", "read /proc/self/cgroup");
    text[length] = '\0';
    cgroup->version = 1;
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        detect_line(cgroup, line);
    if (cgroup->hierarchy_count == 0)
        return error_set(err, "failed_precondition", "cgroup", CGROUP_ROOT,
                         "no control group hierarchy is mounted at %s", CGROUP_ROOT);
    return 0;
}

/* "a-b.slice" lies below "a.slice", and that at the top; "-.slice" is the top itself. */
static int append_slices(const char *slice, size_t length, char *out, size_t room, struct error *err) {
    static const char suffix[] = ".slice";
    size_t stem = length - (sizeof(suffix) - 1), used = 0;
    if (length <= sizeof(suffix) - 1 || memcmp(slice + stem, suffix, sizeof(suffix) - 1) != 0 ||
        memchr(slice, '/', length))
        return error_set(err, "invalid_argument", "cgroup", NULL,
                         "invalid slice name \"%.*s\" in cgroupsPath", (int)length, slice);
    out[0] = '\0';
    if (stem == 1 && *slice == '-')
        return 0;
    for (size_t i = 1; i <= stem; i++) {
        if (i < stem && slice[i] != '-')
            continue;
        if (slice[i - 1] == '-' || *slice == '-' || used + i + sizeof(suffix) + 1 > room)
            return error_set(err, "invalid_argument", "cgroup", NULL,
                             "invalid slice name \"%.*s\" in cgroupsPath", (int)length, slice);
        used += (size_t)sprintf(out + used, "/%.*s.slice", (int)i, slice);
    }
    return 0;
}

int cgroup_path_of_slice(const char *cgroups_path, char *out, size_t room, struct error *err) {
    const char *prefix = cgroups_path ? strchr(cgroups_path, ':') : NULL;
    const char *name = prefix ? strchr(prefix + 1, ':') : NULL;
    if (!name || strchr(name + 1, ':')) {
        snprintf(out, room, "%s", cgroups_path ? cgroups_path : "");
        return 0;
    }
    bool given = prefix > cgroups_path;
    if (append_slices(given ? cgroups_path : "system.slice", given ? (size_t)(prefix - cgroups_path) : 12,
                      out, room, err) < 0)
        return -1;
    size_t used = strlen(out), length = strlen(name + 1);
    bool is_slice = length > 6 && strcmp(name + 1 + length - 6, ".slice") == 0;
    int added = is_slice            ? snprintf(out + used, room - used, "/%s", name + 1)
                : name > prefix + 1 ? snprintf(out + used, room - used, "/%.*s-%s.scope",
                                               (int)(name - prefix - 1), prefix + 1, name + 1)
                                    : snprintf(out + used, room - used, "/%s.scope", name + 1);
    if (added < 0 || (size_t)added >= room - used)
        return error_errno(err, ENAMETOOLONG, "cgroup", NULL, "cgroupsPath %.100s", cgroups_path);
    return 0;
}

int cgroup_set_path(struct cgroup *cgroup, const char *cgroups_path, const char *id, struct error *err) {
    const char *from = cgroups_path && *cgroups_path ? cgroups_path : id;
    size_t used = 0;
    for (const char *at = from; *at;) {
        at += strspn(at, "/");
        size_t length = strcspn(at, "/");
        if (length == 0)
            break;
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return error_set(err, "invalid_argument", "cgroup", from,
                             "cgroupsPath \"%s\" must not contain \"..\"", from);
        if (length > 255 || used + length + 2 > sizeof(cgroup->path) || memchr(at, '\n', length))
            return error_set(err, "invalid_argument", "cgroup", from, "cgroupsPath \"%.200s\" is not usable",
                             from);
        if (!(length == 1 && at[0] == '.')) {
            cgroup->path[used++] = '/';
            memcpy(cgroup->path + used, at, length);
            used += length;
        }
        at += length;
    }
    cgroup->path[used] = '\0';
    if (used == 0)
        return error_set(err, "invalid_argument", "cgroup", from, "cgroupsPath \"%s\" names the root cgroup",
                         from);
    return 0;
}

static int open_directory(const char *path) {
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * A fresh cpuset has neither cpus nor nodes and takes no process: it starts with its parent's. A parent that
 * somebody else made and left empty is filled first.
 */
static int inherit_cpuset(int child, int depth, struct error *err) {
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    char value[4096];
    cleanup_fd int parent = openat(child, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        if (cgroup_read(child, files[i], value, sizeof(value)) < 0)
            return error_errno(err, errno, "cgroup", files[i], "read %s", files[i]);
        if (*value)
            continue;
        if (parent < 0 || cgroup_read(parent, files[i], value, sizeof(value)) < 0)
            return error_errno(err, errno, "cgroup", files[i], "read %s", files[i]);
        if (!*value && depth < 64 &&
            (inherit_cpuset(parent, depth + 1, err) < 0 ||
             cgroup_read(parent, files[i], value, sizeof(value)) < 0))
            return -1;
        if (cgroup_write(child, files[i], value, err) < 0)
            return -1;
    }
    return 0;
}

/* Makes path (below the hierarchy's root) part by part and opens the last. *made says whether the last is
 * new. */
static int make_path(const char *root, const char *path, bool cpuset, bool *made, struct error *err) {
    cleanup_fd int at = open_directory(root);
    const char *whole = path;
    char name[256];
    *made = false;
    while (at >= 0 && *(path += strspn(path, "/"))) {
        size_t length = strcspn(path, "/");
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        *made = mkdirat(at, name, 0755) == 0;
        int next =
            *made || errno == EEXIST ? openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (next >= 0 && *made && cpuset && inherit_cpuset(next, 0, err) < 0) {
            close(next);
            unlinkat(at, name, AT_REMOVEDIR);
            return -1;
        }
        fd_close(&at);
        at = next;
    }
    return at >= 0 ? fd_take(&at)
                   : error_errno(err, errno, "cgroup", root, "create cgroup %s in %s", whole, root);
}

static int refuse_occupied(const struct cgroup *cgroup, int fd, struct error *err) {
    char text[64];
    bool frozen = (cgroup_read(fd, "cgroup.freeze", text, sizeof(text)) == 0 && strcmp(text, "1") == 0) ||
                  (cgroup_read(fd, "freezer.state", text, sizeof(text)) == 0 && strncmp(text, "FR", 2) == 0);
    if (frozen)
        return error_set(err, "failed_precondition", "cgroup", cgroup->path,
                         "container's cgroup unexpectedly frozen: %s", cgroup->path);
    if (cgroup_read(fd, "cgroup.procs", text, sizeof(text)) == 0 && *text)
        return error_set(err, "failed_precondition", "cgroup", cgroup->path,
                         "container's cgroup is not empty: processes were found in %s", cgroup->path);
    return 0;
}

static int create_in(struct cgroup *cgroup, struct cgroup_hierarchy *h, struct error *err) {
    char root[CGROUP_PATH_MAX];
    hierarchy_path(h, root, sizeof(root));
    h->fd = make_path(root, cgroup->path, strstr(h->directory, "cpuset") != NULL, &h->made, err);
    return h->fd < 0 || (!h->made && refuse_occupied(cgroup, h->fd, err) < 0) ? -1 : 0;
}

int cgroup_create(struct cgroup *cgroup, struct error *err) {
    if (cgroup->version == 2 && cgroup_v2_enable(cgroup->path, err) < 0)
        return -1;
    for (size_t i = 0; i < cgroup->hierarchy_count; i++) {
        struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
        if (!h->unified && create_in(cgroup, h, err) < 0) {
            cgroup_undo(cgroup);
            return -1;
        }
    }
    return 0;
}

void cgroup_create_unified(struct cgroup *cgroup) {
    struct error ignored;
    for (size_t i = 0; i < cgroup->hierarchy_count; i++) {
        struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
        if (h->unified && create_in(cgroup, h, &ignored) < 0)
            fd_close(&h->fd);
    }
}

int cgroup_unified_dir(const struct cgroup *cgroup) {
    for (size_t i = 0; i < cgroup->hierarchy_count; i++)
        if (cgroup->hierarchies[i].unified)
            return cgroup->hierarchies[i].fd;
    return -1;
}

int cgroup_open(struct cgroup *cgroup, struct error *err) {
    char root[CGROUP_PATH_MAX], path[CGROUP_PATH_MAX * 2];
    for (size_t i = 0; i < cgroup->hierarchy_count; i++) {
        struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
        if (h->fd >= 0)
            continue;
        hierarchy_path(h, root, sizeof(root));
        snprintf(path, sizeof(path), "%s%s", root, cgroup->path);
        h->fd = open_directory(path);
        if (h->fd < 0 && errno != ENOENT)
            return error_errno(err, errno, "cgroup", path, "open cgroup %s", path);
    }
    return 0;
}

int cgroup_apply(struct cgroup *cgroup, const struct json_value *resources, bool update, struct error *err) {
    if (cgroup->version == 1)
        return cgroup_v1_apply(cgroup, resources, update, err);
    if (cgroup->version == 2)
        return cgroup_v2_apply(cgroup, resources, update, err);
    return 0;
}

/* rmdir gives EBUSY for the instant in which the kernel lets go of the last process: a few short waits, never
 * a long poll. */
static int remove_directory(int parent, const char *name) {
    for (int wait_us = 50;; wait_us *= 2) {
        if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return 0;
        if (errno != EBUSY || wait_us > 400000)
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = wait_us * 1000L}, NULL);
    }
}

static int remove_below(int dir, int depth) {
    cleanup_dir DIR *list = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    if (!list || depth > 64)
        return -1;
    while ((entry = readdir(list))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        cleanup_fd int below = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if ((below >= 0 && remove_below(below, depth + 1) < 0) || remove_directory(dir, entry->d_name) < 0)
            return -1;
    }
    return 0;
}

static int remove_one(const struct cgroup *cgroup, struct cgroup_hierarchy *h, struct error *err) {
    char path[CGROUP_PATH_MAX * 2], root[CGROUP_PATH_MAX];
    struct stat st;
    hierarchy_path(h, root, sizeof(root));
    snprintf(path, sizeof(path), "%s%s", root, cgroup->path);
    if (rmdir(path) == 0 || errno == ENOENT)
        return 0;
    /* Directories below (a container with its own cgroup namespace makes them) go first. */
    cleanup_fd int fd = open_directory(path);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_nlink > 2)
        remove_below(fd, 0);
    if (remove_directory(AT_FDCWD, path) < 0)
        return error_errno(err, errno, "cgroup", path, "remove cgroup %s", path);
    return 0;
}

int cgroup_remove(struct cgroup *cgroup, struct error *err) {
    int result = 0;
    if (!cgroup->path[0])
        return 0;
    for (size_t i = 0; i < cgroup->hierarchy_count; i++)
        if (remove_one(cgroup, &cgroup->hierarchies[i], err) < 0)
            result = -1;
    return result;
}

void cgroup_undo(struct cgroup *cgroup) {
    struct error ignored;
    for (size_t i = 0; i < cgroup->hierarchy_count; i++) {
        if (cgroup->hierarchies[i].made)
            remove_one(cgroup, &cgroup->hierarchies[i], &ignored);
        cgroup->hierarchies[i].made = false;
    }
    cgroup_close(cgroup);
}

void cgroup_close(struct cgroup *cgroup) {
    for (size_t i = 0; i < cgroup->hierarchy_count; i++)
        fd_close(&cgroup->hierarchies[i].fd);
}

int cgroup_dir(const struct cgroup *cgroup, const char *controller) {
    if (cgroup->version == 2)
        return cgroup->hierarchies[0].fd;
    size_t length = strlen(controller);
    for (size_t i = 0; i < cgroup->hierarchy_count; i++) {
        for (const char *at = cgroup->hierarchies[i].directory; *at; at += strcspn(at, ","), at += *at == ',')
            if (strncmp(at, controller, length) == 0 && (at[length] == ',' || at[length] == '\0'))
                return cgroup->hierarchies[i].fd;
    }
    return -1;
}

int cgroup_write(int dir, const char *file, const char *value, struct error *err) {
    cleanup_fd int fd = openat(dir, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_errno(err, errno, "cgroup", file, "open %s", file);
    ssize_t written;
    do
        written = write(fd, value, strlen(value));
    while (written < 0 && errno == EINTR);
    if (written < 0)
        return error_errno(err, errno, "cgroup", file, "write \"%.100s\" to %s", value, file);
    return 0;
}

int cgroup_read(int dir, const char *file, char *text, size_t room) {
    cleanup_fd int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    size_t used = 0;
    ssize_t got;
    if (fd < 0)
        return -1;
    while (used < room - 1 && (got = read(fd, text + used, room - 1 - used)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        used += (size_t)got;
    }
    while (used > 0 && text[used - 1] == '\n')
        used--;
    text[used] = '\0';
    return 0;
}

/* Getting processes into a container's control groups, or into those that `exec --cgroup` names below. See
 * cgroup.h. */
#include "cgroup.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int cgroup_join(struct cgroup *cgroup, pid_t pid, struct error *err) {
    char text[24];
    int dir = cgroup->version == 2 ? cgroup_dir(cgroup, "") : cgroup_unified_dir(cgroup);
    snprintf(text, sizeof(text), "%d", pid);
    return dir < 0 ? 0 : cgroup_write(dir, "cgroup.procs", text, err);
}

/* Is `controllers` ("cpu,cpuacct", length bytes) about this hierarchy? It may name one of several, or all. */
static bool names_hierarchy(const struct cgroup_hierarchy *h, const char *controllers, size_t length) {
    for (const char *c = controllers; c < controllers + length;) {
        size_t one = strcspn(c, ",:");
        for (const char *at = h->directory; *at; at += strcspn(at, ","), at += *at == ',')
            if (strcspn(at, ",") == one && strncmp(at, c, one) == 0)
                return true;
        c += one + 1;
    }
    return false;
}

/* "path" made safe and relative: "./a/b". ".." would lead out of the container's cgroup. */
static int sub_path(const char *text, char path[static 4100], struct error *err) {
    size_t used = 1;
    path[0] = '.';
    for (const char *at = text; *at;) {
        at += strspn(at, "/");
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return error_set(err, "invalid_argument", "cgroup", text,
                             "bad sub cgroup path: %.200s is not a sub cgroup path", text);
        if (used + length + 2 > 4100)
            return error_errno(err, ENAMETOOLONG, "cgroup", NULL, "bad sub cgroup path");
        if (length && !(length == 1 && at[0] == '.')) {
            path[used++] = '/';
            memcpy(path + used, at, length);
            used += length;
        }
        at += length;
    }
    path[used] = '\0';
    return 0;
}

/* The path below the container's cgroup that the names give for this hierarchy; NULL: any of them (v2). */
static int named_path(const struct cgroup_hierarchy *h, const struct cgroup_names *names,
                      char path[static 4100], struct error *err) {
    strcpy(path, ".");
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i], *colon = strchr(name, ':');
        if (h && colon && !names_hierarchy(h, name, (size_t)(colon - name)))
            continue;
        if (sub_path(colon ? colon + 1 : name, path, err) < 0)
            return -1;
    }
    return 0;
}

static int check_controllers(const struct cgroup *cgroup, const struct cgroup_names *names,
                             struct error *err) {
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i], *colon = strchr(name, ':');
        for (const char *c = name; colon && c < colon; c += strcspn(c, ",:") + 1) {
            bool known = false;
            for (size_t j = 0; j < cgroup->hierarchy_count && !known; j++)
                known = names_hierarchy(&cgroup->hierarchies[j], c, strcspn(c, ",:"));
            if (!known)
                return error_set(err, "invalid_argument", "cgroup", name, "unknown controller %.*s in \"%s\"",
                                 (int)strcspn(c, ",:"), c, name);
        }
    }
    return 0;
}

/* runc's words; it, too, fails at adding the process. */
static int adding_error(const struct cgroup *cgroup, const char *path, int number, struct error *err) {
    return error_errno(err, number, "cgroup", path,
                       "error adding pid of the new process to cgroups: open %s%s/cgroup.procs", cgroup->path,
                       path + 1);
}

int cgroup_open_tasks(const struct cgroup *cgroup, const struct cgroup_names *names, int *fds, size_t *count,
                      struct error *err) {
    char path[4100], file[4200];
    *count = 0;
    if (cgroup->version != 1)
        return 0;
    if (check_controllers(cgroup, names, err) < 0)
        return -1;
    for (size_t i = 0; i < cgroup->hierarchy_count; i++) {
        const struct cgroup_hierarchy *h = &cgroup->hierarchies[i];
        if (h->fd < 0 || h->unified)
            continue;
        if (named_path(h, names, path, err) < 0)
            return -1;
        snprintf(file, sizeof(file), "%s/tasks", path);
        fds[*count] = openat(h->fd, file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fds[*count] < 0)
            return adding_error(cgroup, path, errno, err);
        ++*count;
    }
    return 0;
}

int cgroup_enter(int *fds, size_t count, struct error *err) {
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (result == 0 && write(fds[i], "0", 1) < 0)
            result = error_errno(err, errno, "cgroup", "tasks", "join a control group");
        fd_close(&fds[i]);
    }
    return result;
}

int cgroup_open_target(const struct cgroup *cgroup, const struct cgroup_names *names, struct error *err) {
    char path[4100];
    if (named_path(NULL, names, path, err) < 0)
        return -1;
    int fd = openat(cgroup->hierarchies[0].fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? fd : adding_error(cgroup, path, errno, err);
}

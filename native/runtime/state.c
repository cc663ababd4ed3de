#include "state.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *const status_names[] = {"creating", "created", "running", "paused", "stopped"};

int state_check_id(const char *id, struct error *err) {
    size_t length = strlen(id);
    bool good = length > 0 && length < 256 && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
    for (const char *c = id; good && *c; c++)
        good = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
               strchr("_+.-", *c);
    if (good)
        return 0;
    return error_set(err, "invalid_argument", "container id", NULL,
                     "invalid container ID format: \"%.100s\": only letters, digits and _ + - . are allowed",
                     id);
}

static int make_root(const char *root, struct error *err) {
    char path[4096];
    if (mkdir(root, 0711) == 0 || errno == EEXIST)
        return 0;
    if (strlen(root) >= sizeof(path))
        return error_errno(err, ENAMETOOLONG, "state", root, "create %s", root);
    strcpy(path, root);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0711) < 0 && errno != EEXIST)
            return error_errno(err, errno, "state", path, "create %s", path);
        *slash = '/';
    }
    if (mkdir(path, 0711) < 0 && errno != EEXIST)
        return error_errno(err, errno, "state", path, "create %s", path);
    return 0;
}

static int state_path(const char *root, const char *id, char *out, size_t room, struct error *err) {
    int length = snprintf(out, room, "%s/%s", root, id);
    if (length < 0 || (size_t)length >= room)
        return error_errno(err, ENAMETOOLONG, "state", root, "%s/%s", root, id);
    return 0;
}

int state_create(const char *root, const char *id, struct error *err) {
    char path[4096];
    if (state_check_id(id, err) < 0 || state_path(root, id, path, sizeof(path), err) < 0)
        return -1;
    int made = mkdir(path, 0700);
    if (made < 0 && errno == ENOENT) {
        if (make_root(root, err) < 0)
            return -1;
        made = mkdir(path, 0700);
    }
    if (made < 0 && errno == EEXIST)
        return error_set(err, "already_exists", "state", path, "container with given ID already exists: %s",
                         id);
    if (made < 0)
        return error_errno(err, errno, "state", path, "create %s", path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 ? fd : error_errno(err, errno, "state", path, "open %s", path);
}

int state_open(const char *root, const char *id, struct error *err) {
    char path[4096];
    if (state_check_id(id, err) < 0 || state_path(root, id, path, sizeof(path), err) < 0)
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, "not_found", "state", path, "container \"%s\" does not exist", id);
    return fd >= 0 ? fd : error_errno(err, errno, "state", path, "open %s", path);
}

static void write_private(const struct state *state, struct json_writer *w) {
    json_key(w, "berth");
    json_begin_object(w);
    json_member_uint(w, "startTime", state->start_time);
    json_member_string(w, "cgroupPath", state->cgroup_path);
    json_member_int(w, "cgroupVersion", state->cgroup_version);
    json_member_bool(w, "ownPidNamespace", state->own_pid_namespace);
    json_member_bool(w, "hasPoststart", state->has_poststart);
    json_member_bool(w, "hasPoststop", state->has_poststop);
    if (state->intel_rdt)
        json_member_string(w, "intelRdt", state->intel_rdt);
    json_end_object(w);
}

static void write_fields(const struct state *state, enum status status, bool full, struct json_writer *w) {
    json_member_string(w, "ociVersion", state->oci_version);
    json_member_string(w, "id", state->id);
    json_member_int(w, "pid", status == STATUS_STOPPED ? 0 : state->pid);
    json_member_string(w, "status", status_names[status]);
    json_member_string(w, "bundle", state->bundle);
    if (full) {
        json_member_string(w, "rootfs", state->rootfs);
        json_member_string(w, "created", state->created);
    }
    if (state->annotations) {
        json_key(w, "annotations");
        json_copy(w, state->annotations);
    }
    if (full)
        json_member_string(w, "owner", state->owner);
}

void state_document(const struct state *state, enum status status, bool full, struct json_writer *w) {
    json_begin_object(w);
    write_fields(state, status, full, w);
    json_end_object(w);
}

int state_write(int dir, const struct state *state, struct error *err) {
    struct json_writer w;
    int result = 0;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    write_fields(state, STATUS_CREATED, true, &w);
    write_private(state, &w);
    json_end_object(&w);
    cleanup_fd int fd = openat(dir, "state.json.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w.failed)
        errno = ENOMEM;
    if (w.failed || fd < 0 || write(fd, w.data, w.length) != (ssize_t)w.length ||
        renameat(dir, "state.json.new", dir, "state.json") < 0)
        result = error_errno(err, errno, "state", "state.json", "write state.json");
    json_writer_free(&w);
    return result;
}

int state_read(struct state *state, int dir, const char *id, struct error *err) {
    *state = (struct state){.id = id};
    cleanup_fd int fd = openat(dir, "state.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, "failed_precondition", "state", "state.json",
                         "container \"%s\" is not complete: its creation has not finished, or was cut off; "
                         "delete --force removes it",
                         id);
    if (fd < 0)
        return error_errno(err, errno, "state", "state.json", "open state.json of container %s", id);
    if (json_read_fd(&state->doc, fd, "state.json", err) < 0)
        return -1;
    const struct json_value *root = state->doc.root, *berth = json_get(root, "berth");
    uint64_t start_time = 0;
    json_to_uint64(json_get(berth, "startTime"), &start_time);
    state->oci_version = json_get_string(root, "ociVersion", "");
    state->pid = (pid_t)json_get_int(root, "pid", 0);
    state->start_time = start_time;
    state->bundle = json_get_string(root, "bundle", "");
    state->rootfs = json_get_string(root, "rootfs", "");
    state->created = json_get_string(root, "created", "");
    state->owner = json_get_string(root, "owner", "");
    state->annotations = json_get(root, "annotations");
    state->cgroup_path = json_get_string(berth, "cgroupPath", "");
    state->cgroup_version = (int)json_get_int(berth, "cgroupVersion", 0);
    state->own_pid_namespace = json_get_bool(berth, "ownPidNamespace", false);
    state->has_poststart = json_get_bool(berth, "hasPoststart", false);
    state->has_poststop = json_get_bool(berth, "hasPoststop", false);
    state->intel_rdt = json_get_string(berth, "intelRdt", NULL);
    return 0;
}

void state_free(struct state *state) {
    json_free(&state->doc);
}

int state_load(struct state *state, const char *root, const char *id, struct error *err) {
    int dir = state_open(root, id, err);
    if (dir < 0)
        return -1;
    if (state_read(state, dir, id, err) < 0) {
        state_free(state);
        close(dir);
        return -1;
    }
    return dir;
}

void state_remove_devices(int dir) {
    char name[32];
    for (unsigned i = 0;; i++) {
        snprintf(name, sizeof(name), STATE_DEVICE, i);
        if (unlinkat(dir, name, 0) < 0)
            return;
    }
}

int state_remove(const char *root, const char *id, int dir, struct error *err) {
    static const char *const files[] = {STATE_START_SOCKET, "state.json", STATE_CONFIG, "state.json.new",
                                        "notify/notify.sock"};
    char path[4096];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (unlinkat(dir, files[i], 0) < 0 && errno != ENOENT)
            return error_errno(err, errno, "state", files[i], "remove %s", files[i]);
    state_remove_devices(dir);
    if (state_path(root, id, path, sizeof(path), err) < 0)
        return -1;
    if (rmdir(path) == 0 || errno == ENOENT)
        return 0;
    if (errno == ENOTEMPTY && unlinkat(dir, "notify", AT_REMOVEDIR) == 0 && rmdir(path) == 0)
        return 0;
    return error_errno(err, errno, "state", path, "remove %s", path);
}

unsigned long long state_start_time(pid_t pid) {
    char path[40], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    char *at = strrchr(text, ')'); /* the name before it may hold anything */
    if (!at || at[1] == '\0' || at[2] == 'Z' || at[2] == 'X')
        return 0;
    at += 2; /* at field 3; start time is field 22 */
    for (int field = 3; field < 22 && at; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at ? strtoull(at, NULL, 10) : 0;
}

bool state_alive(const struct state *state) {
    if (state->pid <= 0)
        return false;
    unsigned long long now = state_start_time(state->pid);
    return now != 0 && now == state->start_time;
}

int state_cgroup(const struct state *state, struct cgroup *cgroup, struct error *err) {
    *cgroup = (struct cgroup){0};
    if (state->cgroup_version == 0)
        return 0;
    if (cgroup_detect(cgroup, err) < 0 || cgroup_set_path(cgroup, state->cgroup_path, state->id, err) < 0)
        return -1;
    return cgroup_open(cgroup, err);
}

enum status state_status(const struct state *state, int dir) {
    struct cgroup cgroup;
    struct error ignored;
    if (!state_alive(state))
        return STATUS_STOPPED;
    bool paused = state_cgroup(state, &cgroup, &ignored) == 0 && cgroup_is_frozen(&cgroup);
    cgroup_close(&cgroup);
    if (paused)
        return STATUS_PAUSED;
    return faccessat(dir, STATE_START_SOCKET, F_OK, 0) == 0 ? STATUS_CREATED : STATUS_RUNNING;
}

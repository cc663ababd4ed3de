/* The processes of a control group as a whole: list, freeze, kill. See cgroup.h. */
#include "cgroup.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct pid_list {
    pid_t *pids;
    size_t count, capacity;
};

static int add_pid(struct pid_list *list, pid_t pid) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        pid_t *grown = realloc(list->pids, capacity * sizeof(pid_t));
        if (!grown)
            return -1;
        list->pids = grown;
        list->capacity = capacity;
    }
    list->pids[list->count++] = pid;
    return 0;
}

static int list_directory(struct pid_list *list, int dir, int depth) {
    int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    int pid;
    if (!file)
        return errno == ENOENT || errno == ENODEV || errno == EOPNOTSUPP ? 0 : -1;
    while (fscanf(file, "%d", &pid) == 1)
        if (pid > 0 && add_pid(list, pid) < 0)
            break;
    fclose(file);
    if (depth > 64)
        return 0;
    cleanup_dir DIR *entries = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        cleanup_fd int below = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0 && list_directory(list, below, depth + 1) < 0)
            return -1;
    }
    return 0;
}

/* On v1 any hierarchy would do; these are the ones in which nobody but us moves processes about. */
static int process_dir(const struct cgroup *cgroup) {
    static const char *const preferred[] = {"freezer", "devices", "pids", "memory", "systemd"};
    for (size_t i = 0; i < sizeof(preferred) / sizeof(preferred[0]); i++) {
        int fd = cgroup_dir(cgroup, preferred[i]);
        if (fd >= 0)
            return fd;
    }
    return cgroup->hierarchy_count ? cgroup->hierarchies[0].fd : -1;
}

ssize_t cgroup_pids(struct cgroup *cgroup, pid_t **pids, struct error *err) {
    struct pid_list list = {0};
    int dir = process_dir(cgroup);
    *pids = NULL;
    if (dir >= 0 && list_directory(&list, dir, 0) < 0) {
        free(list.pids);
        return error_errno(err, errno, "cgroup", cgroup->path, "list the processes of cgroup %s",
                           cgroup->path);
    }
    *pids = list.pids;
    return (ssize_t)list.count;
}

static void pause_us(long us) {
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

/* A task in the middle of a fork can keep v1's freezer at FREEZING; writing again takes in the new one (as
 * runc does). */
static int freeze_v1(int dir, bool frozen, struct error *err) {
    const char *want = frozen ? "FROZEN" : "THAWED";
    char state[32];
    for (int round = 0; round < 2000; round++) {
        if (cgroup_write(dir, "freezer.state", want, err) < 0)
            return -1;
        if (cgroup_read(dir, "freezer.state", state, sizeof(state)) < 0)
            return error_errno(err, errno, "cgroup", "freezer.state", "read freezer.state");
        if (strcmp(state, want) == 0)
            return 0;
        if (frozen && round % 50 == 49) { /* thaw for a moment so that the fork in progress can finish */
            if (cgroup_write(dir, "freezer.state", "THAWED", err) < 0)
                return -1;
        }
        pause_us(round < 20 ? 20 : 1000);
    }
    struct error ignored;
    if (frozen)
        cgroup_write(dir, "freezer.state", "THAWED", &ignored);
    return error_set(err, "unavailable", "cgroup", "freezer.state",
                     "unable to freeze: the processes do not stop");
}

/* Read through the descriptor that is polled: poll reports what has changed since its last read. */
static bool event_is(int events, const char *line) {
    char text[256];
    ssize_t got = pread(events, text, sizeof(text) - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    return strstr(text, line) != NULL;
}

static int freeze_v2(int dir, bool frozen, struct error *err) {
    const char *want = frozen ? "frozen 1" : "frozen 0";
    cleanup_fd int events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (events < 0)
        return error_errno(err, errno, "cgroup", "cgroup.events", "open cgroup.events");
    if (cgroup_write(dir, "cgroup.freeze", frozen ? "1" : "0", err) < 0)
        return -1;
    for (int round = 0; round < 20; round++) {
        if (event_is(events, want))
            return 0;
        poll(&(struct pollfd){.fd = events, .events = POLLPRI}, 1, 500);
    }
    return error_set(err, "unavailable", "cgroup", "cgroup.freeze", "unable to %s: the processes do not stop",
                     frozen ? "freeze" : "thaw");
}

int cgroup_freeze(struct cgroup *cgroup, bool frozen, struct error *err) {
    int dir = cgroup_dir(cgroup, "freezer");
    if (dir < 0)
        return error_set(err, "failed_precondition", "cgroup", cgroup->path,
                         "cannot toggle freezer: cgroups not configured for container");
    return cgroup->version == 2 ? freeze_v2(dir, frozen, err) : freeze_v1(dir, frozen, err);
}

bool cgroup_is_frozen(struct cgroup *cgroup) {
    char state[32];
    int dir = cgroup_dir(cgroup, "freezer");
    if (dir < 0)
        return false;
    if (cgroup->version == 2)
        return cgroup_read(dir, "cgroup.freeze", state, sizeof(state)) == 0 && strcmp(state, "1") == 0;
    return cgroup_read(dir, "freezer.state", state, sizeof(state)) == 0 && strncmp(state, "FR", 2) == 0;
}

/* Without cgroup.kill a fork could outrun the list: freeze first where one can, and repeat until a pass finds
 * nobody. */
static int kill_listed(struct cgroup *cgroup, int signal, bool freeze, struct error *err) {
    struct error ignored;
    bool frozen = freeze ? cgroup_freeze(cgroup, true, &ignored) == 0 : cgroup_is_frozen(cgroup);
    cleanup_free pid_t *pids = NULL;
    ssize_t count = cgroup_pids(cgroup, &pids, err);
    for (ssize_t i = 0; i < count; i++)
        kill(pids[i], signal);
    if (frozen && cgroup_freeze(cgroup, false, err) < 0)
        return -1;
    return count < 0 ? -1 : 0;
}

int cgroup_kill(struct cgroup *cgroup, int signal, struct error *err) {
    struct error ignored;
    int dir = cgroup->version == 2 ? cgroup_dir(cgroup, "") : cgroup_unified_dir(cgroup);
    bool killed = signal == SIGKILL && dir >= 0 && cgroup_write(dir, "cgroup.kill", "1", &ignored) == 0;
    if (killed && cgroup->version == 2)
        return 0;
    /* Beside v1 somebody may have moved out of the cgroup2 (or comes from a former version of this program).
     * What is left cannot outrun the list; thawing lets the signal in. */
    return kill_listed(cgroup, signal, !killed, err);
}

/* events: statistics once (--stats) or at an interval, and a line for each time the kernel killed for lack of
 * memory. */
#include "cleanup.h"
#include "state.h"
#include "syscalls.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>

static const char *interval = "5s";
static bool stats;

static int print_event(const struct state *state, struct cgroup *cgroup, const char *type,
                       struct error *err) {
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_string(&w, "type", type);
    json_member_string(&w, "id", state->id);
    if (strcmp(type, "stats") == 0) {
        json_key(&w, "data");
        cgroup_stats(cgroup, &w);
    }
    json_end_object(&w);
    json_newline(&w);
    bool written = !w.failed && fwrite(w.data, 1, w.length, stdout) == w.length && fflush(stdout) == 0;
    json_writer_free(&w);
    return written ? 0 : error_set(err, "internal", "events", NULL, "write an event");
}

/* Go's durations as far as anybody uses them here: "500ms", "5s", "1m". */
static int parse_interval(const char *text, int *ms) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || value <= 0 || value > 1e6)
        return -1;
    double unit = strcmp(end, "ms") == 0  ? 1
                  : strcmp(end, "s") == 0 ? 1000
                  : strcmp(end, "m") == 0 ? 60000
                                          : 0;
    if (unit == 0 || value * unit < 1 || value * unit > 2e9)
        return -1;
    *ms = (int)(value * unit);
    return 0;
}

/* v1: an eventfd bound to memory.oom_control. v2: inotify on memory.events, whose oom_kill count is compared.
 */
static int watch_oom(struct cgroup *cgroup) {
    char text[64];
    struct error ignored;
    int dir = cgroup_dir(cgroup, "memory");
    if (dir < 0)
        return -1;
    if (cgroup->version == 2) {
        snprintf(text, sizeof(text), "/proc/self/fd/%d/memory.events", dir);
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (fd >= 0 && inotify_add_watch(fd, text, IN_MODIFY) < 0)
            fd_close(&fd);
        return fd;
    }
    cleanup_fd int control = openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
    cleanup_fd int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    snprintf(text, sizeof(text), "%d %d", event, control);
    if (control < 0 || event < 0 || cgroup_write(dir, "cgroup.event_control", text, &ignored) < 0)
        return -1;
    return fd_take(&event);
}

static uint64_t oom_kills(const struct cgroup *cgroup) {
    char text[512];
    if (cgroup_read(cgroup_dir(cgroup, "memory"),
                    cgroup->version == 2 ? "memory.events" : "memory.oom_control", text, sizeof(text)) < 0)
        return 0;
    char *at = strstr(text, "oom_kill ");
    return at ? strtoull(at + 9, NULL, 10) : 0;
}

static int watch(const struct state *state, struct cgroup *cgroup, int ms, struct error *err) {
    cleanup_fd int pidfd = sys_pidfd_open(state->pid), oom = watch_oom(cgroup);
    uint64_t kills = oom_kills(cgroup);
    struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = oom, .events = POLLIN}};
    while (state_alive(state)) {
        int ready = poll(fds, 2, ms);
        if (ready < 0 && errno != EINTR)
            return error_errno(err, errno, "events", NULL, "wait for events");
        if (ready == 0 && print_event(state, cgroup, "stats", err) < 0)
            return -1;
        if (ready > 0 && fds[1].revents) {
            char drain[4096];
            while (read(oom, drain, sizeof(drain)) > 0)
                ;
            uint64_t now = oom_kills(cgroup);
            if ((now > kills || cgroup->version == 1) && print_event(state, cgroup, "oom", err) < 0)
                return -1;
            kills = now;
        }
        if (ready > 0 && fds[0].revents)
            break;
    }
    return 0;
}

static int show(const struct state *state, int dir, struct error *err) {
    struct cgroup cgroup;
    int ms;
    if (parse_interval(interval, &ms) < 0)
        return error_set(err, "invalid_argument", "events", NULL,
                         "duration interval must be greater than 0: \"%s\"", interval);
    if (state_status(state, dir) == STATUS_STOPPED)
        return error_set(err, "failed_precondition", "events", NULL, "container with id %s is not running",
                         state->id);
    int result = state_cgroup(state, &cgroup, err);
    if (result == 0)
        result = stats ? print_event(state, &cgroup, "stats", err) : watch(state, &cgroup, ms, err);
    cgroup_close(&cgroup);
    return result;
}

static int run(const struct invocation *in, struct error *err) {
    struct state state;
    cleanup_fd int dir = state_load(&state, in->globals->root, in->operands[0], err);
    if (dir < 0)
        return -1;
    int result = show(&state, dir, err);
    state_free(&state);
    return result;
}

static const struct flag flags[] = {
    {"interval", 0, FLAG_STRING, &interval, "set the stats collection interval"},
    {"stats", 0, FLAG_BOOL, &stats, "display the container's stats then exit"},
    {0},
};

const struct verb verb_events = {
    .name = "events",
    .usage = "[command options] <container-id>",
    .summary = "display container events such as OOM notifications, cpu, memory, and IO usage statistics",
    .flags = flags,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

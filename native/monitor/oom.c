/*
 * Did the kernel's OOM killer strike inside the container's cgroup?
 *
 * The counter `oom_kill` is in memory.oom_control (v1) or memory.events (v2). Its descriptor is opened at the
 * start, so it can still be read when somebody has removed the cgroup meanwhile. For the live frame v1 has an
 * eventfd that fires before the kill is counted, v2 an inotify event on the file.
 */
#include "cleanup.h"
#include "monitor.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/vfs.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define LOOKS 10 /* at the counter after an event: v1 counts the kill later than it tells */
#define LOOK_MS 20

/* The counter's value; 0 if it cannot be read (ENODEV once the cgroup is gone). */
static uint64_t read_kills(int fd) {
    char text[512];
    ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    const char *line = strstr(text, "oom_kill ");
    return line ? strtoull(line + 9, NULL, 10) : 0;
}

static void on_event(struct watch *watch, uint32_t events) {
    struct monitor *m = watch->owner;
    char buffer[512];
    (void)events;
    if (read(watch->fd, buffer, sizeof(buffer)) <= 0) {
        loop_want(&m->loop, watch, 0);
        return;
    }
    m->oom.looks_left = LOOKS;
    m->oom.look_at = loop_now_ms(); /* in this round still */
}

static void tell_kills(struct monitor *m) {
    uint64_t kills = read_kills(m->oom.counter_fd);
    if (kills <= m->oom.seen)
        return;
    m->oom.seen = kills;
    m->oom.looks_left = 0;
    clients_tell(m, FRAME_OOM, NULL, 0);
}

int64_t oom_tidy(struct monitor *m) {
    int64_t now = m->oom.looks_left > 0 ? loop_now_ms() : 0;
    if (m->oom.looks_left > 0 && now >= m->oom.look_at) {
        m->oom.looks_left--;
        m->oom.look_at = now + LOOK_MS;
        tell_kills(m);
    }
    return m->oom.looks_left > 0 ? m->oom.look_at : 0;
}

/* v1: asks for an eventfd; false where the kernel lacks it (PREEMPT_RT): then only the verdict remains. */
static void open_v1(struct monitor *m, const char *cgroup) {
    char path[4096], request[64];
    snprintf(path, sizeof(path), CGROUP_ROOT "/memory%s/memory.oom_control", cgroup);
    m->oom.counter_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (m->oom.counter_fd < 0)
        return;
    snprintf(path, sizeof(path), CGROUP_ROOT "/memory%s/cgroup.event_control", cgroup);
    cleanup_fd int control = open(path, O_WRONLY | O_CLOEXEC);
    cleanup_fd int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (control < 0 || event < 0)
        return;
    int length = snprintf(request, sizeof(request), "%d %d", event, m->oom.counter_fd);
    if (write(control, request, (size_t)length) != length)
        return;
    m->oom.watch.fd = fd_take(&event);
}

static void open_v2(struct monitor *m, const char *cgroup) {
    char path[4096];
    snprintf(path, sizeof(path), CGROUP_ROOT "%s/memory.events", cgroup);
    m->oom.counter_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (m->oom.counter_fd < 0)
        return;
    cleanup_fd int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (notify < 0 || inotify_add_watch(notify, path, IN_MODIFY) < 0)
        return;
    m->oom.watch.fd = fd_take(&notify);
}

void oom_open(struct monitor *m, const char *cgroup) {
    struct statfs fs;
    m->oom = (struct oom_watch){.watch = {.fd = -1, .ready = on_event, .owner = m}, .counter_fd = -1};
    if (!cgroup || statfs(CGROUP_ROOT, &fs) < 0)
        return;
    if (fs.f_type == CGROUP2_SUPER_MAGIC)
        open_v2(m, cgroup);
    else
        open_v1(m, cgroup);
    if (m->oom.watch.fd >= 0 && !loop_want(&m->loop, &m->oom.watch, EPOLLIN))
        fd_close(&m->oom.watch.fd);
    m->oom.seen = read_kills(m->oom.counter_fd);
}

bool oom_killed(struct monitor *m) {
    tell_kills(m); /* if the process itself was the victim, its end may be seen before the event */
    return read_kills(m->oom.counter_fd) > 0;
}

void oom_close(struct monitor *m) {
    if (m->oom.watch.fd >= 0)
        loop_want(&m->loop, &m->oom.watch, 0);
    fd_close(&m->oom.watch.fd);
    fd_close(&m->oom.counter_fd);
}

/* The patient part: the loop and its deadlines. One second after the last event memory is trimmed (trim.c).
 */
#include "ports.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define IDLE_MS 1000
#define LINGER_MS 10000     /* how long clients may take nothing of what they have yet to get at the end */
#define CLOSE_MS 5000       /* how long they may take to close after that */
#define LINGER_MAX_MS 60000 /* how long they may take for all of it */

void terminal_resize(struct monitor *m, uint16_t cols, uint16_t rows) {
    struct winsize size = {.ws_col = cols, .ws_row = rows};
    uint8_t payload[4] = {(uint8_t)(cols >> 8), (uint8_t)cols, (uint8_t)(rows >> 8), (uint8_t)rows};
    if (!m->terminal || (cols == m->cols && rows == m->rows) || m->outputs[0].watch.fd < 0)
        return;
    if (ioctl(m->outputs[0].watch.fd, TIOCSWINSZ, &size) < 0)
        return;
    m->cols = cols;
    m->rows = rows;
    ring_resize(&m->ring, cols, rows);
    clients_tell(m, FRAME_RESIZED, payload, sizeof(payload));
}

/* Reaps everyone; as sub-reaper we also get the orphans of a container in the host's pid namespace. */
static void reap(struct monitor *m) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid != m->pid)
            continue;
        clock_gettime(CLOCK_REALTIME, &m->exited_at);
        m->status = status;
        m->exited = true;
    }
}

static void on_signal(struct watch *watch, uint32_t events) {
    struct signalfd_siginfo info;
    (void)events;
    while (read(watch->fd, &info, sizeof(info)) == sizeof(info))
        continue;
    reap(watch->owner);
}

static int milliseconds_until(int64_t deadline, int64_t now) {
    return deadline == 0 ? -1 : deadline <= now ? 0 : (int)(deadline - now);
}

/* The nearest of two deadlines, 0 being none. */
static int64_t nearest(int64_t a, int64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/*
 * One round of the loop, at most until `deadline` (0: no matter). Returns the number of events. With
 * `may_trim` a second without events is the time to trim; the wait goes on without our memory.
 */
static int round_of_loop(struct monitor *m, int64_t deadline, bool may_trim) {
    int64_t now = loop_now_ms(), next = nearest(deadline, attach_tidy(m));
    next = nearest(nearest(next, ports_tidy(m)), oom_tidy(m));
    if (m->hellos_awaited > 0)
        next = nearest(next, m->hello_deadline);
    bool trim = may_trim && (next == 0 || next > now + IDLE_MS);
    int count = loop_wait(&m->loop, trim ? IDLE_MS : milliseconds_until(next, now));
    if (count == 0 && trim) {
        trim_and_wait(m, milliseconds_until(next, loop_now_ms()));
        count = loop_wait(&m->loop, 0);
    }
    clients_free_gone(m);
    if (m->hellos_awaited > 0 && loop_now_ms() >= m->hello_deadline) {
        clients_forget_awaited(m);
        outputs_update(m);
    }
    return count;
}

void stay_until_exit(struct monitor *m) {
    m->signals.ready = on_signal;
    m->signals.owner = m;
    m->hello_deadline = loop_now_ms() + HELLO_WAIT_MS;
    loop_want(&m->loop, &m->signals, EPOLLIN);
    loop_want(&m->loop, &m->listener, EPOLLIN);
    ports_serve(m);
    outputs_update(m);
    reap(m);
    /* A process may be gone before the caller's first frame has come: what it printed waits for that. */
    while (!m->exited || m->hellos_awaited > 0)
        round_of_loop(m, 0, true);
}

void stay_until_clients_left(struct monitor *m) {
    int64_t give_up = loop_now_ms() + LINGER_MS, last = loop_now_ms() + LINGER_MAX_MS;
    while (!clients_served(m) && loop_now_ms() < give_up && loop_now_ms() < last)
        if (round_of_loop(m, give_up, false) > 0)
            give_up = loop_now_ms() + LINGER_MS;
    /* A socket closed here would make the client's next credit fail, and with it the reading of what the
       kernel still holds for it: our end is closed for writing, and the client closes when it has read that.
     */
    clients_shut(m);
    give_up = loop_now_ms() + CLOSE_MS;
    while (m->clients && loop_now_ms() < give_up)
        round_of_loop(m, give_up, false);
    clients_drop_all(m);
    clients_free_gone(m);
}

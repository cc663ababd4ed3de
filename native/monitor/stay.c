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

/* One round of the loop; the timeout is the nearest of `deadline` (0: none), the hello wait and the ports'.
 */
static int round_of_loop(struct monitor *m, int64_t deadline) {
    int64_t now = loop_now_ms(), next = deadline, tidy = ports_tidy(m);
    if (tidy && (next == 0 || tidy < next))
        next = tidy;
    if (m->hellos_awaited > 0 && (next == 0 || m->hello_deadline < next))
        next = m->hello_deadline;
    int count = loop_wait(&m->loop, next == 0 ? -1 : next <= now ? 0 : (int)(next - now));
    clients_free_gone(m);
    if (m->hellos_awaited > 0 && loop_now_ms() >= m->hello_deadline) {
        clients_forget_awaited(m);
        outputs_update(m);
    }
    return count;
}

void stay_until_exit(struct monitor *m) {
    bool trimmed = false;
    m->signals.ready = on_signal;
    m->signals.owner = m;
    m->hello_deadline = loop_now_ms() + HELLO_WAIT_MS;
    loop_want(&m->loop, &m->signals, EPOLLIN);
    loop_want(&m->loop, &m->listener, EPOLLIN);
    ports_serve(m);
    outputs_update(m);
    reap(m);
    /* A process may be gone before the caller's first frame has come: what it printed waits for that. */
    while (!m->exited || m->hellos_awaited > 0) {
        int count = round_of_loop(m, trimmed ? 0 : loop_now_ms() + IDLE_MS);
        if (count == 0 && !trimmed)
            trim_memory(m);
        trimmed = count == 0;
    }
}

void stay_until_clients_left(struct monitor *m) {
    int64_t give_up = loop_now_ms() + LINGER_MS, last = loop_now_ms() + LINGER_MAX_MS;
    while (!clients_served(m) && loop_now_ms() < give_up && loop_now_ms() < last)
        if (round_of_loop(m, give_up) > 0)
            give_up = loop_now_ms() + LINGER_MS;
    clients_drop_all(m);
    clients_free_gone(m);
}

/* The process's output: one read, then log, ring and clients. */
#include "cleanup.h"
#include "monitor.h"

#include <time.h>

#define DRAIN_MAX (16u << 20) /* somebody else may hold the pipe open and write for ever: bounded */

static void deliver(struct output *output, size_t length) {
    struct monitor *m = output->monitor;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    log_append(&m->log, output->stream, m->scratch, length, &now);
    log_flush(&m->log);
    ring_append(&m->ring, output->stream == LOG_STDOUT ? RING_STDOUT : RING_STDERR, m->scratch, length);
    clients_output(m, output->stream, m->scratch, length);
}

static void close_output(struct output *output) {
    loop_want(&output->monitor->loop, &output->watch, 0);
    fd_close(&output->watch.fd);
}

static void on_output(struct watch *watch, uint32_t events) {
    struct output *output = watch->owner;
    size_t allowed = clients_allowance(output->monitor, output->stream);
    (void)events;
    if (allowed > 0) {
        ssize_t got = read(watch->fd, output->monitor->scratch, allowed < IO_CHUNK ? allowed : IO_CHUNK);
        if (got > 0)
            deliver(output, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            close_output(output); /* EIO of a pty cannot come here: we hold a slave open */
    }
    outputs_update(output->monitor);
}

void outputs_update(struct monitor *m) {
    bool waiting = m->hellos_awaited > 0;
    for (int i = 0; i < 2; i++) {
        struct output *output = &m->outputs[i];
        if (output->watch.fd < 0)
            continue;
        output->watch.ready = on_output;
        bool readable = !waiting && clients_allowance(m, output->stream) > 0;
        loop_want(&m->loop, &output->watch, readable ? EPOLLIN : 0);
    }
}

void outputs_drain(struct monitor *m) {
    struct timespec now;
    fd_close(&m->terminal_slave);
    for (int i = 0; i < 2; i++) {
        struct output *output = &m->outputs[i];
        ssize_t got = 1;
        for (size_t total = 0; output->watch.fd >= 0 && total < DRAIN_MAX; total += (size_t)got) {
            got = read(output->watch.fd, m->scratch, IO_CHUNK);
            if (got < 0 && errno == EINTR)
                got = 0;
            else if (got <= 0)
                break;
            else
                deliver(output, (size_t)got);
        }
        if (output->watch.fd >= 0)
            close_output(output);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    log_finish(&m->log, &now);
}

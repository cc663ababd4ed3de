/* The process's standard input: a queue of pieces, each remembering which client gets the acknowledgement. */
#include "cleanup.h"
#include "monitor.h"

#include <stdlib.h>
#include <string.h>

struct input_chunk {
    struct input_chunk *next;
    struct client *client; /* NULL: it has left */
    size_t length, done;
    char bytes[];
};

static void drop_first(struct input *input) {
    struct input_chunk *first = input->first;
    input->first = first->next;
    if (!input->first)
        input->last = NULL;
    free(first);
}

/* Nobody will read it any more: acknowledge, so that clients do not wait, and forget. */
static void discard_all(struct input *input) {
    for (; input->first; drop_first(input))
        if (input->first->client)
            client_acknowledge(input->first->client, input->first->length - input->first->done);
}

static void close_now(struct monitor *m) {
    loop_want(&m->loop, &m->input.watch, 0);
    fd_close(&m->input.watch.fd);
    discard_all(&m->input);
}

static void on_writable(struct watch *watch, uint32_t events) {
    struct monitor *m = watch->owner;
    struct input *input = &m->input;
    bool broken = (events & EPOLLERR) && !(events & EPOLLOUT);
    while (input->first && !broken) {
        struct input_chunk *first = input->first;
        ssize_t wrote = write(watch->fd, first->bytes + first->done, first->length - first->done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN)
            break;
        if (wrote < 0) {
            broken = true; /* EPIPE: the process has closed its end */
            break;
        }
        first->done += (size_t)wrote;
        if (first->client)
            client_acknowledge(first->client, (size_t)wrote);
        if (first->done == first->length)
            drop_first(input);
    }
    if (broken || (!input->first && input->close_when_empty))
        close_now(m);
    else
        loop_want(&m->loop, watch, input->first ? EPOLLOUT : 0);
    clients_send_acknowledgements(m);
}

bool input_push(struct monitor *m, struct client *client, const char *bytes, size_t length) {
    struct input *input = &m->input;
    if (input->watch.fd < 0 || input->close_when_empty) {
        client_acknowledge(client, length);
        return true;
    }
    struct input_chunk *chunk = malloc(sizeof(*chunk) + length);
    if (!chunk)
        return false;
    *chunk = (struct input_chunk){.client = client, .length = length};
    memcpy(chunk->bytes, bytes, length);
    if (input->last)
        input->last->next = chunk;
    else
        input->first = chunk;
    input->last = chunk;
    input->watch.ready = on_writable;
    input->watch.owner = m;
    return loop_want(&m->loop, &input->watch, EPOLLOUT);
}

void input_close(struct monitor *m) {
    if (m->terminal || m->input.watch.fd < 0)
        return;
    m->input.close_when_empty = true;
    if (!m->input.first)
        close_now(m);
}

void input_forget(struct monitor *m, const struct client *client) {
    for (struct input_chunk *chunk = m->input.first; chunk; chunk = chunk->next)
        if (chunk->client == client)
            chunk->client = NULL;
}

void input_abandon(struct monitor *m) {
    if (m->input.watch.fd >= 0)
        close_now(m);
}

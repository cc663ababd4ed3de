/*
 * Attach clients. Each has a queue of bytes that its socket has not taken, and, if it asked for flow
 * "credit", the bytes it has granted. monitor.h tells who calls what.
 *
 * While the process runs, a client with credit never has output waiting for credit: the process is not read
 * then. Only what is drained at the end can exceed it; that is `held` back until the client grants more.
 */
#include "cleanup.h"
#include "ports.h"
#include "queue.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define HELD_MAX (32u << 20)

struct client {
    struct watch watch;
    struct monitor *monitor;
    struct client *next;
    bool awaited; /* an attach descriptor that has not said hello yet */
    bool hello, want_stdin, want_out[2], credit_flow, finished;
    uint64_t credit;
    size_t unacknowledged, acknowledge_now; /* bytes of its stdin */
    size_t replay_left;     /* replay bytes in the queue, which do not count as being behind */
    struct queue out, held; /* held: {u8 stream, u32 length, bytes} */
    struct frame_reader reader;
};

static void leave(struct client *client) {
    struct monitor *m = client->monitor;
    if (client->watch.fd < 0)
        return;
    loop_want(&m->loop, &client->watch, 0);
    fd_close(&client->watch.fd);
    for (struct client **link = &m->clients; *link; link = &(*link)->next) {
        if (*link == client) {
            *link = client->next;
            break;
        }
    }
    client->next = m->gone;
    m->gone = client;
    m->client_count--;
    if (client->awaited)
        m->hellos_awaited--;
    input_forget(m, client);
    if (client->want_stdin && m->stdin_mode == STDIN_ONCE)
        input_close(m);
    outputs_update(m);
}

void clients_free_gone(struct monitor *m) {
    for (struct client *client; (client = m->gone);) {
        m->gone = client->next;
        queue_free(&client->out);
        queue_free(&client->held);
        free(client);
    }
}

/* Sends what the socket takes. False: the client is gone. */
static bool flush(struct client *client) {
    while (client->out.used > 0) {
        ssize_t sent =
            send(client->watch.fd, queue_front(&client->out), client->out.used, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            break;
        if (sent < 0) {
            leave(client);
            return false;
        }
        client->replay_left -= client->replay_left < (size_t)sent ? client->replay_left : (size_t)sent;
        queue_take(&client->out, (size_t)sent);
    }
    loop_want(&client->monitor->loop, &client->watch, EPOLLIN | (client->out.used ? EPOLLOUT : 0));
    return true;
}

/* Sends a frame of up to three parts, queueing what the socket does not take. False: the client is gone. */
static bool send_frame(struct client *client, enum frame_type type, const void *a, size_t a_length,
                       const void *b, size_t b_length) {
    uint8_t header[FRAME_HEADER];
    size_t sent = 0, total = FRAME_HEADER + a_length + b_length;
    frame_put_header(header, type, (uint32_t)(a_length + b_length));
    struct iovec parts[3] = {{header, FRAME_HEADER}, {(void *)a, a_length}, {(void *)b, b_length}};
    if (client->watch.fd < 0)
        return false;
    if (client->out.used == 0) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
        ssize_t result = sendmsg(client->watch.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (result < 0 && errno != EAGAIN && errno != EINTR) {
            leave(client);
            return false;
        }
        sent = result > 0 ? (size_t)result : 0;
    }
    if (sent == total)
        return true;
    size_t limit = client->credit_flow ? 2 * CLIENT_BACKLOG_MAX : CLIENT_BACKLOG_MAX;
    bool behind = client->out.used + total - sent > limit + client->replay_left && !client->finished;
    for (int i = 0; i < 3 && !behind; i++) {
        size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        sent -= skip;
        behind = !queue_put(&client->out, (char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
    }
    if (behind) {
        leave(client);
        return false;
    }
    loop_want(&client->monitor->loop, &client->watch, EPOLLIN | EPOLLOUT);
    return true;
}

static bool send_output(struct client *client, enum log_stream stream, const char *bytes, size_t length) {
    return send_frame(client, stream == LOG_STDOUT ? FRAME_STDOUT : FRAME_STDERR, bytes, length, NULL, 0);
}

/* Output beyond the credit: only when the process has ended. */
static void hold(struct client *client, enum log_stream stream, const char *bytes, size_t length) {
    char header[5] = {(char)stream};
    uint32_t size = (uint32_t)length;
    memcpy(header + 1, &size, sizeof(size));
    if (client->held.used + length > HELD_MAX || !queue_put(&client->held, header, sizeof(header)) ||
        !queue_put(&client->held, bytes, length))
        leave(client);
}

/* Sends held output as far as credit goes. False: the client is gone. */
static bool release_held(struct client *client) {
    while (client->held.used > 0 && client->credit > 0) {
        char *front = client->held.bytes + client->held.start;
        uint32_t size, take;
        memcpy(&size, front + 1, sizeof(size));
        take = client->credit < size ? (uint32_t)client->credit : size;
        enum log_stream stream = (enum log_stream)front[0];
        client->credit -= take;
        if (!send_output(client, stream, front + 5, take))
            return false;
        if (take == size) {
            queue_take(&client->held, 5 + size);
            continue;
        }
        size -= take; /* the rest stays: a new header right in front of it */
        front += take;
        front[0] = (char)stream;
        memcpy(front + 1, &size, sizeof(size));
        queue_take(&client->held, take);
    }
    return true;
}

/* The last frame, once nothing is held back. The socket is closed at the very end, see ending.c. */
static void finish(struct client *client) {
    const struct monitor *m = client->monitor;
    if (!m->exit_length || client->finished || client->held.used > 0)
        return;
    client->finished = true;
    send_frame(client, FRAME_EXIT, m->exit_json, m->exit_length, NULL, 0);
}

void clients_output(struct monitor *m, enum log_stream stream, const char *bytes, size_t length) {
    for (struct client *client = m->clients, *next; client; client = next) {
        next = client->next;
        if (!client->hello || !client->want_out[stream])
            continue;
        if (client->credit_flow && (client->held.used > 0 || client->credit < length)) {
            size_t now = client->held.used > 0 ? 0 : (size_t)client->credit;
            client->credit -= now;
            if (now == 0 || send_output(client, stream, bytes, now))
                hold(client, stream, bytes + now, length - now);
            continue;
        }
        if (client->credit_flow)
            client->credit -= length;
        send_output(client, stream, bytes, length);
    }
}

void clients_tell(struct monitor *m, enum frame_type type, const void *payload, size_t length) {
    for (struct client *client = m->clients, *next; client; client = next) {
        next = client->next;
        if (client->hello)
            send_frame(client, type, payload, length, NULL, 0);
    }
}

size_t clients_allowance(const struct monitor *m, enum log_stream stream) {
    size_t allowance = IO_CHUNK;
    for (const struct client *client = m->clients; client; client = client->next) {
        if (!client->hello || !client->credit_flow || !client->want_out[stream])
            continue;
        if (client->out.used > CLIENT_CREDIT_BACKLOG)
            return 0;
        if (client->credit < allowance)
            allowance = (size_t)client->credit;
    }
    return allowance;
}

void client_acknowledge(struct client *client, size_t length) {
    client->acknowledge_now += length;
}

void clients_send_acknowledgements(struct monitor *m) {
    for (struct client *client = m->clients, *next; client; client = next) {
        next = client->next;
        if (client->acknowledge_now == 0)
            continue;
        uint32_t count = (uint32_t)client->acknowledge_now;
        uint8_t payload[4] = {(uint8_t)(count >> 24), (uint8_t)(count >> 16), (uint8_t)(count >> 8),
                              (uint8_t)count};
        client->unacknowledged -= client->acknowledge_now;
        client->acknowledge_now = 0;
        send_frame(client, FRAME_STDIN_ACK, payload, sizeof(payload), NULL, 0);
    }
}

static void send_replay_entry(void *owner, enum ring_type type, const uint8_t *bytes, size_t length) {
    struct client *client = owner;
    if (type == RING_RESIZE) {
        send_frame(client, FRAME_RESIZED, bytes, length, NULL, 0);
        return;
    }
    if (!client->want_out[type == RING_STDERR])
        return;
    client->replay_left += length + FRAME_HEADER + 1;
    uint8_t stream = (uint8_t)type;
    if (client->monitor->terminal)
        send_frame(client, FRAME_REPLAY, bytes, length, NULL, 0);
    else
        send_frame(client, FRAME_REPLAY, &stream, 1, bytes, length);
}

static bool send_welcome(struct client *client) {
    char text[192];
    struct monitor *m = client->monitor;
    int length = snprintf(
        text, sizeof(text),
        "{\"pid\":%d,\"terminal\":%s,\"cols\":%u,\"rows\":%u,\"startedAt\":\"%s\",\"setsPorts\":true}",
        (int)m->pid, m->terminal ? "true" : "false", m->cols, m->rows, m->started_at);
    return send_frame(client, FRAME_WELCOME, text, (size_t)length, NULL, 0);
}

static bool on_hello(struct client *client, const char *payload, size_t length) {
    struct monitor *m = client->monitor;
    struct json_doc json = {0};
    struct error err;
    if (client->hello || json_parse(&json, (char *)payload, length, "hello", &err) < 0)
        return false;
    client->want_stdin = json_get_bool(json.root, "stdin", false);
    client->want_out[LOG_STDOUT] = json_get_bool(json.root, "stdout", false);
    client->want_out[LOG_STDERR] = json_get_bool(json.root, "stderr", false);
    client->credit_flow = strcmp(json_get_string(json.root, "flow", "drop"), "credit") == 0;
    int64_t credit = json_get_int(json.root, "credit", 0);
    client->credit = credit > 0 ? (uint64_t)credit : 0;
    bool replay = json_get_bool(json.root, "replay", false);
    json_free(&json);
    if (!send_welcome(client))
        return true;
    if (replay) {
        ring_visit(&m->ring, send_replay_entry, client);
        if (client->watch.fd < 0 || !send_frame(client, FRAME_REPLAY_END, NULL, 0, NULL, 0))
            return true;
    }
    client->hello = true;
    if (client->awaited) {
        client->awaited = false;
        m->hellos_awaited--;
    }
    outputs_update(m);
    finish(client);
    return true;
}

static bool on_data(struct client *client, const char *bytes, size_t length) {
    if (!client->want_stdin)
        return false;
    client->unacknowledged += length;
    if (client->unacknowledged > CLIENT_STDIN_MAX)
        return false;
    return input_push(client->monitor, client, bytes, length);
}

static bool on_signal(struct client *client, uint32_t number) {
    if (number < 1 || number > 64)
        return false;
    /* ESRCH: the process has just ended, and EXIT is on its way. */
    return syscall(SYS_pidfd_send_signal, client->monitor->pidfd, (int)number, NULL, 0) == 0 ||
           errno == ESRCH;
}

/* Answers `{}`, or what stands in the way. */
static bool on_port(struct client *client, const char *payload, size_t length) {
    struct monitor *m = client->monitor;
    struct json_doc json = {0};
    struct port_plan plan;
    struct error err;
    int result = json_parse(&json, (char *)payload, length, "port", &err);
    if (result == 0)
        result = port_plan_read(json.root, &plan, &err);
    if (result == 0)
        result = m->exited ? error_set(&err, "failed_precondition", "ports", "", "the process has ended")
                           : ports_set(m, &plan, &err);
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    if (result < 0) {
        json_member_string(&w, "code", err.code ? err.code : "internal");
        json_member_string(&w, "message", err.message);
    }
    json_end_object(&w);
    json_free(&json);
    bool sent = !w.failed && send_frame(client, FRAME_PORT_SET, w.data, w.length, NULL, 0);
    json_writer_free(&w);
    return sent;
}

static bool on_credit(struct client *client, uint32_t more) {
    client->credit += more;
    if (release_held(client)) {
        finish(client);
        outputs_update(client->monitor);
    }
    return true;
}

/* False: the client broke the protocol. */
static bool on_frame(void *owner, enum frame_type type, const char *payload, size_t length) {
    struct client *client = owner;
    struct monitor *m = client->monitor;
    if (client->watch.fd < 0)
        return false; /* it was cut off while an earlier frame of this read was handled */
    if (type != FRAME_HELLO && !client->hello)
        return false;
    switch (type) {
    case FRAME_HELLO:
        return on_hello(client, payload, length);
    case FRAME_DATA:
        return on_data(client, payload, length);
    case FRAME_RESIZE:
        terminal_resize(m, frame_u16(payload), frame_u16(payload + 2));
        return true;
    case FRAME_SIGNAL:
        return on_signal(client, frame_u32(payload));
    case FRAME_CREDIT:
        return on_credit(client, frame_u32(payload));
    case FRAME_CLOSE_STDIN:
        if (client->want_stdin)
            input_close(m);
        return client->want_stdin;
    case FRAME_LOG_ROTATE:
        log_rotate(&m->log);
        return true;
    case FRAME_PORT:
        return on_port(client, payload, length);
    default:
        return false;
    }
}

static void on_client(struct watch *watch, uint32_t events) {
    struct client *client = watch->owner;
    struct monitor *m = client->monitor;
    if (events & EPOLLOUT) {
        if (!flush(client))
            return;
        outputs_update(m);
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    ssize_t got = recv(watch->fd, m->scratch, IO_CHUNK, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || !frame_feed(&client->reader, m->scratch, (size_t)got, on_frame, client))
        leave(client);
    clients_send_acknowledgements(m);
}

void client_add(struct monitor *m, int fd, bool first) {
    struct client *client = m->client_count < CLIENT_MAX ? calloc(1, sizeof(*client)) : NULL;
    if (!client) {
        close(fd);
        return;
    }
    client->watch = (struct watch){.fd = fd, .ready = on_client, .owner = client};
    client->monitor = m;
    client->next = m->clients;
    m->clients = client;
    m->client_count++;
    client->awaited = first;
    m->hellos_awaited += first;
    if (!loop_want(&m->loop, &client->watch, EPOLLIN))
        leave(client);
}

void clients_finish(struct monitor *m) {
    for (struct client *client = m->clients, *next; client; client = next) {
        next = client->next;
        if (client->hello)
            finish(client);
    }
}

bool clients_served(const struct monitor *m) {
    for (const struct client *client = m->clients; client; client = client->next)
        if (client->hello && (!client->finished || client->out.used > 0))
            return false;
    return true;
}

void clients_forget_awaited(struct monitor *m) {
    for (struct client *client = m->clients; client; client = client->next)
        client->awaited = false;
    m->hellos_awaited = 0;
}

void clients_shut(struct monitor *m) {
    for (struct client *client = m->clients, *next; client; client = next) {
        next = client->next;
        if (!client->hello || shutdown(client->watch.fd, SHUT_WR) < 0)
            leave(client);
    }
}

void clients_drop_all(struct monitor *m) {
    while (m->clients)
        leave(m->clients);
}

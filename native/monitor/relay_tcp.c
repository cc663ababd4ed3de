/*
 * TCP relays: a connection that has arrived on a reserved port, and one to the container.
 *
 * Each direction carries at most one chunk that its receiver has not taken; while there is one nothing more
 * is read from the sender. So memory is bounded and a slow receiver slows its sender, as without a relay. An
 * idle connection holds no buffer at all.
 */
#include "cleanup.h"
#include "ports.h"
#include "queue.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

enum { CLIENT_SIDE, CONTAINER_SIDE };

struct side {
    struct watch watch;
    struct relay_tcp *relay;
    struct queue waiting; /* what came from the other side and this one has not taken */
    bool ended;           /* has sent its end of file */
    bool shut;            /* has been sent ours */
};

struct relay_tcp {
    struct port *port;
    struct relay_tcp *next;
    struct side sides[2];
    bool connecting, gone;
};

static void end_relay(struct relay_tcp *relay) {
    if (relay->gone)
        return;
    for (int i = 0; i < 2; i++) {
        struct side *side = &relay->sides[i];
        loop_want(&relay->port->monitor->loop, &side->watch, 0);
        fd_close(&side->watch.fd);
        queue_free(&side->waiting);
    }
    relay->gone = true; /* freed between two rounds of the loop */
    relay->port->monitor->relay_count--;
}

static struct side *other_side(struct side *side) {
    struct relay_tcp *relay = side->relay;
    return &relay->sides[side == &relay->sides[CLIENT_SIDE] ? CONTAINER_SIDE : CLIENT_SIDE];
}

/* False: the connection is broken. */
static bool write_waiting(struct side *side) {
    while (side->waiting.used > 0) {
        ssize_t sent = send(side->watch.fd, queue_front(&side->waiting), side->waiting.used, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN;
        queue_take(&side->waiting, (size_t)sent);
    }
    return true;
}

/* Reads once and hands on. False: the connection is broken. */
static bool read_once(struct side *side) {
    struct side *to = other_side(side);
    char *chunk = side->relay->port->monitor->scratch;
    if (side->ended || to->waiting.used > 0)
        return true;
    ssize_t got = recv(side->watch.fd, chunk, IO_CHUNK, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
        side->ended = true;
        return true;
    }
    ssize_t sent = send(to->watch.fd, chunk, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    size_t done = sent > 0 ? (size_t)sent : 0;
    return queue_put(&to->waiting, chunk + done, (size_t)got - done);
}

/* What each side waits for follows from the state alone. */
static void update(struct relay_tcp *relay) {
    for (int i = 0; i < 2; i++) {
        struct side *side = &relay->sides[i], *from = &relay->sides[!i];
        if (from->ended && side->waiting.used == 0 && !side->shut) {
            shutdown(side->watch.fd, SHUT_WR);
            side->shut = true;
        }
    }
    if (relay->sides[0].shut && relay->sides[1].shut) {
        end_relay(relay);
        return;
    }
    for (int i = 0; i < 2; i++) {
        struct side *side = &relay->sides[i], *to = &relay->sides[!i];
        uint32_t events = side->waiting.used > 0 ? EPOLLOUT : 0;
        if (!side->ended && to->waiting.used == 0)
            events |= EPOLLIN;
        if (!loop_want(&relay->port->monitor->loop, &side->watch, events)) {
            end_relay(relay);
            return;
        }
    }
}

static void on_side(struct watch *watch, uint32_t events) {
    struct side *side = watch->owner;
    struct relay_tcp *relay = side->relay;
    bool well = true;
    if (events & EPOLLOUT)
        well = write_waiting(side);
    if (well && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        well = read_once(side);
    if (well && (events & EPOLLERR) && side->ended)
        well = false; /* nothing more can be read, so the error would be reported for ever */
    if (well)
        update(relay);
    else
        end_relay(relay);
}

static void on_connected(struct watch *watch, uint32_t events) {
    struct side *side = watch->owner;
    struct relay_tcp *relay = side->relay;
    int error = 0;
    socklen_t length = sizeof(error);
    (void)events;
    if (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error) {
        end_relay(relay);
        return;
    }
    relay->connecting = false;
    watch->ready = on_side;
    update(relay);
}

static bool begin_relay(struct port *port, int client_fd) {
    struct monitor *m = port->monitor;
    int on = 1, fd = socket(port->target.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct relay_tcp *relay = fd < 0 ? NULL : calloc(1, sizeof(*relay));
    if (!relay ||
        (connect(fd, (struct sockaddr *)&port->target, port->target_length) < 0 && errno != EINPROGRESS)) {
        fd_close(&fd);
        free(relay);
        return false;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(client_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    relay->port = port;
    relay->connecting = true;
    relay->sides[CLIENT_SIDE] = (struct side){.watch = {.fd = client_fd, .ready = on_side}, .relay = relay};
    relay->sides[CONTAINER_SIDE] = (struct side){.watch = {.fd = fd, .ready = on_connected}, .relay = relay};
    for (int i = 0; i < 2; i++)
        relay->sides[i].watch.owner = &relay->sides[i];
    relay->next = port->connections;
    port->connections = relay;
    m->relay_count++;
    if (!loop_want(&m->loop, &relay->sides[CONTAINER_SIDE].watch, EPOLLOUT))
        end_relay(relay);
    return true;
}

void relay_tcp_accept(struct watch *watch, uint32_t events) {
    struct port *port = watch->owner;
    struct monitor *m = port->monitor;
    (void)events;
    if (m->relay_count >= RELAY_MAX) {
        loop_want(&m->loop, watch, 0); /* ports_tidy tries again */
        return;
    }
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            ports_pause(port);
        return;
    }
    if (!begin_relay(port, fd))
        close(fd);
}

void relay_tcp_free_gone(struct port *port) {
    for (struct relay_tcp **link = &port->connections; *link;) {
        struct relay_tcp *relay = *link;
        if (relay->gone) {
            *link = relay->next;
            free(relay);
        } else {
            link = &relay->next;
        }
    }
}

void relay_tcp_end_all(struct port *port) {
    for (struct relay_tcp *relay = port->connections; relay; relay = relay->next)
        end_relay(relay);
}

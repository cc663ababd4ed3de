/*
 * UDP relays: each peer that has sent to a reserved port gets a socket of its own, connected to the
 * container, so that answers find their way back. An answer leaves from the address that the peer has written
 * to.
 */
#include "cleanup.h"
#include "ports.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct relay_udp {
    struct watch watch; /* the socket to the container */
    struct port *port;
    struct relay_udp *next;
    struct sockaddr_storage peer;
    socklen_t peer_length;
    union {
        struct in_pktinfo four;
        struct in6_pktinfo six;
    } local; /* where the peer's datagram arrived */
    int64_t last_ms;
};

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* A peer without a socket is forgotten already; its memory goes between two rounds of the loop. */
static void end_peer(struct relay_udp *relay) {
    if (relay->watch.fd < 0)
        return;
    loop_want(&relay->port->monitor->loop, &relay->watch, 0);
    fd_close(&relay->watch.fd);
    relay->port->monitor->relay_count--;
}

static void remember_local(struct relay_udp *relay, struct msghdr *message) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(header), sizeof(info));
            relay->local.four = (struct in_pktinfo){.ipi_spec_dst = info.ipi_spec_dst};
        } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
            memcpy(&relay->local.six, CMSG_DATA(header), sizeof(relay->local.six));
        }
    }
}

/* The container's answer: back to the peer, from the address it knows. Errors lose the datagram, as UDP may.
 */
static void on_answer(struct watch *watch, uint32_t events) {
    struct relay_udp *relay = watch->owner;
    char *datagram = relay->port->monitor->scratch;
    bool six = relay->peer.ss_family == AF_INET6;
    union control control = {0};
    (void)events;
    ssize_t got = recv(watch->fd, datagram, IO_CHUNK, 0);
    if (got < 0)
        return; /* ECONNREFUSED: nobody listens in the container; reading it has cleared it */
    struct iovec part = {datagram, (size_t)got};
    struct msghdr message = {.msg_name = &relay->peer,
                             .msg_namelen = relay->peer_length,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = six ? CMSG_SPACE(sizeof(struct in6_pktinfo))
                                                   : CMSG_SPACE(sizeof(struct in_pktinfo))};
    control.header.cmsg_level = six ? IPPROTO_IPV6 : IPPROTO_IP;
    control.header.cmsg_type = six ? IPV6_PKTINFO : IP_PKTINFO;
    size_t size = six ? sizeof(relay->local.six) : sizeof(relay->local.four);
    control.header.cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(&control.header), &relay->local, size);
    sendmsg(relay->port->watch.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    relay->last_ms = loop_now_ms();
}

static struct relay_udp *find_peer(struct port *port, const struct sockaddr_storage *peer, socklen_t length) {
    for (struct relay_udp *relay = port->peers; relay; relay = relay->next)
        if (relay->watch.fd >= 0 && relay->peer_length == length && memcmp(&relay->peer, peer, length) == 0)
            return relay;
    return NULL;
}

static struct relay_udp *add_peer(struct port *port, const struct sockaddr_storage *peer, socklen_t length) {
    struct monitor *m = port->monitor;
    if (m->relay_count >= RELAY_MAX)
        return NULL;
    cleanup_fd int fd = socket(port->target.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&port->target, port->target_length) < 0)
        return NULL;
    struct relay_udp *relay = calloc(1, sizeof(*relay));
    if (!relay)
        return NULL;
    relay->watch = (struct watch){.fd = fd, .ready = on_answer, .owner = relay};
    relay->port = port;
    relay->peer = *peer;
    relay->peer_length = length;
    if (!loop_want(&m->loop, &relay->watch, EPOLLIN)) {
        free(relay);
        return NULL;
    }
    fd_take(&fd);
    relay->next = port->peers;
    port->peers = relay;
    m->relay_count++;
    return relay;
}

void relay_udp_receive(struct watch *watch, uint32_t events) {
    struct port *port = watch->owner;
    struct sockaddr_storage peer = {0};
    union control control;
    char *datagram = port->monitor->scratch; /* no datagram is longer */
    struct iovec part = {datagram, IO_CHUNK};
    struct msghdr message = {.msg_name = &peer,
                             .msg_namelen = sizeof(peer),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    (void)events;
    ssize_t got = recvmsg(watch->fd, &message, 0);
    if (got < 0)
        return;
    struct relay_udp *relay = find_peer(port, &peer, message.msg_namelen);
    if (!relay)
        relay = add_peer(port, &peer, message.msg_namelen);
    if (!relay)
        return; /* too many peers: dropped, as a full queue would */
    remember_local(relay, &message);
    relay->last_ms = loop_now_ms();
    send(relay->watch.fd, datagram, (size_t)got, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int64_t relay_udp_tidy(struct port *port, int64_t now) {
    int64_t next = 0;
    for (struct relay_udp **link = &port->peers; *link;) {
        struct relay_udp *relay = *link;
        int64_t deadline = relay->last_ms + UDP_IDLE_MS;
        if (relay->watch.fd < 0 || deadline <= now) {
            *link = relay->next;
            end_peer(relay);
            free(relay);
            continue;
        }
        next = next == 0 || deadline < next ? deadline : next;
        link = &relay->next;
    }
    return next;
}

void relay_udp_end_all(struct port *port) {
    for (struct relay_udp *relay = port->peers; relay; relay = relay->next)
        end_peer(relay);
}

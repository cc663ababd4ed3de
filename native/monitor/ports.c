/* Published host ports; ports.h tells what they promise. */
#include "ports.h"

#include "cleanup.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define STEP "ports"
#define BACKLOG 128
#define RETRY_MS 1000

static int refuse(struct error *err, const struct port_plan *plan) {
    bool six = plan->host_ip.family == AF_INET6;
    char address[80];
    snprintf(address, sizeof(address), "%s%s%s:%u", six ? "[" : "", plan->host_ip_text, six ? "]" : "",
             plan->host_port);
    if (errno == EADDRINUSE)
        return error_set(err, "failed_precondition", STEP, address,
                         "Bind for %s failed: port is already allocated", address);
    if (errno == EADDRNOTAVAIL)
        return error_set(err, "invalid_argument", STEP, address,
                         "Bind for %s failed: the host has no such address", address);
    return error_errno(err, errno, STEP, address, "Bind for %s failed", address);
}

static int reserve(struct port *port, const struct port_plan *plan, struct error *err) {
    struct sockaddr_storage address;
    int on = 1, family = plan->host_ip.family, type = plan->udp ? SOCK_DGRAM : SOCK_STREAM;
    socklen_t length = ip_address_to_sockaddr(&plan->host_ip, plan->host_port, &address);
    cleanup_fd int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return refuse(err, plan);
    if (!plan->udp) /* of connections that have ended a moment ago; two listeners still exclude each other */
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (plan->udp && family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
    else if (plan->udp)
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, length) < 0 || (!plan->udp && listen(fd, BACKLOG) < 0))
        return refuse(err, plan);
    port->udp = plan->udp;
    port->target_length = ip_address_to_sockaddr(&plan->container_ip, plan->container_port, &port->target);
    port->watch.fd = fd_take(&fd);
    return 0;
}

/* Ports and relays need descriptors. The runtime's processes get the old limit back by their own
 * configuration. */
static void raise_descriptor_limit(size_t ports) {
    struct rlimit limit;
    rlim_t need = ports + 2 * RELAY_MAX + 256;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need)
        return;
    limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int ports_reserve(struct monitor *m, const struct document *doc, struct error *err) {
    if (doc->exec || doc->port_count == 0)
        return 0;
    raise_descriptor_limit(doc->port_count);
    m->ports = calloc(doc->port_count, sizeof(*m->ports));
    if (!m->ports)
        return error_errno(err, ENOMEM, STEP, "", "reserve ports");
    for (size_t i = 0; i < doc->port_count; i++) {
        struct port *port = &m->ports[m->port_count];
        port->monitor = m;
        port->watch.owner = port;
        if (reserve(port, &doc->ports[i], err) < 0) {
            ports_close(m);
            return -1;
        }
        port->watch.ready = port->udp ? relay_udp_receive : relay_tcp_accept;
        m->port_count++;
    }
    return 0;
}

void ports_serve(struct monitor *m) {
    for (size_t i = 0; i < m->port_count; i++)
        loop_want(&m->loop, &m->ports[i].watch, EPOLLIN);
}

void ports_pause(struct port *port) {
    loop_want(&port->monitor->loop, &port->watch, 0);
    port->retry_at = loop_now_ms() + RETRY_MS;
}

void ports_close(struct monitor *m) {
    for (size_t i = 0; i < m->port_count; i++) {
        struct port *port = &m->ports[i];
        loop_want(&m->loop, &port->watch, 0);
        fd_close(&port->watch.fd);
        relay_tcp_close_all(port);
        relay_udp_close_all(port);
    }
    free(m->ports);
    m->ports = NULL;
    m->port_count = 0;
}

int64_t ports_tidy(struct monitor *m) {
    int64_t next = 0, now = m->port_count ? loop_now_ms() : 0;
    for (size_t i = 0; i < m->port_count; i++) {
        struct port *port = &m->ports[i];
        relay_tcp_free_gone(port);
        int64_t deadline = relay_udp_tidy(port, now);
        if (deadline && (next == 0 || deadline < next))
            next = deadline;
        if (port->watch.events != 0)
            continue;
        if (now >= port->retry_at && m->relay_count < RELAY_MAX)
            loop_want(&m->loop, &port->watch, EPOLLIN);
        else if (next == 0 || now + RETRY_MS < next)
            next = now + RETRY_MS;
    }
    return next;
}

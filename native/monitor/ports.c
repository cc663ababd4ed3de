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
    port->host_ip = plan->host_ip;
    port->host_port = plan->host_port;
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

/* Binds and puts it at the end of the list, not served yet. */
static struct port *add(struct monitor *m, const struct port_plan *plan, struct error *err) {
    struct port **link = &m->ports, *port = calloc(1, sizeof(*port));
    if (!port) {
        error_errno(err, ENOMEM, STEP, "", "reserve ports");
        return NULL;
    }
    port->monitor = m;
    if (reserve(port, plan, err) < 0) {
        free(port);
        return NULL;
    }
    port->watch.owner = port;
    port->watch.ready = port->udp ? relay_udp_receive : relay_tcp_accept;
    while (*link)
        link = &(*link)->next;
    *link = port;
    m->port_count++;
    return port;
}

int ports_reserve(struct monitor *m, const struct document *doc, struct error *err) {
    if (doc->exec || doc->port_count == 0)
        return 0;
    raise_descriptor_limit(doc->port_count);
    for (size_t i = 0; i < doc->port_count; i++) {
        if (!add(m, &doc->ports[i], err)) {
            ports_close(m);
            return -1;
        }
    }
    return 0;
}

static struct port **find(struct monitor *m, const struct port_plan *plan) {
    struct port **link = &m->ports;
    while (*link && ((*link)->udp != plan->udp || (*link)->host_port != plan->host_port ||
                     (*link)->host_ip.family != plan->host_ip.family ||
                     memcmp((*link)->host_ip.bytes, plan->host_ip.bytes, sizeof(plan->host_ip.bytes)) != 0))
        link = &(*link)->next;
    return link;
}

static void stop(struct port *port) {
    loop_want(&port->monitor->loop, &port->watch, 0);
    fd_close(&port->watch.fd);
    relay_tcp_end_all(port);
    relay_udp_end_all(port);
}

int ports_set(struct monitor *m, const struct port_plan *plan, struct error *err) {
    struct port **link = find(m, plan), *port = *link;
    if (plan->container_ip.family == 0) {
        if (!port)
            return 0;
        stop(port);
        *link = port->next;
        port->next = m->gone_ports; /* freed between two rounds of the loop */
        m->gone_ports = port;
        m->port_count--;
        return 0;
    }
    if (port) {
        relay_tcp_end_all(port);
        relay_udp_end_all(port);
        port->target_length =
            ip_address_to_sockaddr(&plan->container_ip, plan->container_port, &port->target);
        return 0;
    }
    raise_descriptor_limit(m->port_count + 1);
    port = add(m, plan, err);
    if (!port)
        return -1;
    loop_want(&m->loop, &port->watch, EPOLLIN);
    return 0;
}

void ports_serve(struct monitor *m) {
    for (struct port *port = m->ports; port; port = port->next)
        loop_want(&m->loop, &port->watch, EPOLLIN);
}

void ports_pause(struct port *port) {
    loop_want(&port->monitor->loop, &port->watch, 0);
    port->retry_at = loop_now_ms() + RETRY_MS;
}

static void free_all(struct port **list) {
    for (struct port *port; (port = *list);) {
        *list = port->next;
        relay_tcp_free_gone(port);
        relay_udp_tidy(port, 0);
        free(port);
    }
}

void ports_close(struct monitor *m) {
    for (struct port *port = m->ports; port; port = port->next)
        stop(port);
    free_all(&m->ports);
    free_all(&m->gone_ports);
    m->port_count = 0;
}

int64_t ports_tidy(struct monitor *m) {
    int64_t next = 0, now = m->port_count ? loop_now_ms() : 0;
    free_all(&m->gone_ports);
    for (struct port *port = m->ports; port; port = port->next) {
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

/*
 * Published host ports. Each is bound (and listened on) by the monitor for as long as the process lives, so
 * no other program can take it, and what nftables has not redirected (::1, the host's own connections, rules
 * that somebody has flushed) is relayed to the container from here.
 */
#ifndef BERTH_MONITOR_PORTS_H
#define BERTH_MONITOR_PORTS_H

#include "monitor.h"

#define RELAY_MAX 512     /* TCP connections and UDP peers at once; more wait in the kernel's queue */
#define UDP_IDLE_MS 90000 /* a UDP peer that is silent for so long is forgotten */

struct relay_tcp;
struct relay_udp;

/* One reserved port. */
struct port {
    struct watch watch;
    struct monitor *monitor;
    struct port *next;
    bool udp;
    struct ip_address host_ip;
    uint16_t host_port;
    int64_t retry_at; /* a listener that was stopped for want of descriptors is tried again then */
    struct sockaddr_storage target;
    socklen_t target_length;
    struct relay_tcp *connections;
    struct relay_udp *peers;
};

/*
 * Binds every port of the document. A port that is taken fails with code failed_precondition and Docker's
 * words: "Bind for 0.0.0.0:8080 failed: port is already allocated". On failure none is held.
 */
int ports_reserve(struct monitor *m, const struct document *doc, struct error *err);

/*
 * One port of a process that runs already: bound now if it is not ours yet, what arrives goes to the address
 * from here on (connections to an older one end); or given back, where the plan has no address in the
 * container. Fails as ports_reserve does, and nothing has changed then.
 */
int ports_set(struct monitor *m, const struct port_plan *plan, struct error *err);

/* From here on what arrives is relayed. Called when the process has been started. */
void ports_serve(struct monitor *m);

/* Stops listening for a second: no descriptor can be had, and the waiting connection would wake us for ever.
 */
void ports_pause(struct port *port);

/* Frees the ports and ends every relay. */
void ports_close(struct monitor *m);

/* Forgets silent UDP peers and frees what has ended; returns when it wants to be called next (0: need not
 * be). */
int64_t ports_tidy(struct monitor *m);

/* relay_tcp.c */
watch_handler relay_tcp_accept;
/* Ends every connection; the memory goes with relay_tcp_free_gone, between two rounds of the loop. */
void relay_tcp_end_all(struct port *port);
void relay_tcp_free_gone(struct port *port);

/* relay_udp.c */
watch_handler relay_udp_receive;
/* Forgets every peer; the memory goes with relay_udp_tidy. */
void relay_udp_end_all(struct port *port);
/* Forgets those that are silent since before `now` - UDP_IDLE_MS, and frees what is forgotten; returns the
 * next deadline, 0 if none. */
int64_t relay_udp_tidy(struct port *port, int64_t now);

#endif

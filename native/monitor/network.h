/*
 * The container's network attachments: for each a veth pair, one end a port of a bridge on the host, the
 * other made directly inside the container's network namespace with its name, hardware address, IP addresses
 * and default routes. (Making it there spares the move between namespaces, which waits for an RCU grace
 * period.)
 */
#ifndef BERTH_MONITOR_NETWORK_H
#define BERTH_MONITOR_NETWORK_H

#include "document.h"

#include <sys/types.h>

/*
 * Furnishes the namespace of `pid`: loopback up, then every attachment. Does nothing if that is our own
 * namespace and there is no attachment. On failure the pairs that were made are removed again.
 */
int network_attach(const struct document *doc, pid_t pid, struct error *err);

/* Removes the host ends by name, and with them the pairs; those that are gone already are no error. */
void network_detach(char *const *links, size_t count);

#endif

/* linux.netDevices: interfaces of the runtime's network namespace that move into the container's. */
#ifndef BERTH_RUNTIME_NET_DEVICES_H
#define BERTH_RUNTIME_NET_DEVICES_H

#include "error.h"
#include "spec.h"

#include <sys/types.h>

/*
 * Moves each listed interface into the network namespace of init (a pid) under its new name, with the global
 * addresses it had, and up (runtime-spec, "Network Devices"). On failure those already moved go with the
 * container's namespace: physical ones return to the host's by the kernel's own rule.
 */
int net_devices_move(const struct spec *spec, int proc_fd, pid_t init, struct error *err);

#endif

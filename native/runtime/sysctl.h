/* linux.sysctl: spec_linux.c has checked that each belongs to a namespace of the container's own; here they
 * are written. */
#ifndef BERTH_RUNTIME_SYSCTL_H
#define BERTH_RUNTIME_SYSCTL_H

#include "error.h"
#include "spec.h"

/*
 * In init, inside the new namespaces: writes through the host's own procfs (proc_fd), whose sys/net,
 * sys/kernel show the caller's namespaces; the container's /proc could be anything (CVE-2025-52881).
 */
int sysctl_apply(const struct spec *spec, int proc_fd, struct error *err);

#endif

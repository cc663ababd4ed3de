/* Capability names and the sets of a process (capabilities(7)). */
#ifndef BERTH_RUNTIME_CAPABILITIES_H
#define BERTH_RUNTIME_CAPABILITIES_H

#include "error.h"
#include "spec.h"

/* Number of "CAP_SYS_ADMIN" (case-insensitive, with or without CAP_), or -1 if no such name is known. */
int capability_number(const char *name);

/* Name with CAP_, or NULL beyond the last known one. */
const char *capability_name(int number);

/* Highest capability of the running kernel (by PR_CAPBSET_READ). */
int capability_last(void);

/* Drops from the bounding set what is not in `keep`. Before the change of user: it needs CAP_SETPCAP. */
int capabilities_drop_bounding(uint64_t keep, struct error *err);

/*
 * Sets effective, permitted, inheritable and ambient sets. Bits that the kernel does not know, or the caller
 * does not have, are an error naming the capability.
 */
int capabilities_apply(const struct capability_sets *sets, struct error *err);

#endif

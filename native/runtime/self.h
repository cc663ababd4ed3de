/* Protection of the runtime's own binary (CVE-2019-5736). */
#ifndef BERTH_RUNTIME_SELF_H
#define BERTH_RUNTIME_SELF_H

#include "error.h"

/*
 * A container that gets hold of /proc/PID/exe of its init could overwrite the host's runtime. So verbs that
 * put a process into a container run from a file that cannot be written: a detached read-only mount of the
 * binary (or, where that is refused, a sealed copy in memory). Executes itself again through such a file;
 * returns 0 at once if it already runs from one.
 */
int self_protect(char **argv, struct error *err);

#endif

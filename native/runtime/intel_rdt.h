/* Intel Resource Director Technology through resctrl (linux.intelRdt): cache and memory bandwidth classes. */
#ifndef BERTH_RUNTIME_INTEL_RDT_H
#define BERTH_RUNTIME_INTEL_RDT_H

#include "error.h"
#include "json.h"

#include <stdbool.h>

#include <sys/types.h>

/*
 * Makes (or joins) the class of linux.intelRdt for pid and writes its schemata. *group is the directory's
 * name if we made it and must remove it, else NULL; malloc'ed. A host without resctrl is an error.
 */
int intel_rdt_apply(const struct json_value *intel_rdt, const char *id, pid_t pid, char **group,
                    struct error *err);

/* Changes the schemata of a group (update --l3-cache-schema, --mem-bw-schema). */
int intel_rdt_update(const char *group, const char *l3, const char *bandwidth, struct error *err);

int intel_rdt_remove(const char *group, struct error *err);

/* True if resctrl is mounted. */
int intel_rdt_available(void);

#endif

/*
 * Fault injection for the tests, compiled into the sanitizer build only (make SAN=1): with
 * BERTH_FAIL_AT=<step> in the environment the set-up fails right before that step.
 */
#ifndef BERTH_MONITOR_FAULT_H
#define BERTH_MONITOR_FAULT_H

#ifdef BERTH_FAULT_INJECTION
#include <stdlib.h>
#include <string.h>
static inline int fault_at(const char *step) {
    const char *chosen = getenv("BERTH_FAIL_AT");
    return chosen && strcmp(chosen, step) == 0;
}
#else
#define fault_at(step) 0
#endif

#endif

/* What is left of a container whose processes have ended, and its removal: control groups, resctrl class,
 * state; poststop hooks. */
#ifndef BERTH_RUNTIME_REMOVAL_H
#define BERTH_RUNTIME_REMOVAL_H

#include "error.h"
#include "state.h"

/* dir: the state directory. A failing poststop hook is logged and does not keep the container. */
int removal_of(const struct state *state, const char *root, int dir, struct error *err);

#endif

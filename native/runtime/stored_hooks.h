/* Hooks that run in a later call than create: read from the config.json kept in the state directory. */
#ifndef BERTH_RUNTIME_STORED_HOOKS_H
#define BERTH_RUNTIME_STORED_HOOKS_H

#include "error.h"
#include "spec.h"
#include "state.h"

/* Runs the container's hooks of this kind. */
int stored_hooks_run(const struct state *state, int dir, enum hook_kind kind, enum status status,
                     struct error *err);

/* The container's config.json as it was at create. */
int stored_spec_read(struct spec *spec, int dir, struct error *err);

#endif

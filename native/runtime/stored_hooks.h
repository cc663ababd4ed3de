/* Hooks that run in a later call than create: read from the config.json kept in the state directory. */
#ifndef BERTH_RUNTIME_STORED_HOOKS_H
#define BERTH_RUNTIME_STORED_HOOKS_H

#include "error.h"
#include "spec.h"
#include "state.h"

/* Runs the container's poststart hooks; stops at the first that fails. */
int stored_poststart_run(const struct state *state, int dir, struct error *err);

/* Runs all of the container's poststop hooks; what fails is told as a warning. */
void stored_poststop_run(const struct state *state, int dir);

/* The container's config.json as it was at create. */
int stored_spec_read(struct spec *spec, int dir, struct error *err);

#endif

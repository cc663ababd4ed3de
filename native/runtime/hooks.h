/* Hooks: programs of the host (or, for two kinds, of the container) that get the state document on stdin. */
#ifndef BERTH_RUNTIME_HOOKS_H
#define BERTH_RUNTIME_HOOKS_H

#include "error.h"
#include "spec.h"
#include "state.h"

/*
 * A hook without `env` gets `env` of this call (as crun and runc: the runtime's own, or for startContainer
 * hooks the container's).
 *
 * Runs the hooks of one list in order, each with `status` in its state document; stops at the first that
 * fails (non-zero exit, signal, or timeout, after which it is killed) with an error that names it and holds
 * its stderr.
 */
int hooks_run(const struct hooks_spec *hooks, const char *kind, const struct state *state, enum status status,
              char **env, struct error *err);

/*
 * Runs every poststop hook: the container is gone, so one that fails is only told as a warning, and the
 * others follow (runtime-spec, "Lifecycle").
 */
void hooks_run_poststop(const struct hooks_spec *hooks, const struct state *state);

#endif

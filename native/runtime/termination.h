/* Ending a container's processes, and waiting for the end without polling. */
#ifndef BERTH_RUNTIME_TERMINATION_H
#define BERTH_RUNTIME_TERMINATION_H

#include "error.h"
#include "state.h"

/*
 * Signals init by pidfd after checking that it is still the process of the state (class 26). Fails with
 * "container not running" if it is gone.
 */
int signal_init(const struct state *state, int signal, struct error *err);

/* Signals every process of the container (its control group). */
int signal_all(const struct state *state, int signal, struct error *err);

/* SIGKILL to all, thawing them if frozen, and waits until init has ended (at most 10 s). */
int terminate(const struct state *state, struct error *err);

#endif

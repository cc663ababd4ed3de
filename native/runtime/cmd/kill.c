/* kill: a signal to the container's init, or with --all to all of its processes. */
#include "cleanup.h"
#include "matching.h"
#include "signals.h"
#include "state.h"
#include "termination.h"
#include "verbs.h"

#include <signal.h>

static bool all, regex;

static int deliver(const struct state *state, int signal, struct error *err) {
    /* Sharing a pid namespace, init may be gone while others remain: SIGKILL must reach them all (runc does
     * the same). */
    bool shared = !state->own_pid_namespace && state->cgroup_version;
    if ((all || (signal == SIGKILL && shared)) && state->cgroup_version)
        return signal_all(state, signal,
                          err); /* nobody left is no error: there is no process that has not got it */
    return signal_init(state, signal, err);
}

static int kill_one(const struct invocation *in, const char *id, struct error *err) {
    struct state state;
    const char *word = in->operand_count > 1 ? in->operands[1] : "SIGTERM";
    int signal = signal_number(word);
    if (signal < 0)
        return error_set(err, "invalid_argument", "kill", NULL, "unknown signal \"%s\"", word);
    cleanup_fd int dir = state_load(&state, in->globals->root, id, err);
    if (dir < 0)
        return -1;
    int result = deliver(&state, signal, err);
    state_free(&state);
    return result;
}

static int run(const struct invocation *in, struct error *err) {
    return regex ? matching_each(in, in->operands[0], kill_one, err) : kill_one(in, in->operands[0], err);
}

static const struct flag flags[] = {
    {"all", 'a', FLAG_BOOL, &all, "send the signal to all processes of the container"},
    {"regex", 'r', FLAG_BOOL, &regex, "signal every container whose id matches a regular expression"},
    {0}};

const struct verb verb_kill = {
    .name = "kill",
    .usage = "[command options] <container-id> [signal]",
    .summary = "kill sends the specified signal (default: SIGTERM) to the container's init process",
    .flags = flags,
    .min_operands = 1,
    .max_operands = 2,
    .run = run,
};

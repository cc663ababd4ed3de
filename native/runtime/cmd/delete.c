/* delete: removes what a container holds: processes (--force), control groups, state. */
#include "cleanup.h"
#include "matching.h"
#include "removal.h"
#include "state.h"
#include "termination.h"
#include "verbs.h"

#include <fcntl.h>
#include <string.h>

static bool force, regex;

static int delete_known(const struct state *state, const char *root, int dir, struct error *err) {
    enum status status = state_status(state, dir);
    if (status == STATUS_STOPPED) {
        /* Without an own pid namespace some may have outlived init. */
        if (force && !state->own_pid_namespace && state->cgroup_version && terminate(state, err) < 0)
            return -1;
    } else if (force || status == STATUS_CREATED) {
        if (terminate(state, err) < 0)
            return -1;
    } else {
        return error_set(err, "failed_precondition", "delete", NULL,
                         "cannot delete container %s that is not stopped: %s", state->id,
                         status_names[status]);
    }
    return removal_of(state, root, dir, err);
}

static int delete_one(const struct invocation *in, const char *id, struct error *err) {
    struct state state = {0};
    const char *root = in->globals->root;
    cleanup_fd int dir = state_open(root, id, err);
    if (dir < 0)
        return force && strcmp(err->code, "not_found") == 0 ? 0 : -1;
    int result = state_read(&state, dir, id, err);
    if (result == 0)
        result = delete_known(&state, root, dir, err);
    else if (force && faccessat(dir, "state.json", F_OK, 0) < 0)
        result = state_remove(root, id, dir, err); /* a create that was cut off; its init died with it */
    state_free(&state);
    return result;
}

static int run(const struct invocation *in, struct error *err) {
    return regex ? matching_each(in, in->operands[0], delete_one, err) : delete_one(in, in->operands[0], err);
}

static const struct flag flags[] = {
    {"force", 'f', FLAG_BOOL, &force, "forcibly deletes the container if it is still running (uses SIGKILL)"},
    {"regex", 0, FLAG_BOOL, &regex, "delete every container whose id matches a regular expression"},
    {0}};

const struct verb verb_delete = {
    .name = "delete",
    .usage = "[command options] <container-id>",
    .summary = "delete any resources held by the container",
    .flags = flags,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

/* pause, resume (crun's name: unpause): freeze and thaw the container's control group. */
#include "cleanup.h"
#include "state.h"
#include "verbs.h"

static int toggle(const struct state *state, int dir, bool freeze, struct error *err) {
    struct cgroup cgroup;
    enum status status = state_status(state, dir);
    if (freeze && status != STATUS_RUNNING && status != STATUS_CREATED)
        return error_set(err, "failed_precondition", "pause", NULL, "container not running: %s is %s",
                         state->id, status_names[status]);
    if (!freeze && status != STATUS_PAUSED)
        return error_set(err, "failed_precondition", "resume", NULL, "container not paused: %s is %s",
                         state->id, status_names[status]);
    int result = state_cgroup(state, &cgroup, err);
    if (result == 0)
        result = cgroup_freeze(&cgroup, freeze, err);
    cgroup_close(&cgroup);
    return result;
}

static int run(const struct invocation *in, bool freeze, struct error *err) {
    struct state state;
    cleanup_fd int dir = state_load(&state, in->globals->root, in->operands[0], err);
    if (dir < 0)
        return -1;
    int result = toggle(&state, dir, freeze, err);
    state_free(&state);
    return result;
}

static int run_pause(const struct invocation *in, struct error *err) {
    return run(in, true, err);
}

static int run_resume(const struct invocation *in, struct error *err) {
    return run(in, false, err);
}

const struct verb verb_pause = {
    .name = "pause",
    .usage = "<container-id>",
    .summary = "pause suspends all processes inside the container",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_pause,
};

const struct verb verb_resume = {
    .name = "resume",
    .usage = "<container-id>",
    .summary = "resumes all processes that have been previously paused",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_resume,
};

const struct verb verb_unpause = {
    .name = "unpause",
    .usage = "<container-id>",
    .summary = "the same as resume",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_resume,
};

#include "removal.h"

#include "intel_rdt.h"
#include "stored_hooks.h"

int removal_of(const struct state *state, const char *root, int dir, struct error *err) {
    struct cgroup cgroup = {0};
    int result = 0;
    if (state->cgroup_version &&
        (cgroup_detect(&cgroup, err) < 0 || cgroup_set_path(&cgroup, state->cgroup_path, state->id, err) < 0))
        result = -1;
    if (result == 0)
        result = cgroup_remove(&cgroup, err);
    cgroup_close(&cgroup);
    if (result == 0 && state->intel_rdt)
        result = intel_rdt_remove(state->intel_rdt, err);
    if (result < 0)
        return -1;
    if (state->has_poststop)
        stored_poststop_run(state, dir);
    return state_remove(root, state->id, dir, err);
}

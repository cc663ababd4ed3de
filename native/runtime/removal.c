#include "removal.h"

#include "intel_rdt.h"
#include "log.h"
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
    /* A failing hook is told but does not keep the container (runtime-spec, "poststop"). */
    if (state->has_poststop) {
        struct error hook;
        if (stored_hooks_run(state, dir, HOOK_POSTSTOP, STATUS_STOPPED, &hook) < 0)
            log_message(LOG_WARNING, "%s", hook.message);
    }
    return state_remove(root, state->id, dir, err);
}

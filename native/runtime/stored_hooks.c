#include "stored_hooks.h"

#include "cleanup.h"
#include "hooks.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>

int stored_spec_read(struct spec *spec, int dir, struct error *err) {
    cleanup_fd int fd = openat(dir, STATE_CONFIG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *spec = (struct spec){0};
    if (fd < 0)
        return error_errno(err, errno, "state", STATE_CONFIG, "open the container's stored config.json");
    return spec_read(spec, fd, STATE_CONFIG, err);
}

int stored_poststart_run(const struct state *state, int dir, struct error *err) {
    struct spec spec;
    if (stored_spec_read(&spec, dir, err) < 0)
        return -1;
    int result = hooks_run(&spec.hooks[HOOK_POSTSTART], hook_names[HOOK_POSTSTART], state, STATUS_RUNNING,
                           environ, err);
    spec_free(&spec);
    return result;
}

void stored_poststop_run(const struct state *state, int dir) {
    struct spec spec;
    struct error err;
    if (stored_spec_read(&spec, dir, &err) < 0) {
        log_message(LOG_WARNING, "%s", err.message);
        return;
    }
    hooks_run_poststop(&spec.hooks[HOOK_POSTSTOP], state);
    spec_free(&spec);
}

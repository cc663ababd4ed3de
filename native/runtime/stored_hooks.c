#include "stored_hooks.h"

#include "cleanup.h"
#include "hooks.h"

#include <errno.h>
#include <fcntl.h>

int stored_spec_read(struct spec *spec, int dir, struct error *err) {
    cleanup_fd int fd = openat(dir, STATE_CONFIG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *spec = (struct spec){0};
    if (fd < 0)
        return error_errno(err, errno, "state", STATE_CONFIG, "open the container's stored config.json");
    return spec_read(spec, fd, STATE_CONFIG, err);
}

int stored_hooks_run(const struct state *state, int dir, enum hook_kind kind, enum status status,
                     struct error *err) {
    struct spec spec;
    if (stored_spec_read(&spec, dir, err) < 0)
        return -1;
    int result = hooks_run(&spec.hooks[kind], hook_names[kind], state, status, environ, err);
    spec_free(&spec);
    return result;
}

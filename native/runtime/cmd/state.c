/* state: the OCI state document on stdout. */
#include "state.h"

#include "cleanup.h"
#include "verbs.h"

#include <stdio.h>

static int run(const struct invocation *in, struct error *err) {
    struct state state;
    struct json_writer w;
    cleanup_fd int dir = state_load(&state, in->globals->root, in->operands[0], err);
    if (dir < 0)
        return -1;
    int result = 0;
    json_writer_init(&w, 2);
    state_document(&state, state_status(&state, dir), true, &w);
    json_newline(&w);
    if (w.failed || fwrite(w.data, 1, w.length, stdout) != w.length)
        result = error_set(err, "internal", "state", NULL, "write the state document");
    json_writer_free(&w);
    state_free(&state);
    return result;
}

const struct verb verb_state = {
    .name = "state",
    .usage = "<container-id>",
    .summary = "output the state of a container",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

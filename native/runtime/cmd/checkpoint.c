/* checkpoint, restore: known words, clearly refused. */
#include "verbs.h"

static int refuse_checkpoint(const struct invocation *in, struct error *err) {
    (void)in;
    return error_set(err, "failed_precondition", "checkpoint", NULL,
                     "checkpoint is not supported by berth-runtime");
}

static int refuse_restore(const struct invocation *in, struct error *err) {
    (void)in;
    return error_set(err, "failed_precondition", "restore", NULL,
                     "restore is not supported by berth-runtime");
}

const struct verb verb_checkpoint = {
    .name = "checkpoint",
    .usage = "<container-id>",
    .summary = "not supported",
    .any_flags = true,
    .max_operands = -1,
    .run = refuse_checkpoint,
};

const struct verb verb_restore = {
    .name = "restore",
    .usage = "<container-id>",
    .summary = "not supported",
    .any_flags = true,
    .max_operands = -1,
    .run = refuse_restore,
};

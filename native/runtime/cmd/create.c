/* create: everything up to, but not including, the user's program. */
#include "launch.h"
#include "launch_flags.h"
#include "self.h"
#include "verbs.h"

static struct launch_options options;

static int run(const struct invocation *in, struct error *err) {
    static struct launch launch;
    if (launch_options_complete(&options, in, err) < 0 || self_protect(in->argv, err) < 0)
        return -1;
    int result = launch_container(&launch, &options, err);
    launch_free(&launch);
    return result;
}

static const struct flag flags[] = {LAUNCH_FLAGS(options), {0}};

const struct verb verb_create = {
    .name = "create",
    .usage = "[command options] <container-id>",
    .summary = "create a container",
    .flags = flags,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

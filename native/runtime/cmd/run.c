/* run: create and start in one call; in the foreground also wait, and delete. */
#include "cleanup.h"
#include "foreground.h"
#include "hooks.h"
#include "launch.h"
#include "launch_flags.h"
#include "log.h"
#include "notify.h"
#include "removal.h"
#include "self.h"
#include "verbs.h"

static struct launch_options options = {.run = true};

/* Like `delete`, but a failure is only told: the exit status belongs to the container. */
static void remove_container(const struct launch *launch) {
    struct error err;
    if (removal_of(&launch->state, options.root, launch->state_fd, &err) < 0)
        log_message(LOG_WARNING, "%s", err.message);
}

/* Detached, the caller wants to know when the service is ready; in the foreground that is for a child to wait
 * for. */
static int forward_readiness(struct launch *launch, struct error *err) {
    if (launch->notify < 0)
        return 0;
    if (options.detach)
        return notify_forward(launch->notify, launch->pid, err);
    pid_t child = fork();
    if (child == 0)
        _exit(notify_forward(launch->notify, launch->pid, err) < 0);
    return 0;
}

static int run_started(struct launch *launch, int signals, struct error *err) {
    if (forward_readiness(launch, err) < 0 || options.detach)
        return options.detach ? 0 : -1;
    int status = foreground_wait(signals, launch->pid, launch->pidfd, launch->master, err);
    if (!options.keep)
        remove_container(launch);
    return status;
}

static int run(const struct invocation *in, struct error *err) {
    static struct launch launch;
    if (launch_options_complete(&options, in, err) < 0 || self_protect(in->argv, err) < 0)
        return -1;
    cleanup_fd int signals = options.detach ? -1 : foreground_begin(!options.no_subreaper, err);
    if (!options.detach && signals < 0)
        return -1;
    int result = launch_container(&launch, &options, err);
    if (result == 0)
        result = run_started(&launch, signals, err);
    launch_free(&launch);
    return result;
}

static const struct flag flags[] = {
    LAUNCH_FLAGS(options),
    {"detach", 'd', FLAG_BOOL, &options.detach, "detach from the container's process"},
    {"keep", 0, FLAG_BOOL, &options.keep, "do not delete the container after it exits"},
    {0},
};

const struct verb verb_run = {
    .name = "run",
    .usage = "[command options] <container-id>",
    .summary = "create and run a container",
    .flags = flags,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

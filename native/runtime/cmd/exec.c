/* exec: one more process in a container, described by --process or by flags over the container's own process.
 */
#include "exec.h"
#include "capabilities.h"
#include "cleanup.h"
#include "foreground.h"
#include "launch_flags.h"
#include "log.h"
#include "process.h"
#include "self.h"
#include "stored_hooks.h"
#include "user.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static struct exec_options options;
static const char *process_file, *cwd, *user, *label, *apparmor;
static struct flag_list env, gids, caps, sub_cgroups;
static bool tty, no_new_privs, ignore_paused;

/* Before inherited descriptors are closed: the file may be one, /dev/fd/63 of a shell's <(…). */
static int load_process_file(struct json_doc *doc, struct error *err) {
    if (!process_file)
        return 0;
    cleanup_fd int fd = open(process_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "read process", process_file, "open %s", process_file);
    return json_read_fd(doc, fd, process_file, err);
}

static int process_from_file(struct spec *spec, struct process_spec *process, const struct json_doc *doc,
                             struct error *err) {
    if (process_read(&spec->arena, process, doc->root, err) < 0)
        return -1;
    /* What the file is silent about is the container's. */
    if (!process->caps.given)
        process->caps = spec->process.caps;
    if (!process->apparmor_profile)
        process->apparmor_profile = spec->process.apparmor_profile;
    if (!process->selinux_label)
        process->selinux_label = spec->process.selinux_label;
    if (!process->has_oom_score_adj) {
        process->has_oom_score_adj = spec->process.has_oom_score_adj;
        process->oom_score_adj = spec->process.oom_score_adj;
    }
    return 0;
}

/* As in config.json, an unknown name is no error: it may be known to a newer kernel. */
static void add_capabilities(struct process_spec *process) {
    for (size_t i = 0; i < caps.count; i++) {
        int number = capability_number(caps.items[i]);
        if (number < 0)
            log_message(LOG_WARNING, "ignoring unknown capability \"%.100s\"", caps.items[i]);
        if (number < 0)
            continue;
        /* Not inheritable, not ambient: CVE-2022-29162. */
        process->caps.bounding |= UINT64_C(1) << number;
        process->caps.effective |= UINT64_C(1) << number;
        process->caps.permitted |= UINT64_C(1) << number;
    }
}

static int add_groups(struct arena *arena, struct process_spec *process, struct error *err) {
    gid_t *all = arena_array(arena, gid_t, process->group_count + gids.count + 1);
    if (process->group_count)
        memcpy(all, process->groups, process->group_count * sizeof(gid_t));
    for (size_t i = 0; i < gids.count; i++) {
        uint32_t id;
        if (user_parse_id(gids.items[i], &id, err) < 0)
            return -1;
        all[process->group_count + i] = id;
    }
    process->groups = all;
    process->group_count += gids.count;
    return 0;
}

/* No --process: the container's own process, changed by flags. noNewPrivileges stays as it is there (class
 * 25). */
static int process_from_flags(struct spec *spec, struct process_spec *process, char **args,
                              struct error *err) {
    *process = spec->process;
    process->args = args;
    process->terminal = tty;
    if (cwd) {
        if (cwd[0] != '/')
            return error_set(err, "invalid_argument", "exec", cwd, "--cwd \"%s\" must be an absolute path",
                             cwd);
        process->cwd = cwd;
    }
    if (user && user_parse(user, &process->uid, &process->gid, err) < 0)
        return -1;
    if (label)
        process->selinux_label = label;
    if (apparmor)
        process->apparmor_profile = apparmor;
    process->no_new_privileges = process->no_new_privileges || no_new_privs;
    for (size_t i = 0; i < env.count; i++) {
        if (!strchr(env.items[i], '=') || env.items[i][0] == '=')
            return error_set(err, "invalid_argument", "exec", NULL,
                             "invalid environment variable: \"%.100s\"", env.items[i]);
        process_put_env(process, &spec->arena, env.items[i]);
    }
    add_capabilities(process);
    return add_groups(&spec->arena, process, err);
}

static int check_terminal(const struct process_spec *process, struct error *err) {
    if (process->terminal && options.detach && !options.console_socket)
        return error_set(err, "invalid_argument", "terminal", NULL,
                         "cannot allocate tty if runc will detach without setting console socket");
    if (options.console_socket && !(process->terminal && options.detach))
        return error_set(err, "invalid_argument", "terminal", NULL,
                         "cannot use console socket if runc will not detach or allocate tty");
    return 0;
}

static int check_status(const struct state *state, int dir, struct error *err) {
    enum status status = state_status(state, dir);
    if (status == STATUS_STOPPED)
        return error_set(err, "failed_precondition", "exec", NULL, "cannot exec in a stopped container");
    if (status == STATUS_PAUSED && !ignore_paused)
        return error_set(err, "failed_precondition", "exec", NULL,
                         "cannot exec in a paused container (use --ignore-paused to override)");
    return 0;
}

static int execute(const struct invocation *in, const struct state *state, struct spec *spec,
                   struct process_spec *process, struct error *err) {
    struct exec_process started;
    (void)in;
    if (check_terminal(process, err) < 0)
        return -1;
    cleanup_fd int signals = options.detach ? -1 : foreground_begin(0, err);
    if (!options.detach && signals < 0)
        return -1;
    if (exec_start(&started, &options, state, spec, process, err) < 0)
        return error_wrap(err, "exec failed");
    int status =
        options.detach ? 0 : foreground_wait(signals, started.pid, started.pidfd, started.master, err);
    fd_close(&started.pidfd);
    fd_close(&started.master);
    return status;
}

static int exec_in(const struct invocation *in, const struct state *state, int dir,
                   const struct json_doc *doc, struct error *err) {
    struct spec spec;
    struct process_spec process = {0};
    if (check_status(state, dir, err) < 0 || stored_spec_read(&spec, dir, err) < 0)
        return -1;
    int result = process_file ? process_from_file(&spec, &process, doc, err)
                              : process_from_flags(&spec, &process, in->operands + 1, err);
    if (result == 0)
        result = execute(in, state, &spec, &process, err);
    spec_free(&spec);
    return result;
}

static int run(const struct invocation *in, struct error *err) {
    struct state state;
    static struct json_doc doc;
    if (!process_file && in->operand_count < 2)
        return error_set(err, "invalid_argument", "arguments", NULL, "process args cannot be empty");
    int listen_fds;
    if (self_protect(in->argv, err) < 0 || load_process_file(&doc, err) < 0 ||
        inherited_fds_settle(&options.preserve_fds, &listen_fds, err) < 0)
        return -1;
    options.cgroups = (struct cgroup_names){sub_cgroups.items, sub_cgroups.count};
    options.root = in->globals->root;
    options.id = in->operands[0];
    cleanup_fd int dir = state_load(&state, options.root, options.id, err);
    if (dir < 0)
        return -1;
    int result = exec_in(in, &state, dir, &doc, err);
    state_free(&state);
    json_free(&doc);
    return result;
}

static const struct flag flags[] = {
    {"console-socket", 0, FLAG_STRING, &options.console_socket,
     "path to an AF_UNIX socket which will receive the master end of the console's pseudoterminal"},
    {"pidfd-socket", 0, FLAG_STRING, &options.pidfd_socket,
     "path to an AF_UNIX socket which will receive a pidfd of the process"},
    {"cwd", 0, FLAG_STRING, &cwd, "current working directory in the container"},
    {"env", 'e', FLAG_LIST, &env, "set environment variables"},
    {"tty", 't', FLAG_BOOL, &tty, "allocate a pseudo-TTY"},
    {"user", 'u', FLAG_STRING, &user, "UID (format: <uid>[:<gid>])"},
    {"additional-gids", 'g', FLAG_LIST, &gids, "additional gids"},
    {"process", 'p', FLAG_STRING, &process_file, "path to the process.json"},
    {"detach", 'd', FLAG_BOOL, &options.detach, "detach from the container's process"},
    {"pid-file", 0, FLAG_STRING, &options.pid_file, "specify the file to write the process id to"},
    {"process-label", 0, FLAG_STRING, &label, "set the asm process label for the process"},
    {"apparmor", 0, FLAG_STRING, &apparmor, "set the apparmor profile for the process"},
    {"no-new-privs", 0, FLAG_BOOL, &no_new_privs, "set the no new privileges value for the process"},
    {"cap", 'c', FLAG_LIST, &caps, "add a capability to the bounding set for the process"},
    {"preserve-fds", 0, FLAG_INT, &options.preserve_fds,
     "pass N additional file descriptors to the container"},
    {"cgroup", 0, FLAG_LIST, &sub_cgroups,
     "run the process in an (existing) sub-cgroup(s): [controller:]path"},
    {"ignore-paused", 0, FLAG_BOOL, &ignore_paused, "allow exec in a paused container"},
    {0},
};

const struct verb verb_exec = {
    .name = "exec",
    .usage =
        "[command options] <container-id> <command> [command options]  || -p process.json <container-id>",
    .summary = "execute new process inside the container",
    .flags = flags,
    .min_operands = 1,
    .max_operands = -1,
    .passes_words = true,
    .run = run,
    .failure_status = 255,
};

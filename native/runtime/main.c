/* berth-runtime: an OCI runtime with runc's command line. Global flags, then one verb; see cmd/. */
#include "cmd/verbs.h"
#include "log.h"
#include "version.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct verb *const verbs[] = {
    &verb_checkpoint, &verb_create, &verb_delete,  &verb_events,  &verb_exec,   &verb_features, &verb_kill,
    &verb_list,       &verb_pause,  &verb_ps,      &verb_restore, &verb_resume, &verb_run,      &verb_spec,
    &verb_start,      &verb_state,  &verb_unpause, &verb_update,  NULL,
};

static struct globals globals;

static const struct flag global_flags[] = {
    {"root", 0, FLAG_STRING, &globals.root, "directory for storage of container state (should be on tmpfs)"},
    {"log", 0, FLAG_STRING, &globals.log, "file to write logs to (default: stderr)"},
    {"log-format", 0, FLAG_STRING, &globals.log_format, "log format: text (default) or json"},
    {"log-level", 0, FLAG_STRING, &globals.log_level, "error, warning (default), info or debug"},
    {"debug", 0, FLAG_BOOL, &globals.debug, "enable debug logging"},
    {"systemd-cgroup", 0, FLAG_BOOL, &globals.systemd_cgroup,
     "take cgroupsPath as \"slice:prefix:name\"; refused where systemd runs"},
    {"cgroup-manager", 0, FLAG_STRING, &globals.cgroup_manager,
     "cgroupfs (default), systemd (as --systemd-cgroup) or disabled"},
    {"rootless", 0, FLAG_STRING, &globals.rootless,
     "true, false or auto (default); only checked, never needed"},
    {"help", 'h', FLAG_BOOL, &globals.help, "show help"},
    {"version", 'v', FLAG_BOOL, &globals.version, "print the version"},
    {0},
};

static const struct verb *find_verb(const char *name) {
    for (const struct verb *const *v = verbs; *v; v++)
        if (strcmp((*v)->name, name) == 0)
            return *v;
    return NULL;
}

static const char *default_root(void) {
    static char path[4096];
    const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
    if (geteuid() == 0 || !runtime_dir || !*runtime_dir)
        return "/run/berth-runtime";
    snprintf(path, sizeof(path), "%s/berth-runtime", runtime_dir);
    return path;
}

static int check_globals(struct error *err) {
    enum log_level level = globals.debug ? LOG_DEBUG : LOG_WARNING;
    const char *format = globals.log_format ? globals.log_format : "text", *rootless = globals.rootless;
    if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
        return error_set(err, "invalid_argument", "arguments", NULL, "invalid log-format: %s", format);
    if (globals.log_level && !log_level_parse(globals.log_level, &level))
        return error_set(err, "invalid_argument", "arguments", NULL, "invalid log-level: %s",
                         globals.log_level);
    if (rootless && strcmp(rootless, "true") != 0 && strcmp(rootless, "false") != 0 &&
        strcmp(rootless, "auto") != 0)
        return error_set(err, "invalid_argument", "arguments", NULL, "invalid value \"%s\" for --rootless",
                         rootless);
    if (!globals.root || !*globals.root)
        globals.root = default_root();
    if (globals.root[0] != '/') {
        char cwd[4096], *absolute = NULL;
        if (!getcwd(cwd, sizeof(cwd)) || asprintf(&absolute, "%s/%s", cwd, globals.root) < 0)
            return error_set(err, "invalid_argument", "arguments", NULL, "make --root %s absolute",
                             globals.root);
        globals.root = absolute;
    }
    return log_open(globals.log, strcmp(format, "json") == 0, level, err);
}

static int usage_error(const char *program, const struct verb *verb, const char *message) {
    fprintf(stderr, "Incorrect Usage: %s\n\n", message);
    if (verb)
        cli_help_verb(program, verb);
    log_message(LOG_ERROR, "%s", message);
    return 1;
}

static bool asks_for_help(int argc, char **argv) {
    for (int i = 0; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run_verb(const char *program, const struct verb *verb, int argc, char **argv, char **all) {
    struct error err = {0};
    char text[128];
    if (asks_for_help(argc, argv)) {
        cli_help_verb(program, verb);
        return 0;
    }
    int first = verb->any_flags ? 0 : cli_parse(verb->flags, argc, argv, !verb->passes_words, &err);
    if (first < 0)
        return usage_error(program, verb, err.message);
    int count = argc - first;
    if (count < verb->min_operands || (verb->max_operands >= 0 && count > verb->max_operands)) {
        snprintf(text, sizeof(text), "\"%s\" requires %s %d argument(s)", verb->name,
                 verb->min_operands == verb->max_operands ? "exactly"
                 : count < verb->min_operands             ? "a minimum of"
                                                          : "a maximum of",
                 count < verb->min_operands ? verb->min_operands : verb->max_operands);
        return usage_error(program, verb, text);
    }
    struct invocation in = {
        .globals = &globals, .argv = all, .operands = argv + first, .operand_count = count};
    int status = verb->run(&in, &err);
    if (status >= 0)
        return status;
    log_message(LOG_ERROR, "%s", err.message);
    return verb->failure_status ? verb->failure_status : 1;
}

int main(int argc, char **argv) {
    struct error err = {0};
    const char *program = argc > 0 && argv[0][0] ? basename(argv[0]) : "berth-runtime";
    int first = cli_parse(global_flags, argc - 1, argv + 1, false, &err);
    if (first < 0)
        return usage_error(program, NULL, err.message);
    first++;
    if (globals.version) {
        version_print(program);
        return 0;
    }
    if (check_globals(&err) < 0) {
        log_message(LOG_ERROR, "%s", err.message);
        return 1;
    }
    if (globals.help || first >= argc || strcmp(argv[first], "help") == 0 || strcmp(argv[first], "h") == 0) {
        const struct verb *about = first + 1 < argc ? find_verb(argv[first + 1]) : NULL;
        if (about)
            cli_help_verb(program, about);
        else
            cli_help(program, verbs, global_flags);
        return 0;
    }
    const struct verb *verb = find_verb(argv[first]);
    if (!verb) {
        fprintf(stderr, "No help topic for '%s'\n", argv[first]);
        return 3;
    }
    return run_verb(program, verb, argc - first - 1, argv + first + 1, argv);
}

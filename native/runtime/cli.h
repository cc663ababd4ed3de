/*
 * The command line, table-driven: a verb is a struct, its flags a table. Words go as in runc: flags may stand
 * after operands too (`update ID --memory 1G`) unless the verb passes words on (exec, ps), `--flag value` or
 * `--flag=value`, one or two dashes, single letters may be joined (-it), `--` ends the flags.
 */
#ifndef BERTH_RUNTIME_CLI_H
#define BERTH_RUNTIME_CLI_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

enum flag_kind { FLAG_BOOL, FLAG_STRING, FLAG_INT, FLAG_LIST };

/* Where a repeated flag's values go, in order. */
struct flag_list {
    const char *items[256];
    size_t count;
};

struct flag {
    const char *name;
    char letter; /* 0: none */
    enum flag_kind kind;
    void *target; /* bool, const char *, int or struct flag_list */
    const char *help;
};

struct globals {
    const char *root, *log, *log_format, *log_level, *rootless, *cgroup_manager;
    bool debug, systemd_cgroup, help, version;
};

struct invocation {
    const struct globals *globals;
    char **argv; /* the whole command line, for self_protect */
    char **operands;
    int operand_count;
};

struct verb {
    const char *name, *usage; /* "create", "[command options] <container-id>" */
    const char *summary;
    const struct flag *flags;       /* ends with a NULL name */
    int min_operands, max_operands; /* -1: any number */
    bool any_flags;                 /* flags are not looked at: the verb only refuses */
    bool passes_words;              /* what follows the first operand is somebody else's command line */
    /* Returns the exit status; -1 after filling err (the status is then 1, or failure_status). */
    int (*run)(const struct invocation *in, struct error *err);
    int failure_status; /* 0: 1 */
};

/*
 * Parses flags from argv[0..argc); returns the index of the first operand, or -1. anywhere: also behind
 * operands; argv is then put in order, flags first.
 */
int cli_parse(const struct flag *flags, int argc, char **argv, bool anywhere, struct error *err);

/* Help texts on stdout, first line "NAME:". */
void cli_help_verb(const char *program, const struct verb *verb);
void cli_help(const char *program, const struct verb *const *verbs, const struct flag *flags);

/* A non-negative integer that fits an int. */
int cli_int(const char *text, int *value);

#endif

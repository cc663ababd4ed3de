/* ps: the container's processes, as pids or through ps(1) of the host. */
#include "cleanup.h"
#include "state.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char *format = "table";

static int print_json(const pid_t *pids, ssize_t count) {
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_array(&w);
    for (ssize_t i = 0; i < count; i++)
        json_int(&w, pids[i]);
    json_end_array(&w);
    json_newline(&w);
    fwrite(w.data, 1, w.length, stdout);
    json_writer_free(&w);
    return 0;
}

static bool listed(const pid_t *pids, ssize_t count, long pid) {
    for (ssize_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Number of the column headed PID, or -1. */
static int pid_column(const char *header) {
    int column = 0;
    for (const char *at = header + strspn(header, " "); *at; column++) {
        size_t length = strcspn(at, " \n");
        if (length == 3 && strncmp(at, "PID", 3) == 0)
            return column;
        at += length;
        at += strspn(at, " \n");
    }
    return -1;
}

static long field(const char *line, int column) {
    const char *at = line + strspn(line, " ");
    for (; column > 0 && *at; column--) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return strtol(at, NULL, 10);
}

/* Process titles are the container's to choose: no control character of theirs reaches the terminal (class
 * 27). */
static void print_line(char *line) {
    for (unsigned char *c = (unsigned char *)line; *c; c++)
        if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
            *c = '?';
    fputs(line, stdout);
}

static int filter(FILE *from, const pid_t *pids, ssize_t count, struct error *err) {
    cleanup_free char *line = NULL;
    size_t room = 0;
    if (getline(&line, &room, from) < 0)
        return error_set(err, "internal", "ps", NULL, "ps printed nothing");
    int column = pid_column(line);
    if (column < 0)
        return error_set(err, "invalid_argument", "ps", NULL, "couldn't find PID field in ps output");
    print_line(line);
    while (getline(&line, &room, from) >= 0)
        if (listed(pids, count, field(line, column)))
            print_line(line);
    return 0;
}

static int print_table(char **args, int arg_count, const pid_t *pids, ssize_t count, struct error *err) {
    char *argv[64] = {"ps", "-ef"};
    int ends[2], status = 0;
    for (int i = 0; i < arg_count && i < 62; i++)
        argv[1 + i] = args[i];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "ps", NULL, "pipe");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        execvp("ps", argv);
        dprintf(2, "ps: %s\n", strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "r");
    int result =
        child < 0 || !from ? error_errno(err, errno, "ps", NULL, "run ps") : filter(from, pids, count, err);
    if (from)
        fclose(from);
    if (child > 0)
        waitpid(child, &status, 0);
    if (result == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        return error_set(err, "internal", "ps", NULL, "ps failed with status %d", WEXITSTATUS(status));
    return result;
}

static int show(const struct state *state, const struct invocation *in, struct error *err) {
    struct cgroup cgroup;
    cleanup_free pid_t *pids = NULL;
    ssize_t count = -1;
    if (state_cgroup(state, &cgroup, err) == 0)
        count = cgroup_pids(&cgroup, &pids, err);
    cgroup_close(&cgroup);
    if (count < 0)
        return -1;
    if (strcmp(format, "json") == 0)
        return print_json(pids, count);
    if (strcmp(format, "table") != 0)
        return error_set(err, "invalid_argument", "ps", NULL,
                         "invalid format option \"%s\": use table or json", format);
    return print_table(in->operands + 1, in->operand_count - 1, pids, count, err);
}

static int run(const struct invocation *in, struct error *err) {
    struct state state;
    cleanup_fd int dir = state_load(&state, in->globals->root, in->operands[0], err);
    if (dir < 0)
        return -1;
    int result = show(&state, in, err);
    state_free(&state);
    return result;
}

static const struct flag flags[] = {{"format", 'f', FLAG_STRING, &format, "select one of: table or json"},
                                    {0}};

const struct verb verb_ps = {
    .name = "ps",
    .usage = "[command options] <container-id> [ps options]",
    .summary = "displays the processes running inside a container",
    .flags = flags,
    .min_operands = 1,
    .max_operands = -1,
    .passes_words = true,
    .run = run,
};

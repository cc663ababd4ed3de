/* list: the containers under --root. */
#include "cleanup.h"
#include "state.h"
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *format = "table";
static bool quiet;

struct row {
    struct state state;
    enum status status;
    char id[256];
};

/* Reads one container; one that is being made or removed at this moment is left out. */
static bool read_row(struct row *row, const char *root, const char *name) {
    struct error ignored;
    if (state_check_id(name, &ignored) < 0)
        return false;
    cleanup_fd int dir = state_open(root, name, &ignored);
    if (dir < 0)
        return false;
    snprintf(row->id, sizeof(row->id), "%s", name);
    if (state_read(&row->state, dir, row->id, &ignored) < 0) {
        state_free(&row->state);
        return false;
    }
    row->status = state_status(&row->state, dir);
    return true;
}

static void print_table(const struct row *row) {
    printf("%-35s %-10d %-10s %-35s %-32s %s\n", row->id, row->status == STATUS_STOPPED ? 0 : row->state.pid,
           status_names[row->status], row->state.bundle, row->state.created, row->state.owner);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int each(const char *root, struct json_writer *w, struct error *err) {
    struct dirent **entries;
    int count = scandir(root, &entries, NULL, by_name);
    if (count < 0 && errno == ENOENT)
        return 0;
    if (count < 0)
        return error_errno(err, errno, "list", root, "open %s", root);
    for (int i = 0; i < count; i++) {
        struct row row;
        cleanup_free struct dirent *entry = entries[i];
        if (entry->d_name[0] == '.' || !read_row(&row, root, entry->d_name))
            continue;
        if (quiet)
            printf("%s\n", row.id);
        else if (w)
            state_document(&row.state, row.status, true, w);
        else
            print_table(&row);
        state_free(&row.state);
    }
    free(entries);
    return 0;
}

static int run(const struct invocation *in, struct error *err) {
    struct json_writer w;
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "table") != 0)
        return error_set(err, "invalid_argument", "list", NULL,
                         "invalid format option \"%s\": use table or json", format);
    if (quiet || !json) {
        if (!quiet)
            printf("%-35s %-10s %-10s %-35s %-32s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER");
        return each(in->globals->root, NULL, err);
    }
    json_writer_init(&w, 0);
    json_begin_array(&w);
    int result = each(in->globals->root, &w, err);
    json_end_array(&w);
    if (result == 0 && !w.failed)
        fwrite(w.data, 1, w.length, stdout);
    json_writer_free(&w);
    return result;
}

static const struct flag flags[] = {
    {"format", 'f', FLAG_STRING, &format, "select one of: table or json"},
    {"quiet", 'q', FLAG_BOOL, &quiet, "display only container IDs"},
    {0},
};

const struct verb verb_list = {
    .name = "list",
    .usage = "[command options]",
    .summary = "lists containers started by this runtime with the given root",
    .flags = flags,
    .min_operands = 0,
    .max_operands = 0,
    .run = run,
};

/* update: changes the resource limits of a live container, from a file, stdin, or flags. */
#include "cleanup.h"
#include "intel_rdt.h"
#include "log.h"
#include "state.h"
#include "verbs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *resources_file, *l3_schema, *bandwidth_schema;

/* A flag, the member of linux.resources it sets, and how its text is read. */
enum value_kind { VALUE_NUMBER, VALUE_BYTES, VALUE_TEXT, VALUE_IGNORED };

static struct option {
    const char *section, *key;
    enum value_kind kind;
    const char *text; /* as given */
} options[] = {
    {"blockIO", "weight", VALUE_NUMBER, NULL},
    {"cpu", "period", VALUE_NUMBER, NULL},
    {"cpu", "quota", VALUE_NUMBER, NULL},
    {"cpu", "burst", VALUE_NUMBER, NULL},
    {"cpu", "shares", VALUE_NUMBER, NULL},
    {"cpu", "realtimePeriod", VALUE_NUMBER, NULL},
    {"cpu", "realtimeRuntime", VALUE_NUMBER, NULL},
    {"cpu", "cpus", VALUE_TEXT, NULL},
    {"cpu", "mems", VALUE_TEXT, NULL},
    {"memory", "limit", VALUE_BYTES, NULL},
    {"memory", "reservation", VALUE_BYTES, NULL},
    {"memory", "swap", VALUE_BYTES, NULL},
    {"memory", "kernel", VALUE_IGNORED, NULL},
    {"memory", "kernelTCP", VALUE_IGNORED, NULL},
    {"pids", "limit", VALUE_NUMBER, NULL},
    {"cpu", "idle", VALUE_NUMBER, NULL},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* "64M", "1.5g", "-1": as the field's tools write sizes, powers of 1024. */
static int parse_bytes(const char *text, int64_t *bytes) {
    static const char units[] = "kmgtp";
    char *end;
    double number = strtod(text, &end);
    if (end == text)
        return -1;
    if (*end) {
        const char *unit = strchr(units, tolower((unsigned char)*end));
        if (unit && *unit) {
            for (const char *u = units; u <= unit; u++)
                number *= 1024;
            end++;
        }
        if (*end == 'i')
            end++;
        if (tolower((unsigned char)*end) == 'b')
            end++;
    }
    if (*end || number < -1 || number > 9e18)
        return -1;
    *bytes = (int64_t)number;
    return 0;
}

static int write_option(struct json_writer *w, const struct option *o, struct error *err) {
    int64_t number;
    char *end;
    if (o->kind == VALUE_TEXT) {
        json_member_string(w, o->key, o->text);
        return 0;
    }
    errno = 0;
    number = strtoll(o->text, &end, 10);
    if (o->kind == VALUE_BYTES ? parse_bytes(o->text, &number) < 0 : (errno || end == o->text || *end))
        return error_set(err, "invalid_argument", "update", NULL, "invalid value for %s.%s: \"%.60s\"",
                         o->section, o->key, o->text);
    json_member_int(w, o->key, number);
    return 0;
}

/* The flags as a linux.resources document. */
static int document_of_flags(struct json_writer *w, struct error *err) {
    static const char *const sections[] = {"cpu", "memory", "pids", "blockIO"};
    json_begin_object(w);
    for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
        json_key(w, sections[s]);
        json_begin_object(w);
        for (size_t i = 0; i < OPTIONS; i++) {
            const struct option *o = &options[i];
            if (!o->text || strcmp(o->section, sections[s]) != 0)
                continue;
            if (o->kind == VALUE_IGNORED)
                log_message(LOG_WARNING,
                            "kernel memory limits are gone from Linux since 5.11; %s.%s is not set",
                            o->section, o->key);
            else if (write_option(w, o, err) < 0)
                return -1;
        }
        json_end_object(w);
    }
    json_end_object(w);
    json_newline(w);
    return 0;
}

static int read_file(struct json_doc *doc, struct error *err) {
    if (strcmp(resources_file, "-") == 0)
        return json_read_fd(doc, STDIN_FILENO, "stdin", err);
    cleanup_fd int fd = open(resources_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "update", resources_file, "open %s", resources_file);
    return json_read_fd(doc, fd, resources_file, err);
}

static int read_resources(struct json_doc *doc, struct error *err) {
    struct json_writer w;
    if (resources_file)
        return read_file(doc, err);
    json_writer_init(&w, 0);
    int result = document_of_flags(&w, err);
    if (result == 0 && !w.failed) {
        w.length--; /* the line feed makes room for the NUL */
        result = json_parse(doc, w.data, w.length, "flags", err);
    }
    if (result == 0)
        doc->text = w.data;
    else
        json_writer_free(&w);
    return result;
}

static int apply(const struct state *state, int dir, const struct json_value *resources, struct error *err) {
    struct cgroup cgroup;
    if (state_status(state, dir) == STATUS_STOPPED)
        return error_set(err, "failed_precondition", "update", NULL, "container not running: %s", state->id);
    if (!resources || resources->type != JSON_OBJECT)
        return error_set(err, "invalid_argument", "update", NULL, "resources must be a JSON object");
    if (l3_schema || bandwidth_schema) {
        const char *group = state->intel_rdt ? state->intel_rdt : state->id;
        if (!intel_rdt_available())
            return error_set(err, "failed_precondition", "update", NULL,
                             "Intel RDT is not supported or enabled on this host");
        if (intel_rdt_update(group, l3_schema, bandwidth_schema, err) < 0)
            return -1;
    }
    int result = state_cgroup(state, &cgroup, err);
    if (result == 0 && cgroup.version == 0)
        result = error_set(err, "failed_precondition", "update", NULL, "container %s has no control groups",
                           state->id);
    if (result == 0)
        result = cgroup_apply(&cgroup, resources, true, err);
    cgroup_close(&cgroup);
    return result;
}

static int run(const struct invocation *in, struct error *err) {
    struct state state;
    struct json_doc doc = {0};
    cleanup_fd int dir = state_load(&state, in->globals->root, in->operands[0], err);
    if (dir < 0)
        return -1;
    int result = read_resources(&doc, err);
    if (result == 0)
        result = apply(&state, dir, doc.root, err);
    json_free(&doc);
    state_free(&state);
    return result;
}

static const struct flag flags[] = {
    {"resources", 'r', FLAG_STRING, &resources_file,
     "path to the file containing the resources to update or '-' to read from stdin"},
    {"blkio-weight", 0, FLAG_STRING, &options[0].text, "block IO weight (10-1000)"},
    {"cpu-period", 0, FLAG_STRING, &options[1].text, "CPU CFS period (in usecs)"},
    {"cpu-quota", 0, FLAG_STRING, &options[2].text, "CPU CFS hardcap limit (in usecs)"},
    {"cpu-burst", 0, FLAG_STRING, &options[3].text, "CPU CFS hardcap burst limit (in usecs)"},
    {"cpu-share", 0, FLAG_STRING, &options[4].text, "CPU shares (relative weight)"},
    {"cpu-shares", 0, FLAG_STRING, &options[4].text, "the same as --cpu-share"},
    {"cpu-rt-period", 0, FLAG_STRING, &options[5].text, "CPU realtime period (in usecs)"},
    {"cpu-rt-runtime", 0, FLAG_STRING, &options[6].text, "CPU realtime hardcap limit (in usecs)"},
    {"cpuset-cpus", 0, FLAG_STRING, &options[7].text, "CPU(s) to use"},
    {"cpuset-mems", 0, FLAG_STRING, &options[8].text, "memory node(s) to use"},
    {"memory", 0, FLAG_STRING, &options[9].text, "memory limit (in bytes)"},
    {"memory-reservation", 0, FLAG_STRING, &options[10].text, "memory reservation or soft limit (in bytes)"},
    {"memory-swap", 0, FLAG_STRING, &options[11].text, "total memory usage (memory + swap)"},
    {"kernel-memory", 0, FLAG_STRING, &options[12].text, "obsolete: the kernel has no such limit any more"},
    {"kernel-memory-tcp", 0, FLAG_STRING, &options[13].text, "obsolete"},
    {"pids-limit", 0, FLAG_STRING, &options[14].text, "maximum number of pids"},
    {"cpu-idle", 0, FLAG_STRING, &options[15].text,
     "set cgroup SCHED_IDLE or not, 0: default, 1: SCHED_IDLE"},
    {"l3-cache-schema", 0, FLAG_STRING, &l3_schema, "the string of Intel RDT/CAT L3 cache schema"},
    {"mem-bw-schema", 0, FLAG_STRING, &bandwidth_schema,
     "the string of Intel RDT/MBA memory bandwidth schema"},
    {0},
};

const struct verb verb_update = {
    .name = "update",
    .usage = "[command options] <container-id>",
    .summary = "update container resource constraints",
    .flags = flags,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};

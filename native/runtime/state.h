/*
 * The state directory of a container, <root>/<id>/: state.json (what other verbs need to know), config.json
 * (as it was at create; the bundle's may have changed since), start.sock (while created but not started).
 * Made 0700 by create; removed by delete.
 */
#ifndef BERTH_RUNTIME_STATE_H
#define BERTH_RUNTIME_STATE_H

#include "cgroup.h"
#include "error.h"
#include "json.h"

#include <stdbool.h>
#include <sys/types.h>

#define STATE_START_SOCKET "start.sock"
#define STATE_CONFIG "config.json"
#define STATE_DEVICE                                                                                         \
    "device%u" /* nodes for a user namespace, from 0 on, while the container is being made                   \
                */

enum status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED };
extern const char *const status_names[];

struct state {
    struct json_doc doc; /* strings below point into it when it was read */
    const char *id, *oci_version, *bundle, *rootfs, *created, *owner;
    pid_t pid;
    unsigned long long start_time; /* field 22 of /proc/PID/stat: tells a reused pid (class 26) */
    const struct json_value *annotations;
    const char *cgroup_path;
    int cgroup_version;
    bool own_pid_namespace; /* killing init then kills all */
    bool has_poststart, has_poststop;
    const char *intel_rdt; /* its group, to be removed by delete; NULL if none */
};

/* "[A-Za-z0-9_+.-]+", not "." or "..", at most 255 bytes. */
int state_check_id(const char *id, struct error *err);

/* Makes <root>/<id>; fails with already_exists. Returns a descriptor of it. */
int state_create(const char *root, const char *id, struct error *err);

/* Opens <root>/<id>; "container … does not exist" if there is none. */
int state_open(const char *root, const char *id, struct error *err);

/* Writes state.json (complete or not at all). */
int state_write(int dir, const struct state *state, struct error *err);

/* Reads it. An unfinished create leaves a directory without: error failed_precondition. */
int state_read(struct state *state, int dir, const char *id, struct error *err);
void state_free(struct state *state);

/*
 * Both at once, as most verbs want them: returns the directory's descriptor with the state read, which the
 * caller closes and frees; on failure -1 and nothing is left to free.
 */
int state_load(struct state *state, const char *root, const char *id, struct error *err);

/* Removes the directory and what we put there. */
int state_remove(const char *root, const char *id, int dir, struct error *err);

/* Removes the STATE_DEVICE nodes. */
void state_remove_devices(int dir);

/* Start time of a living process; 0 if there is none, or it is a zombie. */
unsigned long long state_start_time(pid_t pid);

/* True while init lives. */
bool state_alive(const struct state *state);

enum status state_status(const struct state *state, int dir);

/* Detects the machine's cgroups and opens the container's. */
int state_cgroup(const struct state *state, struct cgroup *cgroup, struct error *err);

/* The OCI state document as hooks and `state` see it. pid 0 once stopped. full: with runc's extra fields. */
void state_document(const struct state *state, enum status status, bool full, struct json_writer *w);

#endif

/*
 * A container's control groups, on cgroup v1 (also the hybrid layout, where controllers sit on v1 hierarchies
 * and cgroup2 is empty) and v2. cgroup.c knows which hierarchies there are and makes, joins, lists and
 * removes directories; cgroup_v1.c and cgroup_v2.c translate linux.resources; cgroup_devices.c and
 * bpf_devices.c hold the device rules.
 */
#ifndef BERTH_RUNTIME_CGROUP_H
#define BERTH_RUNTIME_CGROUP_H

#include "error.h"
#include "json.h"

#include <stdbool.h>
#include <sys/types.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
enum { CGROUP_HIERARCHIES_MAX = 20, CGROUP_NAME_MAX = 64, CGROUP_PATH_MAX = 4096 + 128 };

struct cgroup_hierarchy {
    char directory[CGROUP_NAME_MAX]; /* below /sys/fs/cgroup: "cpu,cpuacct"; "" on v2 */
    int fd;                          /* the container's directory in it once opened, else -1 */
    bool made;                       /* by us: removed again if the create fails */
    bool unified;                    /* the empty cgroup2 of the hybrid layout */
};

struct cgroup {
    int version; /* 1 or 2; 0: no cgroups are used (--cgroup-manager=disabled, rootless without delegation) */
    char path[4096]; /* "/berth/web", same in every hierarchy; "" if none */
    size_t hierarchy_count;
    struct cgroup_hierarchy hierarchies[CGROUP_HIERARCHIES_MAX];
};

/* Finds version and hierarchies of this machine. Opens nothing lasting. */
int cgroup_detect(struct cgroup *cgroup, struct error *err);

/*
 * "slice:prefix:name", as systemd's driver takes it, as the path that systemd would use:
 * "a-b.slice:docker:x" is "/a.slice/a-b.slice/docker-x.scope". Another form is left as it is.
 */
int cgroup_path_of_slice(const char *cgroups_path, char *out, size_t room, struct error *err);

/*
 * Fixes the path from linux.cgroupsPath, or "/<id>" without one. A relative path is rooted at the hierarchy.
 * ".." parts are refused.
 */
int cgroup_set_path(struct cgroup *cgroup, const char *cgroups_path, const char *id, struct error *err);

/*
 * Makes (or takes over, if empty) the directories and opens them. Fails if processes are in one already. On
 * failure what was made is removed.
 */
int cgroup_create(struct cgroup *cgroup, struct error *err);

/*
 * v1, hybrid layout: makes the directory in the cgroup2 that stands beside, before there is a process, which
 * can be born there (cgroup_unified_dir). It limits nothing, but cgroup.kill ends a fork bomb in one stroke.
 * Where it cannot be made, one does without.
 */
void cgroup_create_unified(struct cgroup *cgroup);

/* Opens existing directories; a missing one is left at -1 (the container may be half gone). */
int cgroup_open(struct cgroup *cgroup, struct error *err);

/* Applies linux.resources (may be NULL: then only the default device rules, unless update). */
int cgroup_apply(struct cgroup *cgroup, const struct json_value *resources, bool update, struct error *err);

/*
 * Getting a process in. Writing a pid to cgroup.procs takes a machine-wide lock (cgroup_threadgroup_rwsem: an
 * RCU grace period, ~10 ms after a pause); a single-threaded process that writes "0" to v1's `tasks` itself
 * does not, nor does clone3(CLONE_INTO_CGROUP) on v2. So on v1 the runtime opens the tasks files with its own
 * rights (cgroup_open_tasks), and the child steps in through them (cgroup_enter). cgroup_join is the slow way
 * into v2's directory, or into the hybrid layout's cgroup2.
 */
int cgroup_join(struct cgroup *cgroup, pid_t pid, struct error *err);

/* Where below the container's own cgroup: each "[controller[,controller...]:]path", as of exec --cgroup. */
struct cgroup_names {
    const char *const *items;
    size_t count;
};

/*
 * v1: opens `tasks` of every hierarchy into fds[CGROUP_HIERARCHIES_MAX] and sets *count; 0 on v2 and without
 * cgroups. A hierarchy that no name is for: the container's own cgroup. What was opened is counted also on
 * failure.
 */
int cgroup_open_tasks(const struct cgroup *cgroup, const struct cgroup_names *names, int *fds, size_t *count,
                      struct error *err);

/* Moves the calling, single-threaded process in, and closes the descriptors. */
int cgroup_enter(int *fds, size_t count, struct error *err);

/* v2: an O_PATH descriptor for CLONE_INTO_CGROUP: the container's directory, or the last name below it. */
int cgroup_open_target(const struct cgroup *cgroup, const struct cgroup_names *names, struct error *err);

/* Removes the container's directories and those below; waits shortly for processes that are just ending. */
int cgroup_remove(struct cgroup *cgroup, struct error *err);

/* Removes only what cgroup_create made. For the failure path: ignores errors. */
void cgroup_undo(struct cgroup *cgroup);

void cgroup_close(struct cgroup *cgroup);

/* Freezes or thaws and waits for it. */
int cgroup_freeze(struct cgroup *cgroup, bool frozen, struct error *err);
bool cgroup_is_frozen(struct cgroup *cgroup);

/*
 * All processes of the container and of cgroups below, each once, from the hierarchy that is best at it.
 * *pids is malloc'ed. Returns the count or -1.
 */
ssize_t cgroup_pids(struct cgroup *cgroup, pid_t **pids, struct error *err);

/* Kills every process in it (cgroup.kill, or freeze, signal, thaw). */
int cgroup_kill(struct cgroup *cgroup, int signal, struct error *err);

/* True if OOM kills are counted there (for `events`, `state`). */
bool cgroup_has(const struct cgroup *cgroup, const char *controller);

/* Descriptor of the directory that serves a controller ("memory"), or -1. On v2 always the one directory. */
int cgroup_dir(const struct cgroup *cgroup, const char *controller);

/* Descriptor of the directory in the hybrid layout's cgroup2, or -1. */
int cgroup_unified_dir(const struct cgroup *cgroup);

/* Writes value to a file of the cgroup directory; the error names file and value. */
int cgroup_write(int dir, const char *file, const char *value, struct error *err);

/* Reads a small file, cut at room, without its last newline. Returns 0 or -1 with errno. */
int cgroup_read(int dir, const char *file, char *text, size_t room);

/* The drivers. */
int cgroup_v1_apply(struct cgroup *cgroup, const struct json_value *resources, bool update,
                    struct error *err);
int cgroup_v2_apply(struct cgroup *cgroup, const struct json_value *resources, bool update,
                    struct error *err);
/* v2: makes the controllers that exist available below each directory on the way to `path`. */
int cgroup_v2_enable(const char *path, struct error *err);

/* Statistics as runc's `events --stats` data object. */
struct json_writer;
void cgroup_stats(struct cgroup *cgroup, struct json_writer *w);

/* A device rule in flat form: type 'a', 'b', 'c'; -1 is any number. */
struct device_rule {
    bool allow;
    char type;
    long major, minor;
    bool read, write, mknod;
};

/*
 * The rules in force: deny everything, then linux.resources.devices, then the devices every container has.
 * Fills at most room rules and returns their number, or -1.
 */
ssize_t cgroup_device_rules(const struct json_value *resources, struct device_rule *rules, size_t room,
                            struct error *err);
enum { CGROUP_DEVICE_RULES_MAX = 1024 };

/* v1: writes them to devices.deny and devices.allow. v2: loads and attaches an eBPF program. */
int cgroup_v1_devices(int dir, const struct device_rule *rules, size_t count, struct error *err);
int bpf_devices_attach(int dir, const struct device_rule *rules, size_t count, struct error *err);

#endif

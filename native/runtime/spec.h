/*
 * A bundle's config.json (OCI runtime-spec 1.3.0) as flat, typed data. Reading it touches nothing: no path is
 * opened but the file itself, so it can be tested and fuzzed without root.
 *
 * Strings point into the JSON document; everything derived lives in the arena. Both die with spec_free.
 */
#ifndef BERTH_RUNTIME_SPEC_H
#define BERTH_RUNTIME_SPEC_H

#include "arena.h"
#include "error.h"
#include "json.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define OCI_VERSION_MIN "1.0.0"
#define OCI_VERSION_MAX "1.3.0"

/* A range of ids: `size` ids from `container` inside are those from `host` outside. */
struct id_map {
    uint32_t container, host, size;
};

struct id_maps {
    struct id_map *uids, *gids;
    size_t uid_count, gid_count;
};

enum namespace_kind { NS_USER, NS_MOUNT, NS_PID, NS_NETWORK, NS_IPC, NS_UTS, NS_CGROUP, NS_TIME, NS_COUNT };

/* One entry of linux.namespaces: absent (not listed: share the caller's), new, or joined by path. */
struct namespace_spec {
    bool listed;
    const char *path; /* NULL: a new one */
};

enum mount_idmap { IDMAP_NONE, IDMAP_ONE, IDMAP_RECURSIVE };

/* One mount with its options sorted into what the kernel's new mount API takes. */
struct mount_spec {
    const char *destination, *source, *type;
    bool bind, recursive, remount;         /* "bind" or "rbind"; rbind; "remount" */
    uint64_t attr_set, attr_clear;         /* MOUNT_ATTR_* of this mount */
    uint64_t attr_rec_set, attr_rec_clear; /* MOUNT_ATTR_* for the whole tree (rro, rnosuid, …) */
    uint64_t propagation;                  /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE or 0 */
    bool propagation_recursive;
    uint64_t sb_flags; /* MS_SYNCHRONOUS, MS_DIRSYNC, … of the file system */
    const char **data; /* the file system's own options, NULL-terminated: "size=64m" */
    size_t data_count;
    bool copy_up; /* tmpcopyup: fill the tmpfs with what it covers */
    enum mount_idmap idmap;
    struct id_maps maps; /* the mount's own mappings; empty: the container's */
};

struct device_spec {
    const char *path;
    mode_t type; /* S_IFCHR, S_IFBLK, S_IFIFO */
    int64_t major, minor;
    mode_t mode; /* permission bits */
    uint32_t uid, gid;
};

struct hook_spec {
    const char *path;
    char **args, **env; /* NULL-terminated; env NULL: empty */
    int timeout_s;      /* 0: none */
};

enum hook_kind {
    HOOK_PRESTART,
    HOOK_CREATE_RUNTIME,
    HOOK_CREATE_CONTAINER,
    HOOK_START_CONTAINER,
    HOOK_POSTSTART,
    HOOK_POSTSTOP,
    HOOK_COUNT
};

struct hooks_spec {
    struct hook_spec *items;
    size_t count;
};

struct rlimit_spec {
    int resource; /* RLIMIT_* */
    struct rlimit limit;
};

struct capability_sets {
    bool given;
    uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct scheduler_spec {
    bool given;
    uint32_t policy; /* SCHED_* */
    int32_t nice, priority;
    uint64_t flags, runtime, deadline, period;
};

/* The `process` object, from config.json or from exec --process. */
struct process_spec {
    bool terminal;
    uint16_t console_height, console_width;
    uint32_t uid, gid;
    bool has_umask;
    mode_t umask;
    gid_t *groups;
    size_t group_count;
    char **args, **env; /* NULL-terminated */
    const char *cwd;
    struct capability_sets caps;
    struct rlimit_spec *rlimits;
    size_t rlimit_count;
    bool no_new_privileges;
    const char *apparmor_profile, *selinux_label;
    bool has_oom_score_adj;
    int oom_score_adj;
    struct scheduler_spec scheduler;
    bool has_io_priority;
    int io_priority;                                       /* as ioprio_set takes it */
    const char *cpu_affinity_initial, *cpu_affinity_final; /* execCPUAffinity; exec only */
};

struct sysctl_spec {
    const char *key, *value; /* key with slashes: "net/ipv4/ip_forward" */
};

struct memory_policy_spec {
    bool given;
    int mode; /* MPOL_* with flags */
    const char *nodes;
};

struct net_device_spec {
    const char *host_name, *container_name;
};

struct spec {
    struct arena arena;
    struct json_doc doc;
    const char *oci_version, *hostname, *domainname;
    const char *root_path;
    bool root_readonly;
    bool has_process;
    struct process_spec process;
    struct mount_spec *mounts;
    size_t mount_count;
    struct hooks_spec hooks[HOOK_COUNT];
    const struct json_value *annotations; /* object or NULL */

    struct namespace_spec namespaces[NS_COUNT];
    struct id_maps maps;
    struct device_spec *devices;
    size_t device_count;
    const char *cgroups_path;
    const struct json_value *resources; /* linux.resources, read by the cgroup drivers; or NULL */
    uint64_t rootfs_propagation;        /* MS_* with MS_REC; 0: not given */
    const struct json_value *seccomp;   /* linux.seccomp or NULL */
    const char **masked_paths, **readonly_paths;
    size_t masked_count, readonly_count;
    const char *mount_label;
    bool has_personality;
    unsigned long personality;
    struct sysctl_spec *sysctls;
    size_t sysctl_count;
    struct memory_policy_spec memory_policy;
    struct net_device_spec *net_devices;
    size_t net_device_count;
    bool has_time_offsets;
    int64_t monotonic_s, boottime_s;
    uint32_t monotonic_ns, boottime_ns;
    const struct json_value *intel_rdt; /* linux.intelRdt or NULL */
};

/* Kernel's name of a namespace ("mnt"), its CLONE_NEW* flag, and config.json's word ("mount"). */
struct namespace_kind_info {
    const char *proc_name, *spec_name;
    int flag;
};
extern const struct namespace_kind_info namespace_kinds[NS_COUNT];

/* config.json's names of the hook lists, in enum order. */
extern const char *const hook_names[HOOK_COUNT];

/*
 * Reads config.json from fd. Every value that is used is checked for its type and range here; the error names
 * the property. On failure spec is empty.
 */
int spec_read(struct spec *spec, int fd, const char *name, struct error *err);

/* Reads the text of a config.json held in memory (it is modified and must outlive spec). */
int spec_parse(struct spec *spec, char *text, size_t length, const char *name, struct error *err);

void spec_free(struct spec *spec);

/* True if the spec asks for a new namespace of this kind, or for one joined by path. */
bool spec_has_new(const struct spec *spec, enum namespace_kind kind);
bool spec_joins(const struct spec *spec, enum namespace_kind kind);

/* Sections, each in its own file; `at` names the property in messages. */
int process_read(struct arena *arena, struct process_spec *process, const struct json_value *value,
                 struct error *err);
int mounts_read(struct spec *spec, const struct json_value *value, struct error *err);
int linux_read(struct spec *spec, const struct json_value *value, struct error *err);
int id_maps_read(struct arena *arena, struct id_maps *maps, const struct json_value *uids,
                 const struct json_value *gids, struct error *err);

/* Applies one word of a mount's options ("nosuid", "size=1m") to mount. */
int mount_option_apply(struct spec *spec, struct mount_spec *mount, const char *option, struct error *err);

/* Word lists for `features`, NULL-terminated at the end of words[]; returns the count. */
size_t mount_option_words(const char **words, size_t room);

/* Checked access for the section readers: "absent" leaves *out alone; another type is an error naming
 * `property`. */
int spec_string(const struct json_value *object, const char *key, const char **out, struct error *err);
int spec_bool(const struct json_value *object, const char *key, bool *out, struct error *err);
int spec_u32(const struct json_value *object, const char *key, uint32_t *out, struct error *err);
int spec_i64(const struct json_value *object, const char *key, int64_t *out, struct error *err);
int spec_object(const struct json_value *object, const char *key, const struct json_value **out,
                struct error *err);
int spec_array(const struct json_value *object, const char *key, const struct json_value **out,
               struct error *err);
/* An array of strings as a NULL-terminated vector; NULL and 0 if absent. */
int spec_strings(struct arena *arena, const struct json_value *object, const char *key, char ***out,
                 size_t *count, struct error *err);

#endif

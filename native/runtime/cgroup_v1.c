/* linux.resources → cgroup v1 files. Table-driven: a row per plain value, functions for what needs an order.
 */
#include "cgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether 0 means "not set" (clients send zeros for everything they have no opinion on) or is a value. */
enum zero { ZERO_UNSET, ZERO_VALUE };

static const struct row {
    const char *section, *key, *controller, *file;
    enum zero zero;
} rows[] = {
    {"cpu", "shares", "cpu", "cpu.shares", ZERO_UNSET},
    {"cpu", "idle", "cpu", "cpu.idle", ZERO_VALUE},
    {"cpu", "realtimePeriod", "cpu", "cpu.rt_period_us", ZERO_UNSET},
    {"cpu", "realtimeRuntime", "cpu", "cpu.rt_runtime_us", ZERO_UNSET},
    {"memory", "reservation", "memory", "memory.soft_limit_in_bytes", ZERO_UNSET},
    {"memory", "kernelTCP", "memory", "memory.kmem.tcp.limit_in_bytes", ZERO_UNSET},
    {"memory", "swappiness", "memory", "memory.swappiness", ZERO_VALUE},
    {"blockIO", "leafWeight", "blkio", "blkio.leaf_weight", ZERO_UNSET},
    {"network", "classID", "net_cls", "net_cls.classid", ZERO_UNSET},
};

static int controller_dir(const struct cgroup *cgroup, const char *controller, const char *what,
                          struct error *err) {
    int dir = cgroup_dir(cgroup, controller);
    if (dir < 0)
        return error_set(err, "failed_precondition", "cgroup", controller,
                         "cannot set %s: the cgroup controller \"%s\" is not available on this host", what,
                         controller);
    return dir;
}

static int write_number(const struct cgroup *cgroup, const char *controller, const char *file, int64_t value,
                        struct error *err) {
    char text[32];
    int dir = controller_dir(cgroup, controller, file, err);
    if (dir < 0)
        return -1;
    snprintf(text, sizeof(text), "%" PRId64, value);
    return cgroup_write(dir, file, text, err);
}

/* A number of a section; 0 if absent. *given tells. Wrong types are refused. */
static int number_of(const struct json_value *resources, const char *section, const char *key, int64_t *value,
                     bool *given, struct error *err) {
    const struct json_value *v = json_get(json_get(resources, section), key);
    uint64_t big;
    *value = 0;
    *given = v != NULL;
    if (!v || json_to_int64(v, value))
        return 0;
    if (json_to_uint64(v, &big)) { /* 2^64-1 is how some clients spell -1 */
        *value = -1;
        return 0;
    }
    return error_set(err, "invalid_argument", "cgroup", key, "linux.resources.%s.%s must be an integer",
                     section, key);
}

static int apply_rows(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t value;
        bool given;
        if (number_of(resources, rows[i].section, rows[i].key, &value, &given, err) < 0)
            return -1;
        if (!given || (value == 0 && rows[i].zero == ZERO_UNSET))
            continue;
        if (strcmp(rows[i].key, "swappiness") == 0 && value == -1)
            continue;
        if (write_number(cgroup, rows[i].controller, rows[i].file, value, err) < 0)
            return -1;
    }
    return 0;
}

/* Period before quota, unless the kernel refuses the new period beside the old quota; the burst fits only
 * under its quota. */
static int apply_cpu(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    int64_t period, quota, burst;
    bool has_period, has_quota, has_burst, late_period = false;
    if (number_of(resources, "cpu", "period", &period, &has_period, err) < 0 ||
        number_of(resources, "cpu", "quota", &quota, &has_quota, err) < 0 ||
        number_of(resources, "cpu", "burst", &burst, &has_burst, err) < 0)
        return -1;
    if (has_period && period) {
        if (write_number(cgroup, "cpu", "cpu.cfs_period_us", period, err) < 0) {
            if (err->number != EINVAL || !has_quota || !quota)
                return -1;
            late_period = true;
        }
    }
    if (has_burst && burst == 0 && write_number(cgroup, "cpu", "cpu.cfs_burst_us", 0, err) < 0)
        return -1;
    if (has_quota && quota && write_number(cgroup, "cpu", "cpu.cfs_quota_us", quota, err) < 0)
        return -1;
    if (late_period && write_number(cgroup, "cpu", "cpu.cfs_period_us", period, err) < 0)
        return -1;
    if (has_burst && burst && write_number(cgroup, "cpu", "cpu.cfs_burst_us", burst, err) < 0)
        return -1;
    return 0;
}

static int apply_cpuset(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    static const struct {
        const char *key, *file;
    } files[] = {{"cpus", "cpuset.cpus"}, {"mems", "cpuset.mems"}};
    for (int i = 0; i < 2; i++) {
        const char *value = json_get_string(json_get(resources, "cpu"), files[i].key, "");
        if (!*value)
            continue;
        int dir = controller_dir(cgroup, "cpuset", files[i].file, err);
        if (dir < 0 || cgroup_write(dir, files[i].file, value, err) < 0)
            return -1;
    }
    return 0;
}

static int64_t read_number(const struct cgroup *cgroup, const char *file) {
    char text[32];
    int dir = cgroup_dir(cgroup, "memory");
    return dir >= 0 && cgroup_read(dir, file, text, sizeof(text)) == 0 ? strtoll(text, NULL, 10) : -1;
}

/* The kernel keeps limit <= limit+swap at every moment: growing, the sum goes first; shrinking, the limit. */
static int apply_memory_limits(struct cgroup *cgroup, int64_t limit, int64_t swap, struct error *err) {
    static const char limit_file[] = "memory.limit_in_bytes", swap_file[] = "memory.memsw.limit_in_bytes";
    if (limit == -1 && swap == 0)
        swap = cgroup_dir(cgroup, "memory") >= 0 &&
                       faccessat(cgroup_dir(cgroup, "memory"), swap_file, F_OK, 0) == 0
                   ? -1
                   : 0;
    if (limit && swap) {
        bool grow = swap == -1 || (uint64_t)read_number(cgroup, limit_file) < (uint64_t)swap;
        const char *first = grow ? swap_file : limit_file, *second = grow ? limit_file : swap_file;
        if (write_number(cgroup, "memory", first, grow ? swap : limit, err) < 0)
            return -1;
        return write_number(cgroup, "memory", second, grow ? limit : swap, err);
    }
    if (limit)
        return write_number(cgroup, "memory", limit_file, limit, err);
    return swap ? write_number(cgroup, "memory", swap_file, swap, err) : 0;
}

static int apply_memory(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    const struct json_value *memory = json_get(resources, "memory");
    int64_t limit, swap;
    bool has_limit, has_swap;
    if (number_of(resources, "memory", "limit", &limit, &has_limit, err) < 0 ||
        number_of(resources, "memory", "swap", &swap, &has_swap, err) < 0)
        return -1;
    if (has_swap && has_limit && limit > 0 && swap > 0 && swap < limit)
        return error_set(err, "invalid_argument", "cgroup", "memory",
                         "memory+swap limit %" PRId64 " should be >= memory limit %" PRId64, swap, limit);
    if (limit > 0 && json_get_bool(memory, "checkBeforeUpdate", false)) {
        int64_t usage = read_number(cgroup, "memory.usage_in_bytes");
        if (usage > limit)
            return error_set(err, "failed_precondition", "cgroup", "memory",
                             "rejecting memory limit %" PRId64 ": usage is %" PRId64, limit, usage);
    }
    if (apply_memory_limits(cgroup, limit, swap, err) < 0) {
        if (err->number == EBUSY)
            return error_wrap(err,
                              "unable to set memory limit to %" PRId64 " (current usage: %" PRId64
                              ", peak usage: %" PRId64 ")",
                              limit, read_number(cgroup, "memory.usage_in_bytes"),
                              read_number(cgroup, "memory.max_usage_in_bytes"));
        return -1;
    }
    if (json_get_bool(memory, "disableOOMKiller", false))
        return write_number(cgroup, "memory", "memory.oom_control", 1, err);
    return 0;
}

static int apply_pids(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    int64_t limit;
    bool given;
    if (number_of(resources, "pids", "limit", &limit, &given, err) < 0)
        return -1;
    if (!given || limit == 0)
        return 0;
    int dir = controller_dir(cgroup, "pids", "pids.max", err);
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, limit);
    return dir < 0 ? -1 : cgroup_write(dir, "pids.max", limit < 0 ? "max" : text, err);
}

static int apply_weights(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    const struct json_value *block = json_get(resources, "blockIO");
    int64_t weight = json_get_int(block, "weight", 0);
    const struct json_value *devices = json_get(block, "weightDevice");
    if (!weight && !json_first(devices))
        return 0;
    int dir = controller_dir(cgroup, "blkio", "blkio.weight", err);
    if (dir < 0)
        return -1;
    bool bfq = faccessat(dir, "blkio.bfq.weight", F_OK, 0) == 0;
    if (weight && write_number(cgroup, "blkio", bfq ? "blkio.bfq.weight" : "blkio.weight", weight, err) < 0)
        return -1;
    for (const struct json_value *v = json_first(devices); v; v = v->next) {
        static const char *const keys[] = {"weight", "leafWeight"};
        for (int i = 0; i < 2; i++) {
            char text[80];
            int64_t value = json_get_int(v, keys[i], 0);
            if (!value)
                continue;
            snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %" PRId64, json_get_int(v, "major", 0),
                     json_get_int(v, "minor", 0), value);
            const char *file = i     ? "blkio.leaf_weight_device"
                               : bfq ? "blkio.bfq.weight_device"
                                     : "blkio.weight_device";
            if (cgroup_write(dir, file, text, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int apply_throttle(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    static const struct {
        const char *key, *file;
    } kinds[] = {{"throttleReadBpsDevice", "blkio.throttle.read_bps_device"},
                 {"throttleWriteBpsDevice", "blkio.throttle.write_bps_device"},
                 {"throttleReadIOPSDevice", "blkio.throttle.read_iops_device"},
                 {"throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"}};
    const struct json_value *block = json_get(resources, "blockIO");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        for (const struct json_value *v = json_first(json_get(block, kinds[i].key)); v; v = v->next) {
            char text[80];
            uint64_t rate = 0;
            json_to_uint64(json_get(v, "rate"), &rate);
            snprintf(text, sizeof(text), "%" PRId64 ":%" PRId64 " %" PRIu64, json_get_int(v, "major", 0),
                     json_get_int(v, "minor", 0), rate);
            int dir = controller_dir(cgroup, "blkio", kinds[i].file, err);
            if (dir < 0 || cgroup_write(dir, kinds[i].file, text, err) < 0)
                return -1;
        }
    }
    return 0;
}

static int apply_hugepages(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    for (const struct json_value *v = json_first(json_get(resources, "hugepageLimits")); v; v = v->next) {
        char file[128], text[32];
        uint64_t limit = 0;
        const char *size = json_get_string(v, "pageSize", "");
        int dir = controller_dir(cgroup, "hugetlb", "hugepageLimits", err);
        json_to_uint64(json_get(v, "limit"), &limit);
        snprintf(text, sizeof(text), "%" PRIu64, limit);
        if (dir < 0 || strchr(size, '/'))
            return dir < 0 ? -1
                           : error_set(err, "invalid_argument", "cgroup", size,
                                       "invalid huge page size \"%s\"", size);
        snprintf(file, sizeof(file), "hugetlb.%.32s.limit_in_bytes", size);
        if (cgroup_write(dir, file, text, err) < 0)
            return -1;
        snprintf(file, sizeof(file), "hugetlb.%.32s.rsvd.limit_in_bytes", size);
        if (faccessat(dir, file, F_OK, 0) == 0 && cgroup_write(dir, file, text, err) < 0)
            return -1;
    }
    return 0;
}

static int apply_network_rdma(struct cgroup *cgroup, const struct json_value *resources, struct error *err) {
    char text[256];
    for (const struct json_value *v = json_first(json_get(json_get(resources, "network"), "priorities")); v;
         v = v->next) {
        int dir = controller_dir(cgroup, "net_prio", "network.priorities", err);
        snprintf(text, sizeof(text), "%.64s %" PRId64, json_get_string(v, "name", ""),
                 json_get_int(v, "priority", 0));
        if (dir < 0 || cgroup_write(dir, "net_prio.ifpriomap", text, err) < 0)
            return -1;
    }
    for (const struct json_value *v = json_first(json_get(resources, "rdma")); v; v = v->next) {
        char handles[32] = "max", objects[32] = "max";
        int dir = controller_dir(cgroup, "rdma", "rdma", err);
        if (json_get(v, "hcaHandles"))
            snprintf(handles, sizeof(handles), "%" PRId64, json_get_int(v, "hcaHandles", 0));
        if (json_get(v, "hcaObjects"))
            snprintf(objects, sizeof(objects), "%" PRId64, json_get_int(v, "hcaObjects", 0));
        snprintf(text, sizeof(text), "%.64s hca_handle=%s hca_object=%s", v->key, handles, objects);
        if (dir < 0 || cgroup_write(dir, "rdma.max", text, err) < 0)
            return -1;
    }
    return 0;
}

static int apply_devices(struct cgroup *cgroup, const struct json_value *resources, bool update,
                         struct error *err) {
    struct device_rule rules[CGROUP_DEVICE_RULES_MAX];
    if (update && !json_get(resources, "devices"))
        return 0;
    int dir = cgroup_dir(cgroup, "devices");
    ssize_t count = cgroup_device_rules(resources, rules, CGROUP_DEVICE_RULES_MAX, err);
    if (count < 0)
        return -1;
    if (dir < 0) /* without the controller every device would be open: that is for the operator to allow, not
                    for us */
        return error_set(err, "failed_precondition", "cgroup", "devices",
                         "the cgroup controller \"devices\" is not available on this host");
    return cgroup_v1_devices(dir, rules, (size_t)count, err);
}

int cgroup_v1_apply(struct cgroup *cgroup, const struct json_value *resources, bool update,
                    struct error *err) {
    const struct json_value *unified = json_get(resources, "unified");
    if (json_first(unified))
        return error_set(err, "invalid_argument", "cgroup", "unified",
                         "invalid configuration: linux.resources.unified: cgroup v1 does not support unified "
                         "resources (%s)",
                         json_first(unified)->key);
    if (apply_devices(cgroup, resources, update, err) < 0)
        return -1;
    if (!resources || !resources->count)
        return 0;
    if (apply_cpuset(cgroup, resources, err) < 0 || apply_cpu(cgroup, resources, err) < 0 ||
        apply_memory(cgroup, resources, err) < 0 || apply_rows(cgroup, resources, err) < 0 ||
        apply_pids(cgroup, resources, err) < 0 || apply_weights(cgroup, resources, err) < 0 ||
        apply_throttle(cgroup, resources, err) < 0 || apply_hugepages(cgroup, resources, err) < 0)
        return -1;
    return apply_network_rdma(cgroup, resources, err);
}

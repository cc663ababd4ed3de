/* The `linux` section of config.json. See spec.h. */
#include "spec.h"

#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>

static int invalid(struct error *err, const char *what, const char *value) {
    return error_set(err, "invalid_argument", "read config", "config.json", "config.json: %s \"%.200s\"",
                     what, value);
}

static int read_id_list(struct arena *arena, const struct json_value *list, struct id_map **out,
                        size_t *count, struct error *err) {
    *out = NULL;
    *count = 0;
    if (!list)
        return 0;
    *out = arena_array(arena, struct id_map, list->count);
    for (const struct json_value *v = json_first(list); v; v = v->next) {
        struct id_map *map = &(*out)[*count];
        if (spec_u32(v, "containerID", &map->container, err) < 0 ||
            spec_u32(v, "hostID", &map->host, err) < 0 || spec_u32(v, "size", &map->size, err) < 0)
            return -1;
        if (map->size == 0 || (uint64_t)map->container + map->size > UINT32_MAX ||
            (uint64_t)map->host + map->size > UINT32_MAX)
            return error_set(err, "invalid_argument", "read config", "config.json",
                             "id mapping of size %u from %u to %u is out of range", map->size, map->container,
                             map->host);
        ++*count;
    }
    return 0;
}

int id_maps_read(struct arena *arena, struct id_maps *maps, const struct json_value *uids,
                 const struct json_value *gids, struct error *err) {
    if (read_id_list(arena, uids, &maps->uids, &maps->uid_count, err) < 0)
        return -1;
    return read_id_list(arena, gids, &maps->gids, &maps->gid_count, err);
}

static int read_namespaces(struct spec *spec, const struct json_value *value, struct error *err) {
    const struct json_value *list;
    if (spec_array(value, "namespaces", &list, err) < 0)
        return -1;
    for (const struct json_value *v = json_first(list); v; v = v->next) {
        const char *type = json_get_string(v, "type", ""), *path = NULL;
        int kind = 0;
        while (kind < NS_COUNT && strcmp(namespace_kinds[kind].spec_name, type) != 0)
            kind++;
        if (kind == NS_COUNT)
            return invalid(err, "namespace does not exist:", type);
        if (spec->namespaces[kind].listed)
            return error_set(err, "invalid_argument", "read config", "config.json",
                             "malformed spec file: duplicated ns \"%s\"", type);
        if (spec_string(v, "path", &path, err) < 0)
            return -1;
        spec->namespaces[kind] = (struct namespace_spec){.listed = true, .path = path && *path ? path : NULL};
    }
    return 0;
}

static int read_device(struct device_spec *d, const struct json_value *value, struct error *err) {
    uint32_t mode = 0666;
    const char *type = json_get_string(value, "type", "");
    if (spec_string(value, "path", &d->path, err) < 0 || spec_i64(value, "major", &d->major, err) < 0 ||
        spec_i64(value, "minor", &d->minor, err) < 0 || spec_u32(value, "fileMode", &mode, err) < 0 ||
        spec_u32(value, "uid", &d->uid, err) < 0 || spec_u32(value, "gid", &d->gid, err) < 0)
        return -1;
    if (!d->path || d->path[0] != '/')
        return invalid(err, "device path must be absolute:", d->path ? d->path : "");
    if (strcmp(type, "c") == 0 || strcmp(type, "u") == 0)
        d->type = S_IFCHR;
    else if (strcmp(type, "b") == 0)
        d->type = S_IFBLK;
    else if (strcmp(type, "p") == 0)
        d->type = S_IFIFO;
    else
        return invalid(err, "invalid device type", type);
    if (d->major < 0 || d->major > UINT32_MAX || d->minor < 0 || d->minor > UINT32_MAX)
        return invalid(err, "device number out of range for", d->path);
    d->mode = mode & 07777;
    return 0;
}

static int read_devices(struct spec *spec, const struct json_value *value, struct error *err) {
    const struct json_value *list;
    if (spec_array(value, "devices", &list, err) < 0)
        return -1;
    if (!list)
        return 0;
    spec->devices = arena_array(&spec->arena, struct device_spec, list->count);
    for (const struct json_value *v = json_first(list); v; v = v->next)
        if (read_device(&spec->devices[spec->device_count++], v, err) < 0)
            return -1;
    return 0;
}

static int read_propagation(struct spec *spec, const struct json_value *value, struct error *err) {
    static const struct {
        const char *word;
        uint64_t flags;
    } words[] = {
        {"private", MS_PRIVATE},       {"rprivate", MS_PRIVATE | MS_REC},
        {"slave", MS_SLAVE},           {"rslave", MS_SLAVE | MS_REC},
        {"shared", MS_SHARED},         {"rshared", MS_SHARED | MS_REC},
        {"unbindable", MS_UNBINDABLE}, {"runbindable", MS_UNBINDABLE | MS_REC},
    };
    const char *word = NULL;
    if (spec_string(value, "rootfsPropagation", &word, err) < 0)
        return -1;
    if (!word || !*word)
        return 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            spec->rootfs_propagation = words[i].flags;
    return spec->rootfs_propagation ? 0 : invalid(err, "rootfsPropagation:", word);
}

/*
 * Which namespace owns a sysctl, if any: only those may be set, and only if that namespace is the container's
 * own (CVE-2022-0811 in CRI-O: kernel.core_pattern is everybody's).
 */
static enum namespace_kind sysctl_owner(const char *key) {
    static const char *const ipc[] = {
        "kernel/msgmax",      "kernel/msgmnb",      "kernel/msgmni",      "kernel/sem",
        "kernel/shmall",      "kernel/shmmax",      "kernel/shmmni",      "kernel/shm_rmid_forced",
        "kernel/msg_next_id", "kernel/sem_next_id", "kernel/shm_next_id", "kernel/auto_msgmni",
    };
    for (size_t i = 0; i < sizeof(ipc) / sizeof(ipc[0]); i++)
        if (strcmp(key, ipc[i]) == 0)
            return NS_IPC;
    if (strncmp(key, "fs/mqueue/", 10) == 0)
        return NS_IPC;
    if (strncmp(key, "net/", 4) == 0)
        return NS_NETWORK;
    if (strcmp(key, "kernel/domainname") == 0 || strcmp(key, "kernel/hostname") == 0)
        return NS_UTS;
    if (strncmp(key, "user/", 5) == 0)
        return NS_USER;
    return NS_COUNT;
}

/* Both spellings are in use: "net.ipv4.conf.eth0/1.x" (dots separate, a slash stands for a dot) and
 * "net/ipv4/…". */
static char *sysctl_path(struct arena *arena, const char *key) {
    char *path = arena_strdup(arena, key);
    size_t first = strcspn(path, "./");
    bool swap = path[first] == '.';
    for (char *c = path; swap && *c; c++)
        *c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
    return path;
}

static int read_sysctls(struct spec *spec, const struct json_value *value, struct error *err) {
    const struct json_value *object;
    if (spec_object(value, "sysctl", &object, err) < 0)
        return -1;
    if (!object)
        return 0;
    spec->sysctls = arena_array(&spec->arena, struct sysctl_spec, object->count);
    for (const struct json_value *v = json_first(object); v; v = v->next) {
        if (v->type != JSON_STRING)
            return invalid(err, "sysctl value must be a string:", v->key);
        char *path = sysctl_path(&spec->arena, v->key);
        enum namespace_kind owner = sysctl_owner(path);
        if (owner == NS_COUNT || strstr(path, "..") || strstr(path, "//") || strlen(path) > 512)
            return error_set(err, "invalid_argument", "read config", v->key,
                             "sysctl \"%s\" is not in a separate kernel namespace", v->key);
        if (!spec->namespaces[owner].listed)
            return error_set(err, "invalid_argument", "read config", v->key,
                             "sysctl \"%s\" is not allowed as it would affect the host: the container has no "
                             "%s namespace of its own",
                             v->key, namespace_kinds[owner].spec_name);
        if (strcmp(path, "kernel/hostname") == 0)
            return invalid(err, "the OCI field hostname is the place for", v->key);
        spec->sysctls[spec->sysctl_count++] = (struct sysctl_spec){path, v->string};
    }
    return 0;
}

static int read_personality(struct spec *spec, const struct json_value *value, struct error *err) {
    const struct json_value *object;
    if (spec_object(value, "personality", &object, err) < 0)
        return -1;
    if (!object)
        return 0;
    const char *domain = json_get_string(object, "domain", "");
    const struct json_value *flags = json_get(object, "flags");
    if (flags && flags->type == JSON_ARRAY && flags->count)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "config.json: personality flags are not supported, only the domain is");
    if (strcmp(domain, "LINUX") == 0)
        spec->personality = PER_LINUX;
    else if (strcmp(domain, "LINUX32") == 0)
        spec->personality = PER_LINUX32;
    else
        return invalid(err, "invalid personality domain", domain);
    spec->has_personality = true;
    return 0;
}

static int read_time_offset(const struct json_value *offsets, const char *clock, int64_t *secs,
                            uint32_t *nanosecs, struct error *err) {
    const struct json_value *object;
    if (spec_object(offsets, clock, &object, err) < 0 || spec_i64(object, "secs", secs, err) < 0)
        return -1;
    return spec_u32(object, "nanosecs", nanosecs, err);
}

static int read_time_offsets(struct spec *spec, const struct json_value *value, struct error *err) {
    const struct json_value *object;
    if (spec_object(value, "timeOffsets", &object, err) < 0)
        return -1;
    if (!object || !object->count)
        return 0;
    spec->has_time_offsets = true;
    if (!spec->namespaces[NS_TIME].listed)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "time namespace offsets are given, but there is no time namespace");
    if (spec->namespaces[NS_TIME].path)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "time namespace enabled with path and offsets: choose one");
    if (read_time_offset(object, "monotonic", &spec->monotonic_s, &spec->monotonic_ns, err) < 0)
        return -1;
    return read_time_offset(object, "boottime", &spec->boottime_s, &spec->boottime_ns, err);
}

static int read_memory_policy(struct spec *spec, const struct json_value *value, struct error *err) {
    static const struct {
        const char *word;
        int value;
    } modes[] = {{"MPOL_DEFAULT", MPOL_DEFAULT}, {"MPOL_PREFERRED", MPOL_PREFERRED},
                 {"MPOL_BIND", MPOL_BIND},       {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
                 {"MPOL_LOCAL", MPOL_LOCAL},     {"MPOL_PREFERRED_MANY", 5},
                 {"MPOL_WEIGHTED_INTERLEAVE", 6}},
      flag_words[] = {{"MPOL_F_NUMA_BALANCING", 1 << 13},
                      {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
                      {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES}};
    const struct json_value *object, *flags;
    if (spec_object(value, "memoryPolicy", &object, err) < 0)
        return -1;
    if (!object || !object->count)
        return 0;
    const char *mode = json_get_string(object, "mode", "");
    struct memory_policy_spec *policy = &spec->memory_policy;
    policy->mode = -1;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].word, mode) == 0)
            policy->mode = modes[i].value;
    if (policy->mode < 0)
        return invalid(err, "invalid memory policy mode:", mode);
    if (spec_array(object, "flags", &flags, err) < 0 || spec_string(object, "nodes", &policy->nodes, err) < 0)
        return -1;
    for (const struct json_value *v = json_first(flags); v; v = v->next) {
        int bit = 0;
        for (size_t i = 0; v->type == JSON_STRING && i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
            if (strcmp(flag_words[i].word, v->string) == 0)
                bit = flag_words[i].value;
        if (!bit)
            return invalid(err, "invalid memory policy flag:", v->type == JSON_STRING ? v->string : "?");
        policy->mode |= bit;
    }
    policy->given = true;
    return 0;
}

static int read_net_devices(struct spec *spec, const struct json_value *value, struct error *err) {
    const struct json_value *object;
    if (spec_object(value, "netDevices", &object, err) < 0)
        return -1;
    if (!object || !object->count)
        return 0;
    if (!spec->namespaces[NS_NETWORK].listed)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "unable to move network devices without a private NET namespace");
    spec->net_devices = arena_array(&spec->arena, struct net_device_spec, object->count);
    for (const struct json_value *v = json_first(object); v; v = v->next) {
        const char *name = json_get_string(v, "name", v->key);
        if (!*v->key || strlen(v->key) > 15 || !*name || strlen(name) > 15 || strchr(name, '/') ||
            strpbrk(name, " :\t\n") || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            return invalid(err, "invalid network device name", v->key);
        spec->net_devices[spec->net_device_count++] = (struct net_device_spec){v->key, name};
    }
    return 0;
}

static int check_namespaces(const struct spec *spec, struct error *err) {
    if (spec->hostname && *spec->hostname && !spec->namespaces[NS_UTS].listed)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "unable to set hostname without a private UTS namespace");
    if (spec->domainname && *spec->domainname && !spec->namespaces[NS_UTS].listed)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "unable to set domainname without a private UTS namespace");
    if (spec_has_new(spec, NS_USER) && (!spec->maps.uid_count || !spec->maps.gid_count))
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "user namespaces enabled, but no uid and gid mappings given");
    if (!spec->namespaces[NS_USER].listed && (spec->maps.uid_count || spec->maps.gid_count))
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "user namespace mappings specified, but user namespace isn't enabled in the config");
    if (spec->masked_count + spec->readonly_count && !spec->namespaces[NS_MOUNT].listed)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "unable to restrict sys entries without a private MNT namespace");
    return 0;
}

int linux_read(struct spec *spec, const struct json_value *value, struct error *err) {
    const struct json_value *uids, *gids;
    char **masked, **readonly;
    if (read_namespaces(spec, value, err) < 0 || spec_array(value, "uidMappings", &uids, err) < 0 ||
        spec_array(value, "gidMappings", &gids, err) < 0 ||
        id_maps_read(&spec->arena, &spec->maps, uids, gids, err) < 0 || read_devices(spec, value, err) < 0 ||
        spec_string(value, "cgroupsPath", &spec->cgroups_path, err) < 0 ||
        spec_object(value, "resources", &spec->resources, err) < 0 ||
        read_propagation(spec, value, err) < 0 || spec_object(value, "seccomp", &spec->seccomp, err) < 0 ||
        spec_strings(&spec->arena, value, "maskedPaths", &masked, &spec->masked_count, err) < 0 ||
        spec_strings(&spec->arena, value, "readonlyPaths", &readonly, &spec->readonly_count, err) < 0 ||
        spec_string(value, "mountLabel", &spec->mount_label, err) < 0 || read_sysctls(spec, value, err) < 0 ||
        read_personality(spec, value, err) < 0 || read_time_offsets(spec, value, err) < 0 ||
        read_memory_policy(spec, value, err) < 0 || read_net_devices(spec, value, err) < 0 ||
        spec_object(value, "intelRdt", &spec->intel_rdt, err) < 0)
        return -1;
    spec->masked_paths = (const char **)masked;
    spec->readonly_paths = (const char **)readonly;
    return check_namespaces(spec, err);
}

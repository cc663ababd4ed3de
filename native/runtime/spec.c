/* config.json's outermost level: root, process, mounts, hooks, annotations. See spec.h. */
#include "spec.h"

#include <linux/sched.h>
#include <sched.h>
#include <string.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

const struct namespace_kind_info namespace_kinds[NS_COUNT] = {
    [NS_USER] = {"user", "user", CLONE_NEWUSER},
    [NS_MOUNT] = {"mnt", "mount", CLONE_NEWNS},
    [NS_PID] = {"pid", "pid", CLONE_NEWPID},
    [NS_NETWORK] = {"net", "network", CLONE_NEWNET},
    [NS_IPC] = {"ipc", "ipc", CLONE_NEWIPC},
    [NS_UTS] = {"uts", "uts", CLONE_NEWUTS},
    [NS_CGROUP] = {"cgroup", "cgroup", CLONE_NEWCGROUP},
    [NS_TIME] = {"time", "time", CLONE_NEWTIME},
};

const char *const hook_names[HOOK_COUNT] = {
    [HOOK_PRESTART] = "prestart",
    [HOOK_CREATE_RUNTIME] = "createRuntime",
    [HOOK_CREATE_CONTAINER] = "createContainer",
    [HOOK_START_CONTAINER] = "startContainer",
    [HOOK_POSTSTART] = "poststart",
    [HOOK_POSTSTOP] = "poststop",
};

static int wrong_type(const char *key, const char *expected, struct error *err) {
    return error_set(err, "invalid_argument", "read config", "config.json", "config.json: %s must be %s", key,
                     expected);
}

int spec_string(const struct json_value *object, const char *key, const char **out, struct error *err) {
    const struct json_value *value = json_get(object, key);
    if (!value)
        return 0;
    if (value->type != JSON_STRING)
        return wrong_type(key, "a string", err);
    *out = value->string;
    return 0;
}

int spec_bool(const struct json_value *object, const char *key, bool *out, struct error *err) {
    const struct json_value *value = json_get(object, key);
    if (!value)
        return 0;
    if (value->type != JSON_BOOL)
        return wrong_type(key, "true or false", err);
    *out = value->boolean;
    return 0;
}

int spec_u32(const struct json_value *object, const char *key, uint32_t *out, struct error *err) {
    const struct json_value *value = json_get(object, key);
    uint64_t number;
    if (!value)
        return 0;
    if (!json_to_uint64(value, &number) || number > UINT32_MAX)
        return wrong_type(key, "an integer from 0 to 4294967295", err);
    *out = (uint32_t)number;
    return 0;
}

int spec_i64(const struct json_value *object, const char *key, int64_t *out, struct error *err) {
    const struct json_value *value = json_get(object, key);
    if (value && !json_to_int64(value, out))
        return wrong_type(key, "a 64-bit integer", err);
    return 0;
}

int spec_object(const struct json_value *object, const char *key, const struct json_value **out,
                struct error *err) {
    const struct json_value *value = json_get(object, key);
    if (value && value->type != JSON_OBJECT)
        return wrong_type(key, "an object", err);
    *out = value;
    return 0;
}

int spec_array(const struct json_value *object, const char *key, const struct json_value **out,
               struct error *err) {
    const struct json_value *value = json_get(object, key);
    if (value && value->type != JSON_ARRAY)
        return wrong_type(key, "an array", err);
    *out = value;
    return 0;
}

int spec_strings(struct arena *arena, const struct json_value *object, const char *key, char ***out,
                 size_t *count, struct error *err) {
    const struct json_value *array;
    size_t n = 0;
    *out = NULL;
    *count = 0;
    if (spec_array(object, key, &array, err) < 0)
        return -1;
    if (!array)
        return 0;
    char **items = arena_array(arena, char *, array->count + 1);
    for (const struct json_value *v = json_first(array); v; v = v->next) {
        if (v->type != JSON_STRING)
            return wrong_type(key, "an array of strings", err);
        items[n++] = (char *)v->string;
    }
    *out = items;
    *count = n;
    return 0;
}

bool spec_has_new(const struct spec *spec, enum namespace_kind kind) {
    return spec->namespaces[kind].listed && !spec->namespaces[kind].path;
}

bool spec_joins(const struct spec *spec, enum namespace_kind kind) {
    return spec->namespaces[kind].listed && spec->namespaces[kind].path;
}

static int read_hook(struct spec *spec, struct hook_spec *hook, const struct json_value *value,
                     struct error *err) {
    size_t count;
    int64_t timeout = 0;
    if (value->type != JSON_OBJECT)
        return wrong_type("hooks", "lists of objects", err);
    if (spec_string(value, "path", &hook->path, err) < 0 ||
        spec_strings(&spec->arena, value, "args", &hook->args, &count, err) < 0 ||
        spec_strings(&spec->arena, value, "env", &hook->env, &count, err) < 0 ||
        spec_i64(value, "timeout", &timeout, err) < 0)
        return -1;
    if (!hook->path || hook->path[0] != '/')
        return wrong_type("hook path", "an absolute path", err);
    if (json_get(value, "timeout") && (timeout <= 0 || timeout > INT32_MAX / 1000))
        return wrong_type("hook timeout", "greater than zero", err);
    hook->timeout_s = (int)timeout;
    return 0;
}

static int read_hooks(struct spec *spec, const struct json_value *value, struct error *err) {
    for (int kind = 0; kind < HOOK_COUNT; kind++) {
        const struct json_value *list;
        if (spec_array(value, hook_names[kind], &list, err) < 0)
            return -1;
        if (!list)
            continue;
        struct hooks_spec *hooks = &spec->hooks[kind];
        hooks->items = arena_array(&spec->arena, struct hook_spec, list->count);
        for (const struct json_value *v = json_first(list); v; v = v->next)
            if (read_hook(spec, &hooks->items[hooks->count++], v, err) < 0)
                return -1;
    }
    return 0;
}

/* Only the major version decides: minor versions are additions (spec, "ociVersion" is SemVer). */
static int check_version(const char *version, struct error *err) {
    if (!version)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "config.json: ociVersion is missing");
    if (strncmp(version, "1.", 2) != 0)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "unknown OCI runtime-spec version \"%.64s\": supported are " OCI_VERSION_MIN
                         " to " OCI_VERSION_MAX,
                         version);
    return 0;
}

static int read_root(struct spec *spec, const struct json_value *root, struct error *err) {
    const struct json_value *object;
    if (spec_object(root, "root", &object, err) < 0)
        return -1;
    if (!object)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "config.json: root is missing");
    if (spec_string(object, "path", &spec->root_path, err) < 0 ||
        spec_bool(object, "readonly", &spec->root_readonly, err) < 0)
        return -1;
    if (!spec->root_path || !*spec->root_path)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "config.json: root.path is missing");
    return 0;
}

static int read_annotations(struct spec *spec, const struct json_value *root, struct error *err) {
    if (spec_object(root, "annotations", &spec->annotations, err) < 0)
        return -1;
    for (const struct json_value *v = json_first(spec->annotations); v; v = v->next)
        if (v->type != JSON_STRING)
            return wrong_type("annotations", "an object of strings", err);
    return 0;
}

static int read_all(struct spec *spec, const struct json_value *root, struct error *err) {
    const struct json_value *process, *hooks, *linux_part, *mounts;
    if (root->type != JSON_OBJECT)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "config.json must hold an object");
    if (spec_string(root, "ociVersion", &spec->oci_version, err) < 0 ||
        check_version(spec->oci_version, err) < 0 ||
        spec_string(root, "hostname", &spec->hostname, err) < 0 ||
        spec_string(root, "domainname", &spec->domainname, err) < 0 || read_root(spec, root, err) < 0 ||
        spec_object(root, "process", &process, err) < 0 || spec_array(root, "mounts", &mounts, err) < 0 ||
        spec_object(root, "hooks", &hooks, err) < 0 || spec_object(root, "linux", &linux_part, err) < 0 ||
        read_annotations(spec, root, err) < 0)
        return -1;
    if (process) {
        spec->has_process = true;
        if (process_read(&spec->arena, &spec->process, process, err) < 0)
            return -1;
    }
    if (mounts_read(spec, mounts, err) < 0 || (hooks && read_hooks(spec, hooks, err) < 0))
        return -1;
    return linux_part ? linux_read(spec, linux_part, err) : 0;
}

int spec_parse(struct spec *spec, char *text, size_t length, const char *name, struct error *err) {
    *spec = (struct spec){0};
    if (json_parse(&spec->doc, text, length, name, err) < 0)
        return -1;
    if (read_all(spec, spec->doc.root, err) < 0) {
        spec_free(spec);
        return -1;
    }
    return 0;
}

int spec_read(struct spec *spec, int fd, const char *name, struct error *err) {
    *spec = (struct spec){0};
    if (json_read_fd(&spec->doc, fd, name, err) < 0)
        return -1;
    if (read_all(spec, spec->doc.root, err) < 0) {
        spec_free(spec);
        return -1;
    }
    return 0;
}

void spec_free(struct spec *spec) {
    arena_free(&spec->arena);
    json_free(&spec->doc);
    *spec = (struct spec){0};
}

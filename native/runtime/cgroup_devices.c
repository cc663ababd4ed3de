/* Device rules: what config.json says, in flat form, and their v1 spelling. bpf_devices.c has v2. */
#include "cgroup.h"

#include "log.h"

#include <stdio.h>
#include <string.h>

/* What every container may use, whatever its rules (runtime-spec, "Default Devices"), and any mknod. */
static const struct device_rule default_rules[] = {
    {true, 'c', -1, -1, false, false, true}, /* mknod of anything: a node that may not be opened harms nobody
                                              */
    {true, 'b', -1, -1, false, false, true}, {true, 'c', 1, 3, true, true, true}, /* null */
    {true, 'c', 1, 8, true, true, true},                                          /* random */
    {true, 'c', 1, 7, true, true, true},                                          /* full */
    {true, 'c', 5, 0, true, true, true},                                          /* tty */
    {true, 'c', 1, 5, true, true, true},                                          /* zero */
    {true, 'c', 1, 9, true, true, true},                                          /* urandom */
    {true, 'c', 136, -1, true, true, true},                                       /* pts */
    {true, 'c', 5, 2, true, true, true},                                          /* ptmx */
};
enum { DEFAULT_RULES = sizeof(default_rules) / sizeof(default_rules[0]) };

static int read_rule(const struct json_value *value, struct device_rule *rule, struct error *err) {
    const char *type = json_get_string(value, "type", "a"), *access = json_get_string(value, "access", "");
    const struct json_value *allow = json_get(value, "allow");
    *rule = (struct device_rule){
        .allow = allow && allow->type == JSON_BOOL && allow->boolean,
        .type = *type ? *type : 'a',
        .major = (long)json_get_int(value, "major", -1),
        .minor = (long)json_get_int(value, "minor", -1),
        .read = strchr(access, 'r') != NULL,
        .write = strchr(access, 'w') != NULL,
        .mknod = strchr(access, 'm') != NULL,
    };
    if (strlen(type) > 1 || !strchr("abcu", rule->type))
        return error_set(err, "invalid_argument", "cgroup", NULL,
                         "invalid device type \"%.20s\" in linux.resources.devices", type);
    if (access[strspn(access, "rwma")])
        return error_set(err, "invalid_argument", "cgroup", NULL,
                         "invalid device access \"%.20s\" in linux.resources.devices", access);
    if (strchr(access, 'a')) /* runc takes it, and configurations that have it are about */
        log_message(LOG_WARNING, "\"a\" in the device access \"%.20s\" means nothing; r, w and m do", access);
    if (rule->type == 'u')
        rule->type = 'c';
    if (!*access) /* the kernel's and runc's reading of no access at all: all of it */
        rule->read = rule->write = rule->mknod = true;
    return 0;
}

ssize_t cgroup_device_rules(const struct json_value *resources, struct device_rule *rules, size_t room,
                            struct error *err) {
    const struct json_value *list = json_get(resources, "devices");
    size_t count = 0;
    rules[count++] = (struct device_rule){false, 'a', -1, -1, true, true, true};
    if (list && (list->type != JSON_ARRAY || list->count + DEFAULT_RULES + 1 > room))
        return error_set(err, "invalid_argument", "cgroup", NULL,
                         "linux.resources.devices must be a list of at most %zu rules",
                         room - DEFAULT_RULES - 1);
    for (const struct json_value *v = json_first(list); v; v = v->next)
        if (read_rule(v, &rules[count++], err) < 0)
            return -1;
    /* "All devices" leaves nothing to add (and v1 would refuse further rules only noisily). */
    const struct device_rule *last = &rules[count - 1];
    if (last->allow && last->type == 'a' && last->major < 0 && last->minor < 0)
        return (ssize_t)count;
    for (size_t i = 0; i < DEFAULT_RULES; i++)
        rules[count++] = default_rules[i];
    return (ssize_t)count;
}

static void number(char *out, size_t room, long value) {
    if (value < 0)
        snprintf(out, room, "*");
    else
        snprintf(out, room, "%ld", value);
}

int cgroup_v1_devices(int dir, const struct device_rule *rules, size_t count, struct error *err) {
    for (size_t i = 0; i < count; i++) {
        const struct device_rule *r = &rules[i];
        char text[64], major[24], minor[24];
        number(major, sizeof(major), r->major);
        number(minor, sizeof(minor), r->minor);
        if (r->type == 'a')
            snprintf(text, sizeof(text), "a");
        else
            snprintf(text, sizeof(text), "%c %s:%s %s%s%s", r->type, major, minor, r->read ? "r" : "",
                     r->write ? "w" : "", r->mknod ? "m" : "");
        if (cgroup_write(dir, r->allow ? "devices.allow" : "devices.deny", text, err) < 0)
            return -1;
    }
    return 0;
}

/* features: what this runtime can do, as runtime-spec's features document. containerd 2 refuses id-mapped
 * mounts without it. */
#include "capabilities.h"
#include "seccomp_filter.h"
#include "spec.h"
#include "verbs.h"
#include "version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void words(struct json_writer *w, const char *key, const char *const *list) {
    json_key(w, key);
    json_begin_array(w);
    for (; *list; list++)
        json_string(w, *list);
    json_end_array(w);
}

static void enabled(struct json_writer *w, const char *key, bool value) {
    json_key(w, key);
    json_begin_object(w);
    json_member_bool(w, "enabled", value);
    json_end_object(w);
}

static void write_mount_options(struct json_writer *w) {
    const char *options[160] = {0};
    size_t count = mount_option_words(options, 159);
    qsort(options, count, sizeof(options[0]), by_text);
    words(w, "mountOptions", options);
}

static void write_seccomp(struct json_writer *w) {
    static const char *const supported[] = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                            "SECCOMP_FILTER_FLAG_TSYNC",
                                            "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};
    json_key(w, "seccomp");
    json_begin_object(w);
    json_member_bool(w, "enabled", true);
    words(w, "actions", seccomp_action_names);
    words(w, "operators", seccomp_operator_names);
    words(w, "archs", seccomp_arch_names);
    words(w, "knownFlags", seccomp_flag_names);
    words(w, "supportedFlags", supported);
    json_end_object(w);
}

static void write_cgroup(struct json_writer *w) {
    json_key(w, "cgroup");
    json_begin_object(w);
    json_member_bool(w, "v1", true);
    json_member_bool(w, "v2", true);
    json_member_bool(w, "systemd", false);
    json_member_bool(w, "systemdUser", false);
    json_member_bool(w, "rdma", true);
    json_end_object(w);
}

static void write_linux(struct json_writer *w) {
    json_key(w, "linux");
    json_begin_object(w);
    const char *namespaces[NS_COUNT + 1] = {0};
    for (int kind = 0; kind < NS_COUNT; kind++)
        namespaces[kind] = namespace_kinds[kind].spec_name;
    qsort(namespaces, NS_COUNT, sizeof(namespaces[0]), by_text);
    words(w, "namespaces", namespaces);
    json_key(w, "capabilities");
    json_begin_array(w);
    for (int cap = 0; capability_name(cap); cap++)
        json_string(w, capability_name(cap));
    json_end_array(w);
    write_cgroup(w);
    write_seccomp(w);
    enabled(w, "apparmor", true);
    enabled(w, "selinux", true);
    json_key(w, "intelRdt");
    json_begin_object(w);
    json_member_bool(w, "enabled", true);
    json_member_bool(w, "schemata", true);
    json_end_object(w);
    enabled(w, "memoryPolicy", true);
    json_key(w, "mountExtensions");
    json_begin_object(w);
    enabled(w, "idmap", true);
    json_end_object(w);
    enabled(w, "netDevices", true);
    json_end_object(w);
}

static void write_annotations(struct json_writer *w) {
    json_key(w, "annotations");
    json_begin_object(w);
    json_member_string(w, "dev.berth.runtime.version", BERTH_VERSION);
    json_member_string(w, "dev.berth.runtime.commit", BERTH_COMMIT);
    json_member_string(w, "dev.berth.runtime.checkpoint.enabled", "false");
    json_member_string(w, "io.github.seccomp.libseccomp.version", seccomp_filter_library_version());
    json_end_object(w);
}

static int run(const struct invocation *in, struct error *err) {
    struct json_writer w;
    (void)in;
    json_writer_init(&w, 4);
    json_begin_object(&w);
    json_member_string(&w, "ociVersionMin", OCI_VERSION_MIN);
    json_member_string(&w, "ociVersionMax", OCI_VERSION_MAX);
    const char *hooks[HOOK_COUNT + 1] = {0};
    memcpy(hooks, hook_names, sizeof(hook_names[0]) * HOOK_COUNT);
    words(&w, "hooks", hooks);
    write_mount_options(&w);
    write_linux(&w);
    write_annotations(&w);
    /* No annotation changes what a container may do (class 24). */
    json_key(&w, "potentiallyUnsafeConfigAnnotations");
    json_begin_array(&w);
    json_end_array(&w);
    json_end_object(&w);
    json_newline(&w);
    bool written = !w.failed && fwrite(w.data, 1, w.length, stdout) == w.length;
    json_writer_free(&w);
    return written ? 0 : error_set(err, "internal", "features", NULL, "write the features document");
}

const struct verb verb_features = {
    .name = "features",
    .usage = "",
    .summary = "show the enabled features",
    .min_operands = 0,
    .max_operands = 0,
    .run = run,
};

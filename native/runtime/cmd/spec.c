/* spec: a config.json to start from. */
#include "spec.h"
#include "cleanup.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

static const char *bundle;
static bool rootless;

static void strings(struct json_writer *w, const char *key, const char *const *items) {
    json_key(w, key);
    json_begin_array(w);
    for (; *items; items++)
        json_string(w, *items);
    json_end_array(w);
}

static void write_capabilities(struct json_writer *w) {
    static const char *const caps[] = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL};
    static const char *const sets[] = {"bounding", "effective", "permitted"};
    json_key(w, "capabilities");
    json_begin_object(w);
    for (int i = 0; i < 3; i++)
        strings(w, sets[i], caps);
    json_end_object(w);
}

static void write_process(struct json_writer *w) {
    static const char *const args[] = {"sh", NULL};
    static const char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                      "TERM=xterm", NULL};
    json_key(w, "process");
    json_begin_object(w);
    json_member_bool(w, "terminal", true);
    json_key(w, "user");
    json_begin_object(w);
    json_member_int(w, "uid", 0);
    json_member_int(w, "gid", 0);
    json_end_object(w);
    strings(w, "args", args);
    strings(w, "env", env);
    json_member_string(w, "cwd", "/");
    write_capabilities(w);
    json_key(w, "rlimits");
    json_begin_array(w);
    json_begin_object(w);
    json_member_string(w, "type", "RLIMIT_NOFILE");
    json_member_int(w, "hard", 1024);
    json_member_int(w, "soft", 1024);
    json_end_object(w);
    json_end_array(w);
    json_member_bool(w, "noNewPrivileges", true);
    json_end_object(w);
}

static void write_mounts(struct json_writer *w) {
    static const struct {
        const char *destination, *type, *source, *options[10];
    } mounts[] = {
        {"/proc", "proc", "proc", {NULL}},
        {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k", NULL}},
        {"/dev/pts",
         "devpts",
         "devpts",
         {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", NULL}},
        {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k", NULL}},
        {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev", NULL}},
        {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro", NULL}},
        {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro", NULL}},
    };
    json_key(w, "mounts");
    json_begin_array(w);
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        const char *options[10] = {0};
        size_t n = 0;
        bool sys = strcmp(mounts[i].destination, "/sys") == 0;
        if (rootless && strcmp(mounts[i].type, "cgroup") == 0)
            continue;
        for (const char *const *o = mounts[i].options; *o; o++)
            if (!(rootless && strcmp(*o, "gid=5") == 0))
                options[n++] = *o;
        json_begin_object(w);
        json_member_string(w, "destination", mounts[i].destination);
        json_member_string(w, "type", rootless && sys ? "none" : mounts[i].type);
        json_member_string(w, "source", rootless && sys ? "/sys" : mounts[i].source);
        if (rootless && sys)
            options[n++] = "rbind";
        if (n)
            strings(w, "options", options);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_mapping(struct json_writer *w, const char *key, unsigned host) {
    json_key(w, key);
    json_begin_array(w);
    json_begin_object(w);
    json_member_int(w, "containerID", 0);
    json_member_int(w, "hostID", host);
    json_member_int(w, "size", 1);
    json_end_object(w);
    json_end_array(w);
}

static void write_linux(struct json_writer *w) {
    /* As runc: on v1 a cgroup namespace is what one asks for. */
    struct statfs fs;
    bool unified = statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
    static const char *const namespaces[] = {"pid", "network", "ipc", "uts", "mount", "cgroup", "user", NULL};
    static const char *const masked[] = {"/proc/acpi",
                                         "/proc/asound",
                                         "/proc/interrupts",
                                         "/proc/kcore",
                                         "/proc/keys",
                                         "/proc/latency_stats",
                                         "/proc/timer_list",
                                         "/proc/timer_stats",
                                         "/proc/sched_debug",
                                         "/sys/firmware",
                                         "/proc/scsi",
                                         "/sys/devices/virtual/powercap",
                                         NULL};
    static const char *const readonly[] = {"/proc/bus",           "/proc/fs", "/proc/irq", "/proc/sys",
                                           "/proc/sysrq-trigger", NULL};
    json_key(w, "linux");
    json_begin_object(w);
    if (rootless) {
        write_mapping(w, "uidMappings", geteuid());
        write_mapping(w, "gidMappings", getegid());
    } else {
        json_key(w, "resources");
        json_begin_object(w);
        json_key(w, "devices");
        json_begin_array(w);
        json_begin_object(w);
        json_member_bool(w, "allow", false);
        json_member_string(w, "access", "rwm");
        json_end_object(w);
        json_end_array(w);
        json_end_object(w);
    }
    json_key(w, "namespaces");
    json_begin_array(w);
    for (const char *const *n = namespaces; *n; n++) {
        if (strcmp(*n, rootless ? "network" : "user") == 0 || (strcmp(*n, "cgroup") == 0 && !unified))
            continue;
        json_begin_object(w);
        json_member_string(w, "type", *n);
        json_end_object(w);
    }
    json_end_array(w);
    strings(w, "maskedPaths", masked);
    strings(w, "readonlyPaths", readonly);
    json_end_object(w);
}

static void write_document(struct json_writer *w) {
    json_begin_object(w);
    json_member_string(w, "ociVersion", OCI_VERSION_MAX);
    write_process(w);
    json_key(w, "root");
    json_begin_object(w);
    json_member_string(w, "path", "rootfs");
    json_member_bool(w, "readonly", true);
    json_end_object(w);
    json_member_string(w, "hostname", "runc");
    write_mounts(w);
    write_linux(w);
    json_end_object(w);
    json_newline(w);
}

static int run(const struct invocation *in, struct error *err) {
    struct json_writer w;
    (void)in;
    if (bundle && chdir(bundle) < 0)
        return error_errno(err, errno, "spec", bundle, "open bundle %s", bundle);
    cleanup_fd int fd = open("config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return error_set(err, "already_exists", "spec", "config.json",
                         "File config.json exists. Remove it first");
    if (fd < 0)
        return error_errno(err, errno, "spec", "config.json", "create config.json");
    json_writer_init(&w, 4);
    write_document(&w);
    bool written = !w.failed && write(fd, w.data, w.length) == (ssize_t)w.length;
    json_writer_free(&w);
    return written ? 0 : error_errno(err, errno, "spec", "config.json", "write config.json");
}

static const struct flag flags[] = {
    {"bundle", 'b', FLAG_STRING, &bundle, "path to the root of the bundle directory"},
    {"rootless", 0, FLAG_BOOL, &rootless, "generate a configuration for a rootless container"},
    {0},
};

const struct verb verb_spec = {
    .name = "spec",
    .usage = "[command options]",
    .summary = "create a new specification file",
    .flags = flags,
    .min_operands = 0,
    .max_operands = 0,
    .run = run,
};

/* Unit tests of berth-runtime's pure parts: config, mount options, users, ids, cgroup paths, device rules,
 * signals, flags, paths. */
#include "capabilities.h"
#include "cgroup.h"
#include "cleanup.h"
#include "cli.h"
#include "path.h"
#include "seccomp_filter.h"
#include "signals.h"
#include "spec.h"
#include "state.h"
#include "unit.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PROCESS "\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\",\"user\":{\"uid\":1,\"gid\":2}}"
#define ROOT "\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}"

/* Parses a config; on success the caller frees spec and text. */
static int parse(struct spec *spec, const char *json, struct error *err) {
    char *text = check_memory(strdup(json));
    *err = (struct error){0};
    if (spec_parse(spec, text, strlen(text), "config.json", err) < 0) {
        free(text);
        return -1;
    }
    spec->doc.text = text;
    return 0;
}

static void refuse(const char *json, const char *words) {
    struct spec spec;
    struct error err;
    int result = parse(&spec, json, &err);
    CHECK(result < 0);
    if (result == 0)
        spec_free(&spec);
    else if (!strstr(err.message, words)) {
        CHECK(!"another reason was given");
        fprintf(stderr, "  for %s\n  got: %s\n", json, err.message);
    }
}

static void maps_slices(void) {
    char path[200];
    struct error err;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"system.slice:docker:abc", "/system.slice/docker-abc.scope"},
        {":runc:x", "/system.slice/runc-x.scope"},
        {"a-b-c.slice::x", "/a.slice/a-b.slice/a-b-c.slice/x.scope"},
        {"-.slice:p:n.slice", "/n.slice"},
        {"/plain/path", "/plain/path"},
        {"one:colon", "one:colon"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(cgroup_path_of_slice(cases[i].from, path, sizeof(path), &err) == 0);
        CHECK_STRING(path, cases[i].to);
    }
    CHECK(cgroup_path_of_slice(NULL, path, sizeof(path), &err) == 0 && !*path);
    static const char *const bad[] = {"a:b:c",        "../x.slice:b:c", "a--b.slice:b:c",
                                      "-a.slice:b:c", "a-.slice:b:c",   ".slice:b:c"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(cgroup_path_of_slice(bad[i], path, sizeof(path), &err) < 0);
    char small[40];
    CHECK(cgroup_path_of_slice("a-b-c-d-e-f-g-h.slice:b:c", small, sizeof(small), &err) < 0);
}

static void reads_a_config(void) {
    struct spec spec;
    struct error err;
    CHECK(parse(&spec,
                "{" ROOT "," PROCESS ",\"hostname\":\"h\",\"mounts\":[{\"destination\":\"/m\",\"source\":\"/"
                "s\",\"options\":[\"rbind\",\"ro\","
                "\"rnosuid\",\"rslave\",\"noatime\"]},{\"destination\":\"/"
                "t\",\"type\":\"tmpfs\",\"options\":[\"size=1m\",\"rw\",\"ro\",\"rw\"]}],"
                "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"uts\"},{\"type\":\"network\","
                "\"path\":\"/n\"}],"
                "\"rootfsPropagation\":\"rshared\",\"sysctl\":{\"net.ipv4.conf.eth0/1.forwarding\":\"1\"}}}",
                &err) == 0);
    CHECK(spec.process.uid == 1 && spec.process.gid == 2 && strcmp(spec.process.args[0], "sh") == 0);
    CHECK(spec_has_new(&spec, NS_PID) && spec_joins(&spec, NS_NETWORK) && !spec.namespaces[NS_IPC].listed);
    const struct mount_spec *m = spec.mounts;
    CHECK(spec.mount_count == 2 && m[0].bind && m[0].recursive);
    CHECK(m[0].attr_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME) && (m[0].attr_clear & MOUNT_ATTR__ATIME));
    CHECK(m[0].attr_rec_set == MOUNT_ATTR_NOSUID && m[0].propagation == MS_SLAVE &&
          m[0].propagation_recursive);
    CHECK(m[1].attr_set == 0 && m[1].attr_clear == MOUNT_ATTR_RDONLY && m[1].data_count == 1);
    CHECK(spec.rootfs_propagation == (MS_SHARED | MS_REC));
    CHECK_STRING(spec.sysctls[0].key, "net/ipv4/conf/eth0.1/forwarding");
    spec_free(&spec);
}

static void refuses_bad_configs(void) {
    refuse("[]", "must hold an object");
    refuse("{}", "ociVersion is missing");
    refuse("{\"ociVersion\":\"2.0.0\"}", "unknown OCI runtime-spec version");
    refuse("{\"ociVersion\":\"1.0.0\"}", "root is missing");
    refuse("{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":5}}", "path must be a string");
    refuse("{" ROOT ",\"process\":{\"cwd\":\"/\"}}", "args must not be empty");
    refuse("{" ROOT ",\"process\":{\"args\":[1],\"cwd\":\"/\"}}", "array of strings");
    refuse("{" ROOT ",\"process\":{\"args\":[\"a\"],\"cwd\":\"x\"}}", "absolute");
    refuse("{" ROOT ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":4294967295}}}",
           "out of range");
    refuse("{" ROOT ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"user\":{\"uid\":-1}}}", "uid");
    refuse("{" ROOT ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"X\"}]}}",
           "unknown rlimit");
    refuse("{" ROOT ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"oomScoreAdj\":1001}}", "oomScoreAdj");
    refuse("{" ROOT ",\"mounts\":[{\"source\":\"x\"}]}", "no destination");
    refuse("{" ROOT ",\"mounts\":[{\"destination\":\"/x\",\"options\":[\"bind\"]}]}", "no source");
    refuse("{" ROOT ",\"mounts\":[{\"destination\":\"/x\",\"type\":\"tmpfs\",\"options\":[\"idmap\"]}]}",
           "bind mounts");
    refuse("{" ROOT ",\"linux\":{\"namespaces\":[{\"type\":\"x\"}]}}", "namespace does not exist");
    refuse("{" ROOT ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}}", "duplicated");
    refuse("{" ROOT ",\"linux\":{\"namespaces\":[{\"type\":\"user\"}]}}", "no uid and gid mappings");
    refuse("{" ROOT ",\"linux\":{\"sysctl\":{\"kernel.core_pattern\":\"|/x\"}}}",
           "not in a separate kernel namespace");
    refuse("{" ROOT ",\"linux\":{\"sysctl\":{\"net.x\":\"1\"}}}", "would affect the host");
    refuse("{" ROOT ",\"hostname\":\"h\",\"linux\":{}}", "UTS namespace");
    refuse("{" ROOT ",\"linux\":{\"devices\":[{\"path\":\"x\",\"type\":\"c\"}]}}", "absolute");
    refuse("{" ROOT ",\"linux\":{\"timeOffsets\":{\"boottime\":{\"secs\":1}}}}", "time namespace");
    refuse("{" ROOT ",\"linux\":{\"rootfsPropagation\":\"x\"}}", "rootfsPropagation");
    refuse("{" ROOT ",\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":4294967295,\"size\":2}]}}",
           "out of range");
    refuse("{" ROOT ",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}}", "absolute");
    refuse("{" ROOT ",\"linux\":{\"personality\":{\"domain\":\"X\"}}}", "personality");
    refuse(
        "{" ROOT
        ",\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"eth0\":{\"name\":\"a/b\"}}}}",
        "device name");
}

static void reads_users_strictly(void) {
    static const char *const bad[] = {
        "",   ":",  "x",    "1000x",      "-1",         "+1",           " 1",          "0x1",
        "1:", ":1", "1:-1", "4294967295", "4294967296", "1:4294967295", "99999999999", "1:2:3"};
    struct error err;
    uint32_t uid = 7, gid = 8;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(user_parse(bad[i], &uid, &gid, &err) < 0 && uid == 7 && gid == 8);
    CHECK(user_parse("4294967294", &uid, &gid, &err) == 0 && uid == 4294967294u && gid == 8);
    CHECK(user_parse("0:5", &uid, &gid, &err) == 0 && uid == 0 && gid == 5);
}

static void checks_ids_and_cgroup_paths(void) {
    static const char *const bad[] = {"", ".", "..", "a/b", "../x", "/a", "a b", "a\n", "\xc3\xa9"};
    struct error err;
    struct cgroup cgroup = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(state_check_id(bad[i], &err) < 0);
    CHECK(state_check_id("web-1_2.3+x", &err) == 0);
    CHECK(cgroup_set_path(&cgroup, "/a//b/./c/", "id", &err) == 0);
    CHECK_STRING(cgroup.path, "/a/b/c");
    CHECK(cgroup_set_path(&cgroup, "relative", "id", &err) == 0);
    CHECK_STRING(cgroup.path, "/relative");
    CHECK(cgroup_set_path(&cgroup, NULL, "id", &err) == 0);
    CHECK_STRING(cgroup.path, "/id");
    CHECK(cgroup_set_path(&cgroup, "/a/../b", "id", &err) < 0);
    CHECK(cgroup_set_path(&cgroup, "/", "id", &err) < 0);
}

static ssize_t rules_of(const char *json, struct device_rule *rules, struct error *err) {
    struct json_doc doc = {0};
    char *text = check_memory(strdup(json));
    CHECK(json_parse(&doc, text, strlen(text), "resources", err) == 0);
    ssize_t count = cgroup_device_rules(doc.root, rules, CGROUP_DEVICE_RULES_MAX, err);
    json_free(&doc);
    free(text);
    return count;
}

static void makes_device_rules(void) {
    struct device_rule rules[CGROUP_DEVICE_RULES_MAX];
    struct error err;
    CHECK(rules_of("{}", rules, &err) == 11);
    CHECK(!rules[0].allow && rules[0].type == 'a');
    CHECK(rules_of("{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}", rules, &err) == 2 &&
          rules[1].allow);
    CHECK(rules_of(
              "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":10,\"minor\":229,\"access\":\"r\"}]}",
              rules, &err) == 12);
    CHECK(rules[1].major == 10 && rules[1].minor == 229 && rules[1].read && !rules[1].write &&
          !rules[1].mknod);
    CHECK(rules_of("{\"devices\":[{\"allow\":true,\"type\":\"x\"}]}", rules, &err) < 0);
    CHECK(rules_of("{\"devices\":[{\"allow\":true,\"access\":\"q\"}]}", rules, &err) < 0);
    CHECK(rules_of("{\"devices\":5}", rules, &err) < 0);
}

static void knows_signals_and_capabilities(void) {
    CHECK(signal_number("KILL") == 9 && signal_number("SIGKILL") == 9 && signal_number("sigterm") == 15 &&
          signal_number("9") == 9);
    CHECK(signal_number("RTMIN") == 34 && signal_number("SIGRTMIN+1") == 35 && signal_number("RTMAX") == 64);
    CHECK(signal_number("") < 0 && signal_number("NOPE") < 0 && signal_number("65") < 0 &&
          signal_number("-1") < 0 && signal_number("9x") < 0);
    CHECK(capability_number("CAP_CHOWN") == 0 && capability_number("sys_admin") == 21 &&
          capability_number("CAP_X") < 0);
    CHECK_STRING(capability_name(40), "CAP_CHECKPOINT_RESTORE");
}

static void parses_flags(void) {
    bool all = false, tty = false;
    const char *root = NULL;
    int count = 0;
    struct flag_list env = {0};
    const struct flag flags[] = {
        {"all", 'a', FLAG_BOOL, &all, NULL},     {"tty", 't', FLAG_BOOL, &tty, NULL},
        {"root", 'r', FLAG_STRING, &root, NULL}, {"count", 0, FLAG_INT, &count, NULL},
        {"env", 'e', FLAG_LIST, &env, NULL},     {0}};
    struct error err;
    char *good[] = {"--root=/x", "-at",   "--count", "3",  "-e",         "A=1",
                    "-e=B",      "--env", "C",       "id", "--all=false"};
    CHECK(cli_parse(flags, 11, good, false, &err) == 9 && all && tty && count == 3 && env.count == 3);
    CHECK_STRING(root, "/x");
    CHECK_STRING(env.items[1], "B");
    char *dashes[] = {"--", "-x"}, *unknown[] = {"--nope"}, *missing[] = {"--root"},
         *number[] = {"--count", "x"}, *single[] = {"-root", "/y", "z"};
    CHECK(cli_parse(flags, 2, dashes, false, &err) == 1);
    CHECK(cli_parse(flags, 1, unknown, false, &err) < 0);
    char *end[] = {"--root", NULL};
    CHECK(cli_parse(flags, 1, end, false, &err) < 0);
    (void)missing;
    CHECK(cli_parse(flags, 2, number, false, &err) < 0);
    CHECK(cli_parse(flags, 3, single, false, &err) == 2);
    char *behind[] = {"id", "--count", "4", "x", "--all", "--", "-t"};
    all = tty = false;
    CHECK(cli_parse(flags, 7, behind, true, &err) == 4 && count == 4 && all && !tty);
    CHECK_STRING(behind[0], "--count");
    CHECK_STRING(behind[1], "4");
    CHECK_STRING(behind[2], "--all");
    CHECK_STRING(behind[3], "--");
    CHECK_STRING(behind[4], "id");
    CHECK_STRING(behind[5], "x");
    CHECK_STRING(behind[6], "-t");
    char *none[] = {"id", "-"};
    CHECK(cli_parse(flags, 2, none, true, &err) == 0);
    CHECK_STRING(none[0], "id");
    char *bad[] = {"id", "--nope"};
    CHECK(cli_parse(flags, 2, bad, true, &err) < 0);
}

static int exists(int root, const char *path) {
    return faccessat(root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void resolves_paths_inside(void) {
    char directory[] = "/tmp/berth-path-XXXXXX", command[200];
    struct error err = {0};
    CHECK(mkdtemp(directory) != NULL);
    cleanup_fd int outside = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(mkdirat(outside, "root", 0755) == 0 && mkdirat(outside, "victim", 0755) == 0);
    cleanup_fd int root = openat(outside, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(command, sizeof(command), "%s/victim", directory);
    CHECK(symlinkat(command, root, "absolute") == 0 && symlinkat("../victim", root, "up") == 0 &&
          symlinkat("../../../x/y", root, "dangling") == 0 && symlinkat("loop", root, "loop") == 0);
    int fds[] = {path_make_directory(root, "/a/b/../c/./d", 0700, &err),
                 path_make_directory(root, "up/new", 0755, &err),
                 path_make_directory(root, "absolute/new", 0755, &err),
                 path_make_file(root, "dangling", &err), path_make_file(root, "/f/g", &err)};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        CHECK(fds[i] >= 0);
        close(fds[i]);
    }
    CHECK(exists(root, "a/c/d") && exists(root, "victim/new") && exists(root, "x/y") && exists(root, "f/g"));
    CHECK(!exists(outside, "victim/new"));
    CHECK(path_make_file(root, "loop/x", &err) < 0 && err.number == ELOOP);
    CHECK(path_make_directory(root, "f/g/h", 0755, &err) < 0 && err.number == ENOTDIR);
    CHECK(path_open_plain(root, "up", O_PATH | O_DIRECTORY, &err) < 0 &&
          strstr(err.message, "symbolic link"));
    CHECK(path_try_open(root, "absent", O_PATH) < 0 && errno == ENOENT);
    char name[256];
    CHECK(path_make_parent(root, "/..", name, &err) < 0 && path_make_parent(root, "/", name, &err) < 0);
    int parent = path_make_parent(root, "p/q/", name, &err);
    CHECK(parent >= 0 && strcmp(name, "q") == 0 && exists(root, "p") && !exists(root, "p/q"));
    close(parent);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    CHECK(system(command) == 0);
}

static void compiles_seccomp(void) {
    struct error err;
    struct json_doc doc = {0};
    struct seccomp_program program = {0};
    char text[] = "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_"
                  "X86\"],\"syscalls\":[{\"names\":[\"read\","
                  "\"no_such_call\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":"
                  "\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":2,"
                  "\"op\":\"SCMP_CMP_EQ\"}]}]}  ";
    CHECK(json_parse(&doc, text, strlen(text) - 1, "seccomp", &err) == 0);
    CHECK(seccomp_filter_prepare(&program, doc.root, NULL, &err) == 0 && program.count > 10);
    seccomp_filter_free(&program);
    json_free(&doc);
}

int main(void) {
    maps_slices();
    reads_a_config();
    refuses_bad_configs();
    reads_users_strictly();
    checks_ids_and_cgroup_paths();
    makes_device_rules();
    knows_signals_and_capabilities();
    parses_flags();
    resolves_paths_inside();
    compiles_seccomp();
    return check_status("runtime_test");
}

#include "root.h"

#include "lib/cleanup.h"
#include "lib/json.h"
#include "monitor/document.h"
#include "monitor/mounts.h"
#include "runtime/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

static int open_directory(const char *path, struct error *err) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_errno(err, errno, "open root", path, "cannot open the root \"%.256s\"", path) : fd;
}

/* Field 22 of /proc/PID/stat, counted after the command name, which may itself hold spaces and brackets. */
static int read_start_time(unsigned pid, char *out, size_t size) {
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (got <= 0)
        return -1;
    text[got] = '\0';
    char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    if (!at)
        return -1;
    snprintf(out, size, "%.*s", (int)strcspn(at, " "), at);
    return 0;
}

static int gone(struct error *err, unsigned pid) {
    return error_set(err, "not_found", "open root", NULL, "the process %u is not running any more", pid);
}

/*
 * The pidfd pins the process: if it still lives after /proc/PID/root was opened, and its start time is the
 * expected one, then that root was its root.
 */
static int open_process(const struct root_options *options, int *pidfd, struct error *err) {
    char start_time[32], path[64];
    if (options->pid == 0 || options->pid > INT32_MAX)
        return error_set(err, "invalid_argument", "open root", NULL, "--pid is not a process id");
    if (options_require(options->start_time, "start-time", err) < 0)
        return -1;
    unsigned pid = (unsigned)options->pid;
    cleanup_fd int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0)
        return errno == ESRCH ? gone(err, pid)
                              : error_errno(err, errno, "open root", NULL, "cannot hold the process %u", pid);
    if (read_start_time(pid, start_time, sizeof(start_time)) < 0 ||
        strcmp(start_time, options->start_time) != 0)
        return gone(err, pid);
    snprintf(path, sizeof(path), "/proc/%u/root", pid);
    cleanup_fd int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int number = errno;
    struct pollfd poll_process = {.fd = process, .events = POLLIN};
    if (poll(&poll_process, 1, 0) != 0)
        return gone(err, pid);
    if (root < 0)
        return error_errno(err, number, "open root", path, "cannot open the root of the process %u", pid);
    if (pidfd)
        *pidfd = fd_take(&process);
    return fd_take(&root);
}

static int read_mount(struct mount_plan *plan, const struct json_value *value, const char *file,
                      struct error *err) {
    plan->type = json_get_string(value, "type", NULL);
    plan->source = json_get_string(value, "source", "none");
    plan->target = json_get_string(value, "target", NULL);
    const struct json_value *options = json_get(value, "options");
    if (!plan->type || !plan->target || plan->target[0] != '/')
        return error_set(err, "invalid_argument", "open root", file,
                         "a mount in \"%.256s\" lacks a type or an absolute target", file);
    plan->options = calloc(options ? options->count + 1u : 1, sizeof(*plan->options));
    if (!plan->options)
        return error_errno(err, ENOMEM, "open root", file, "no memory for the mounts");
    for (const struct json_value *o = json_first(options); o; o = o->next) {
        if (o->type != JSON_STRING)
            return error_set(err, "invalid_argument", "open root", file,
                             "a mount option in \"%.256s\" is not a string", file);
        plan->options[plan->option_count++] = o->string;
    }
    return 0;
}

static int mount_all(const struct json_value *document, const char *file, struct error *err) {
    const struct json_value *list = json_get(document, "mounts");
    struct document plan = {0};
    size_t count = list && list->type == JSON_ARRAY ? list->count : 0;
    plan.mounts = calloc(count + 1, sizeof(*plan.mounts));
    int result = plan.mounts ? 0 : error_errno(err, ENOMEM, "open root", file, "no memory for the mounts");
    for (const struct json_value *v = json_first(list); result == 0 && count > 0 && v; v = v->next)
        result = read_mount(&plan.mounts[plan.mount_count++], v, file, err);
    if (result == 0)
        result = mounts_unshare(&plan, err);
    if (result == 0)
        result = mounts_apply(&plan, err);
    for (size_t i = 0; plan.mounts && i < plan.mount_count; i++)
        free(plan.mounts[i].options);
    free(plan.mounts);
    return result;
}

static int open_mounts(const char *file, struct error *err) {
    struct json_doc doc = {0};
    cleanup_fd int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open root", file, "cannot read \"%.256s\"", file);
    if (json_read_fd(&doc, fd, file, err) < 0)
        return -1;
    const char *path = json_get_string(doc.root, "root", NULL);
    int root = path ? mount_all(doc.root, file, err)
                    : error_set(err, "invalid_argument", "open root", file, "\"%.256s\" names no root", file);
    if (root == 0)
        root = open_directory(path, err);
    json_free(&doc);
    return root;
}

int root_open(const struct root_options *options, struct error *err) {
    int kinds = (options->dir != NULL) + (options->pid != 0) + (options->mounts != NULL);
    if (kinds != 1)
        return error_set(err, "invalid_argument", "options", NULL, "give one of --root, --pid and --mounts");
    if (options->dir)
        return open_directory(options->dir, err);
    return options->mounts ? open_mounts(options->mounts, err) : open_process(options, NULL, err);
}

/*
 * A mount is cloned only by who is in its namespace, so the process is entered for that one call. What comes
 * out is on its own: nothing that is mounted in the container is on it, and nothing of ours follows.
 */
int root_open_bare(const struct root_options *options, struct error *err) {
    if (options->dir || options->mounts || options->pid == 0)
        return root_open(options, err);
    cleanup_fd int process = -1;
    cleanup_fd int root = open_process(options, &process, err);
    if (root < 0)
        return -1;
    cleanup_fd int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (home < 0 || setns(process, CLONE_NEWNS) < 0)
        return error_errno(err, errno, "open root", NULL,
                           "cannot enter the mount namespace of the process %u", (unsigned)options->pid);
    cleanup_fd int bare = sys_open_tree(root, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    int number = errno;
    if (setns(home, CLONE_NEWNS) < 0)
        return error_errno(err, errno, "open root", NULL, "cannot come back to the own mount namespace");
    if (bare < 0)
        return error_errno(err, number, "open root", NULL, "cannot take the root of the process %u by itself",
                           (unsigned)options->pid);
    return fd_take(&bare);
}

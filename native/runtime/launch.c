/* The runtime's side of create and run: prepare, clone, serve init's requests, write the state; or undo
 * everything. */
#include "launch.h"

#include "channel.h"
#include "cleanup.h"
#include "hooks.h"
#include "intel_rdt.h"
#include "net_devices.h"
#include "notify.h"
#include "path.h"
#include "process.h"
#include "seccomp_agent.h"
#include "syscalls.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

int launch_open_proc(struct error *err) {
    int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_errno(err, errno, "proc", "/proc", "open /proc");
    if (path_fs_magic(fd) == PROC_SUPER_MAGIC)
        return fd;
    close(fd);
    return error_set(err, "failed_precondition", "proc", "/proc",
                     "/proc is not a procfs; the runtime needs one");
}

static int read_config(struct launch *l, struct error *err) {
    const char *name = l->options->config ? l->options->config : "config.json";
    cleanup_fd int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "read config", name, "open %s in bundle %s", name, l->bundle);
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)JSON_MAX_BYTES)
        return error_set(err, "invalid_argument", "read config", name, "%s is not a file of at most %u bytes",
                         name, JSON_MAX_BYTES);
    size_t size = (size_t)st.st_size;
    char *text = malloc(size + 1);
    l->config_text = malloc(size + 1);
    if (!text || !l->config_text) {
        free(text);
        return error_errno(err, ENOMEM, "read config", name, "read %s", name);
    }
    ssize_t got = read(fd, text, size);
    if (got != (ssize_t)size) {
        free(text);
        return error_errno(err, got < 0 ? errno : EIO, "read config", name, "read %s", name);
    }
    memcpy(l->config_text, text, size); /* parsing is done in place; the state directory gets the original */
    l->config_length = size;
    if (spec_parse(&l->spec, text, size, name, err) < 0) {
        free(text);
        return -1;
    }
    l->spec.doc.text = text;
    return 0;
}

static int enter_bundle(struct launch *l, struct error *err) {
    const char *bundle = l->options->bundle ? l->options->bundle : ".";
    if (chdir(bundle) < 0)
        return error_errno(err, errno, "bundle", bundle, "open bundle %s", bundle);
    if (!getcwd(l->bundle, sizeof(l->bundle)))
        return error_errno(err, errno, "bundle", bundle, "resolve bundle %s", bundle);
    return 0;
}

static int locate_rootfs(struct launch *l, struct error *err) {
    const char *path = l->spec.root_path;
    int length = path[0] == '/' ? snprintf(l->rootfs_path, sizeof(l->rootfs_path), "%s", path)
                                : snprintf(l->rootfs_path, sizeof(l->rootfs_path), "%s/%s", l->bundle, path);
    struct stat st;
    if (length < 0 || (size_t)length >= sizeof(l->rootfs_path))
        return error_errno(err, ENAMETOOLONG, "rootfs", path, "root.path");
    if (stat(l->rootfs_path, &st) < 0)
        return error_errno(err, errno, "rootfs", l->rootfs_path, "invalid rootfs: stat %s", l->rootfs_path);
    if (!S_ISDIR(st.st_mode))
        return error_errno(err, ENOTDIR, "rootfs", l->rootfs_path, "invalid rootfs: %s", l->rootfs_path);
    l->rootfs.path = l->rootfs_path;
    return 0;
}

/* A terminal needs somebody at its other end, and the other way round; the wording is runc's. */
static int check_terminal(const struct launch *l, struct error *err) {
    const struct launch_options *o = l->options;
    bool detached = !o->run || o->detach;
    if (!l->spec.has_process)
        return error_set(err, "invalid_argument", "read config", "config.json",
                         "config.json: process is missing");
    if (l->spec.process.terminal && detached && !o->console_socket)
        return error_set(err, "invalid_argument", "terminal", NULL,
                         "cannot allocate tty if runc will detach without setting console socket");
    if (o->console_socket && !(l->spec.process.terminal && detached))
        return error_set(err, "invalid_argument", "terminal", NULL,
                         "cannot use console socket if runc will not detach or allocate tty");
    return 0;
}

/* sysctls of a joined namespace would change the host if that namespace is the host's own (CVE class 16). */
static int check_joined_sysctls(const struct launch *l, struct error *err) {
    static const enum namespace_kind kinds[] = {NS_NETWORK, NS_IPC, NS_UTS};
    for (size_t i = 0; l->spec.sysctl_count && i < 3; i++) {
        struct stat own, joined;
        char path[40];
        snprintf(path, sizeof(path), "/proc/self/ns/%s", namespace_kinds[kinds[i]].proc_name);
        int fd = l->namespaces.join[kinds[i]];
        if (fd >= 0 && fstat(fd, &joined) == 0 && stat(path, &own) == 0 && own.st_ino == joined.st_ino)
            return error_set(err, "invalid_argument", "sysctl", NULL,
                             "sysctls are not allowed: the %s namespace is the host's",
                             namespace_kinds[kinds[i]].spec_name);
    }
    return 0;
}

static void fill_state(struct launch *l) {
    static char created[48];
    struct timespec now;
    struct tm utc;
    char seconds[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(created, sizeof(created), "%s.%09ldZ", seconds, now.tv_nsec);
    l->state = (struct state){
        .id = l->options->id,
        .oci_version = l->spec.oci_version,
        .bundle = l->bundle,
        .rootfs = l->rootfs_path,
        .created = created,
        .owner = geteuid() == 0 ? "root" : "",
        .annotations = l->spec.annotations,
        .cgroup_path = l->cgroup.path,
        .cgroup_version = l->cgroup.version,
        .own_pid_namespace = spec_has_new(&l->spec, NS_PID),
        .has_poststart = l->spec.hooks[HOOK_POSTSTART].count > 0,
        .has_poststop = l->spec.hooks[HOOK_POSTSTOP].count > 0,
    };
}

/* The socket on which init waits for `start`. bind(2) wants a short path: the directory's descriptor gives
 * one. */
static int open_listener(struct launch *l, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (l->options->run)
        return 0;
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STATE_START_SOCKET, l->state_fd);
    l->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (l->listener < 0 || bind(l->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(l->listener, 1) < 0)
        return error_errno(err, errno, "state", STATE_START_SOCKET, "listen on %s", STATE_START_SOCKET);
    return 0;
}

static int store_config(struct launch *l, struct error *err) {
    cleanup_fd int fd = openat(l->state_fd, STATE_CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, l->config_text, l->config_length) != (ssize_t)l->config_length)
        return error_errno(err, errno, "state", STATE_CONFIG, "store config.json");
    return 0;
}

static int find_cgroups(struct launch *l, struct error *err) {
    char path[4096];
    if (l->options->no_cgroups)
        return 0;
    if (cgroup_detect(&l->cgroup, err) < 0)
        return -1;
    if (!l->options->slices)
        return cgroup_set_path(&l->cgroup, l->spec.cgroups_path, l->options->id, err);
    if (cgroup_path_of_slice(l->spec.cgroups_path, path, sizeof(path), err) < 0)
        return -1;
    return cgroup_set_path(&l->cgroup, path, l->options->id, err);
}

/* Everything that can be refused is refused here, before a process exists. */
static int prepare(struct launch *l, struct error *err) {
    const struct launch_options *o = l->options;
    if (read_config(l, err) < 0 || locate_rootfs(l, err) < 0 || check_terminal(l, err) < 0 ||
        find_cgroups(l, err) < 0 || namespaces_open(&l->namespaces, &l->spec, err) < 0 ||
        check_joined_sysctls(l, err) < 0)
        return -1;
    l->proc_fd = launch_open_proc(err);
    if (l->proc_fd < 0)
        return -1;
    if (o->console_socket && (l->console = terminal_connect(o->console_socket, "console socket", err)) < 0)
        return -1;
    fill_state(l);
    l->state_fd = state_create(o->root, o->id, err);
    if (l->state_fd < 0)
        return -1;
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", o->root, o->id);
    if (o->listen_fds) {
        process_put_env(&l->spec.process, &l->spec.arena,
                        arena_printf(&l->spec.arena, "LISTEN_FDS=%d", o->listen_fds));
        process_put_env(&l->spec.process, &l->spec.arena, "LISTEN_PID=1");
    }
    if (notify_prepare(&l->spec, l->state_fd, path, err) < 0 || open_listener(l, err) < 0 ||
        store_config(l, err) < 0 || seccomp_filter_prepare(&l->seccomp, l->spec.seccomp, o->root, err) < 0)
        return -1;
    l->rootfs.spec = &l->spec;
    l->rootfs.fd = -1;
    l->rootfs.proc_fd = l->proc_fd;
    l->rootfs.cgroup = &l->cgroup;
    l->rootfs.new_userns = l->spec.namespaces[NS_USER].listed;
    l->rootfs.await_cgroups = init_await_cgroups;
    l->rootfs.await_context = l;
    l->rootfs.scratch_fd = l->state_fd;
    l->rootfs.userns_fd = l->namespaces.join[NS_USER];
    if (rootfs_open_sources(&l->rootfs, &l->spec.arena, err) < 0)
        return -1;
    return spec_has_new(&l->spec, NS_USER) ? 0 : rootfs_idmap_sources(&l->rootfs, 0, err);
}

static int run_runtime_hooks(struct launch *l, struct error *err) {
    l->hooks_ran = true;
    for (int kind = HOOK_PRESTART; kind <= HOOK_CREATE_RUNTIME; kind++)
        if (hooks_run(&l->spec.hooks[kind], hook_names[kind], &l->state, STATUS_CREATING, environ, err) < 0)
            return -1;
    return 0;
}

static int answer(struct launch *l, enum message_kind kind, struct error *err) {
    if (channel_send(l->channel[0], kind, 0, -1) < 0)
        return error_errno(err, errno, "start", NULL, "answer the container's init process");
    return 0;
}

/* Serves init until it is ready. */
static int serve(struct launch *l, struct error *err) {
    for (;;) {
        struct message message;
        cleanup_fd int passed = -1;
        if (channel_receive(l->channel[0], &message, &passed, err) < 0)
            return -1;
        switch (message.kind) {
        case MESSAGE_READY:
            return 0;
        case MESSAGE_HOOKS:
            if (run_runtime_hooks(l, err) < 0 || answer(l, MESSAGE_CONTINUE, err) < 0)
                return -1;
            break;
        case MESSAGE_LIMITS:
            if (process_set_limits(&l->spec.process, l->pid, err) < 0 || answer(l, MESSAGE_CONTINUE, err) < 0)
                return -1;
            break;
        case MESSAGE_CONSOLE:
            l->master = fd_take(&passed);
            break;
        case MESSAGE_SECCOMP:
            if (seccomp_agent_send(&l->seccomp, &l->state, l->pid, passed, err) < 0 ||
                answer(l, MESSAGE_CONTINUE, err) < 0)
                return -1;
            break;
        default:
            return error_set(err, "internal", "start", NULL, "unexpected message %d from init", message.kind);
        }
    }
}

/*
 * Without privileges, and unless a path was asked for, a container may go without control groups of its own:
 * where none have been delegated there is nothing else (runc's rootless mode does the same).
 */
static int make_cgroups(struct launch *l, struct error *err) {
    if (cgroup_create(&l->cgroup, err) == 0)
        return cgroup_apply(&l->cgroup, l->spec.resources, false, err);
    bool refused = err->number == EACCES || err->number == EPERM || err->number == EROFS;
    if (geteuid() == 0 || !refused || (l->spec.cgroups_path && *l->spec.cgroups_path))
        return -1;
    l->cgroup = (struct cgroup){0};
    l->state.cgroup_version = 0;
    *err = (struct error){0};
    return 0;
}

/* v1: init steps in by itself, through these descriptors. v2: it was born inside, unless a go-between bore
 * it. */
static int admit_to_cgroups(struct launch *l, struct error *err) {
    int tasks[CGROUP_HIERARCHIES_MAX];
    size_t count;
    if (!l->born_in_cgroup && cgroup_join(&l->cgroup, l->pid, err) < 0)
        return -1;
    int result = cgroup_open_tasks(&l->cgroup, &(struct cgroup_names){0}, tasks, &count, err);
    if (result == 0 && channel_send_fds(l->channel[0], MESSAGE_CGROUPED, tasks, count) < 0)
        result = error_errno(err, errno, "start", NULL, "answer the container's init process");
    for (size_t i = 0; i < count; i++)
        close(tasks[i]);
    return result;
}

/* What init waits for, in the order in which it comes to need it. */
static int equip(struct launch *l, struct error *err) {
    if (spec_has_new(&l->spec, NS_USER)) {
        if (namespaces_write_maps(&l->spec.maps, l->proc_fd, l->pid, err) < 0 ||
            rootfs_idmap_sources(&l->rootfs, l->pid, err) < 0 || answer(l, MESSAGE_MAPPED, err) < 0)
            return -1;
    }
    if (process_set_oom_score(&l->spec.process, l->proc_fd, l->pid, err) < 0 ||
        (l->cgroup.version == 1 && make_cgroups(l, err) < 0))
        return -1;
    if (net_devices_move(&l->spec, l->proc_fd, l->pid, err) < 0)
        return -1;
    char *class = NULL;
    int result = intel_rdt_apply(l->spec.intel_rdt, l->options->id, l->pid, &class, err);
    l->state.intel_rdt = class;
    return result < 0 ? -1 : admit_to_cgroups(l, err);
}

int launch_write_pid_file(const char *path, pid_t pid, struct error *err) {
    char temporary[4200], text[16];
    const char *slash = strrchr(path, '/');
    int directory = slash ? (int)(slash + 1 - path) : 0;
    if ((size_t)snprintf(temporary, sizeof(temporary), "%.*s.%s.%d", directory, path, path + directory,
                         getpid()) >= sizeof(temporary))
        return error_errno(err, ENAMETOOLONG, "pid file", path, "write pid file %s", path);
    int length = snprintf(text, sizeof(text), "%d", pid);
    cleanup_fd int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, text, (size_t)length) != length || rename(temporary, path) < 0) {
        int number = errno;
        if (fd >= 0)
            unlink(temporary);
        return error_errno(err, number, "pid file", path, "write pid file %s", path);
    }
    return 0;
}

int launch_send_pidfd(const char *socket_path, int pidfd, struct error *err) {
    cleanup_fd int fd = terminal_connect(socket_path, "pidfd socket", err);
    if (fd < 0)
        return -1;
    if (channel_pass_fd(fd, pidfd, "pidfd", 5) < 0)
        return error_errno(err, errno, "pidfd socket", socket_path, "send the pidfd to %s", socket_path);
    return 0;
}

static int record(struct launch *l, struct error *err) {
    const struct launch_options *o = l->options;
    if (o->pidfd_socket && launch_send_pidfd(o->pidfd_socket, l->pidfd, err) < 0)
        return -1;
    if (state_write(l->state_fd, &l->state, err) < 0)
        return -1;
    return o->pid_file ? launch_write_pid_file(o->pid_file, l->pid, err) : 0;
}

/* `run`: init is told to go on; the end of the channel means that execve has closed it. */
static int start_at_once(struct launch *l, struct error *err) {
    struct message message;
    l->notify = notify_bind(l->state_fd, err);
    if (l->notify < 0 && err->code)
        return -1;
    if (answer(l, MESSAGE_START, err) < 0 || channel_next(l->channel[0], &message, NULL, err) < 0)
        return -1;
    return hooks_run(&l->spec.hooks[HOOK_POSTSTART], hook_names[HOOK_POSTSTART], &l->state, STATUS_RUNNING,
                     environ, err);
}

static int bring_up(struct launch *l, struct error *err) {
    /* On v2 init is born in its cgroup, so that must be there; v1's many are made while init is busy with its
     * mounts. */
    if (l->cgroup.version == 1)
        cgroup_create_unified(&l->cgroup);
    if ((l->cgroup.version == 2 && make_cgroups(l, err) < 0) || launch_clone(l, err) < 0)
        return -1;
    l->state.pid = l->pid;
    l->state.start_time = state_start_time(l->pid);
    if (equip(l, err) < 0) {
        /* If all we know is that init is gone, the reason is in the message it has left. */
        if (err->number == ESRCH || err->number == EPIPE)
            serve(l, err);
        return -1;
    }
    if (serve(l, err) < 0)
        return -1;
    if (l->rootfs.scratch_devices)
        state_remove_devices(l->state_fd);
    if (record(l, err) < 0)
        return -1;
    return l->options->run ? start_at_once(l, err) : 0;
}

static void undo(struct launch *l) {
    struct error ignored;
    if (l->pid > 0) {
        sys_pidfd_send_signal(l->pidfd, SIGKILL);
        while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        if (!l->state.own_pid_namespace && l->cgroup.version)
            cgroup_kill(&l->cgroup, SIGKILL, &ignored);
    }
    if (l->hooks_ran)
        hooks_run_poststop(&l->spec.hooks[HOOK_POSTSTOP], &l->state);
    cgroup_undo(&l->cgroup);
    if (l->state.intel_rdt)
        intel_rdt_remove(l->state.intel_rdt, &ignored);
    if (l->state_fd >= 0)
        state_remove(l->options->root, l->options->id, l->state_fd, &ignored);
}

int launch_container(struct launch *l, const struct launch_options *options, struct error *err) {
    *l = (struct launch){
        .options = options,
        .state_fd = -1,
        .proc_fd = -1,
        .channel = {-1, -1},
        .listener = -1,
        .console = -1,
        .pidfd = -1,
        .master = -1,
        .notify = -1,
    };
    for (int kind = 0; kind < NS_COUNT; kind++)
        l->namespaces.join[kind] = -1;
    if (state_check_id(options->id, err) < 0 || enter_bundle(l, err) < 0)
        return -1;
    if (prepare(l, err) == 0 && bring_up(l, err) == 0)
        return 0;
    undo(l);
    return -1;
}

void launch_free(struct launch *l) {
    int *fds[] = {&l->state_fd, &l->proc_fd, &l->channel[0], &l->channel[1], &l->listener,
                  &l->console,  &l->pidfd,   &l->master,     &l->notify};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        fd_close(fds[i]);
    cgroup_close(&l->cgroup);
    namespaces_close(&l->namespaces);
    seccomp_filter_free(&l->seccomp);
    spec_free(&l->spec);
    free(l->config_text);
    free((char *)l->state.intel_rdt);
}

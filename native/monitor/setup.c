/*
 * The set-up as one ordered list of steps; each has an undo, and a failing step undoes those before it in
 * reverse order.
 *
 * The order: what can fail without the runtime comes first. The process exists after "create" (the runtime's
 * init waits), so its network namespace can be furnished; it runs after "start".
 */
#include "setup.h"

#include "child_stdio.h"
#include "cleanup.h"
#include "fault.h"
#include "mounts.h"
#include "network.h"
#include "ports.h"
#include "trace.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

struct setup {
    const struct document *doc;
    struct monitor *m;
    struct ending *ending;
    struct child_stdio child;
    struct runtime runtime;
    char pid_path[4096], log_path[4096];
    int exit_status;
    struct error *err;
};

static int open_directory(const char *path, const char *what, struct error *err) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? error_errno(err, errno, "open", path, "open %s %s", what, path) : fd;
}

static int do_directories(struct setup *s) {
    struct monitor *m = s->m;
    m->run_dir_fd = open_directory(s->doc->run_dir, "runDir", s->err);
    m->state_dir_fd = m->run_dir_fd < 0 ? -1 : open_directory(s->doc->state_dir, "stateDir", s->err);
    snprintf(s->pid_path, sizeof(s->pid_path), "%s/init.pid", s->doc->run_dir);
    snprintf(s->log_path, sizeof(s->log_path), "%s/runtime.log", s->doc->run_dir);
    return m->state_dir_fd < 0 ? -1 : 0;
}

static void undo_directories(struct setup *s) {
    fd_close(&s->m->run_dir_fd);
    fd_close(&s->m->state_dir_fd);
}

static int do_runtime(struct setup *s) {
    if (runtime_open(&s->runtime, s->doc->runtime_path, s->err) < 0)
        return -1;
    s->runtime.root = s->doc->runtime_root;
    s->runtime.log_path = s->log_path;
    s->runtime.args = s->doc->runtime_args;
    s->runtime.arg_count = s->doc->runtime_arg_count;
    if (!ending_prepare(s->ending, s->doc, &s->runtime))
        return error_errno(s->err, ENOMEM, "prepare", "", "prepare the end");
    return 0;
}

static int do_keeping(struct setup *s) {
    struct monitor *m = s->m;
    const struct document *doc = s->doc;
    sigset_t mask;
    m->cols = doc->cols;
    m->rows = doc->rows;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    m->signals.fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (!loop_init(&m->loop) || m->signals.fd < 0)
        return error_errno(s->err, errno, "loop", "", "create the event loop");
    void *scratch = mmap(NULL, IO_CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (scratch == MAP_FAILED)
        return error_errno(s->err, errno, "loop", "", "reserve memory");
    m->scratch = scratch;
    if (!ring_init(&m->ring, doc->replay_bytes))
        return error_errno(s->err, ENOMEM, "replay", "", "reserve %u bytes for replay", doc->replay_bytes);
    return log_open(&m->log, doc->log_dir, doc->log_max_size, doc->log_max_files, s->err);
}

static void undo_keeping(struct setup *s) {
    log_close(&s->m->log);
    ring_free(&s->m->ring);
    munmap(s->m->scratch, IO_CHUNK);
    fd_close(&s->m->signals.fd);
    fd_close(&s->m->loop.epoll_fd);
}

static int do_attach(struct setup *s) {
    return attach_listen(s->m, s->err);
}

static void undo_attach(struct setup *s) {
    attach_close(s->m);
}

static int do_namespace(struct setup *s) {
    return s->doc->exec ? 0 : mounts_unshare(s->doc, s->err);
}

static int do_mounts(struct setup *s) {
    return mounts_apply(s->doc, s->err);
}

static int do_ports(struct setup *s) {
    return ports_reserve(s->m, s->doc, s->err);
}

static void undo_ports(struct setup *s) {
    ports_close(s->m);
}

static int do_stdio(struct setup *s) {
    if (stdio_open(s->m, s->doc, &s->child, s->err) == 0)
        return 0;
    stdio_close_child(&s->child);
    stdio_close(s->m);
    return -1;
}

static void undo_stdio(struct setup *s) {
    stdio_close_child(&s->child);
    stdio_close(s->m);
}

static int read_pid(struct setup *s) {
    char text[32];
    cleanup_fd int fd = open(s->pid_path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (got <= 0)
        return error_set(s->err, "internal", "create", s->pid_path, "the runtime has written no pid to %s",
                         s->pid_path);
    text[got] = '\0';
    s->m->pid = (pid_t)strtol(text, NULL, 10);
    s->m->pidfd = (int)syscall(SYS_pidfd_open, s->m->pid, 0);
    if (s->m->pid <= 0 || s->m->pidfd < 0)
        return error_errno(s->err, errno, "create", s->pid_path, "find process %s", text);
    process_start_time(s->m->pid, s->m->start_time);
    return 0;
}

/* We are the sub-reaper: what is left of the process comes to us. Bounded, lest a stuck one hold the answer.
 */
static void reap_all(void) {
    struct timespec patience = {.tv_sec = 5};
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) >= 0;)
        if (pid == 0 && sigtimedwait(&mask, NULL, &patience) < 0 && errno == EAGAIN)
            return;
}

static void remove_container(struct setup *s) {
    static const int no_stdio[3] = {-1, -1, -1};
    const char *verb[] = {"delete", "--force", s->doc->id, NULL};
    struct error ignored; /* the first error is the one to tell */
    s->runtime.reap_others = true;
    if (!s->doc->exec)
        runtime_call(&s->runtime, verb, no_stdio, NULL, &ignored);
    if (s->m->pidfd >= 0) /* an exec's process; a container's is dead by now, or the runtime has failed */
        syscall(SYS_pidfd_send_signal, s->m->pidfd, SIGKILL, NULL, 0);
    reap_all();
    unlink(s->pid_path);
    fd_close(&s->m->pidfd);
}

/* "create" of a container; of an exec this already starts the process. */
static int do_create(struct setup *s) {
    const struct document *doc = s->doc;
    const char *verb[16];
    size_t n = 0;
    verb[n++] = doc->exec ? "exec" : "create";
    if (doc->exec) {
        verb[n++] = "--detach";
        verb[n++] = "--process";
        verb[n++] = doc->process_file;
    } else {
        verb[n++] = "--bundle";
        verb[n++] = doc->bundle;
    }
    verb[n++] = "--pid-file";
    verb[n++] = s->pid_path;
    if (doc->terminal) {
        verb[n++] = "--console-socket";
        verb[n++] = s->child.console_path;
    }
    verb[n++] = doc->container_id;
    verb[n] = NULL;
    unlink(s->pid_path);
    if (runtime_call(&s->runtime, verb, s->child.fds, &s->exit_status, s->err) < 0)
        return -1;
    if (read_pid(s) == 0 && stdio_receive_terminal(s->m, &s->child, s->err) == 0) {
        stdio_close_child(&s->child);
        return 0;
    }
    remove_container(s);
    return -1;
}

static void undo_create(struct setup *s) {
    remove_container(s);
}

static int do_network(struct setup *s) {
    return s->doc->exec ? 0 : network_attach(s->doc, s->m->pid, s->err);
}

static void undo_network(struct setup *s) {
    network_detach(s->ending->links, s->ending->link_count);
}

static int do_start(struct setup *s) {
    static const int no_stdio[3] = {-1, -1, -1};
    const char *verb[] = {"start", s->doc->id, NULL};
    struct timespec now;
    if (!s->doc->exec) {
        oom_open(s->m, s->doc->cgroup);
        if (runtime_call(&s->runtime, verb, no_stdio, &s->exit_status, s->err) < 0) {
            oom_close(s->m);
            return -1;
        }
    } else {
        oom_open(s->m, NULL);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    format_timestamp(&now, s->m->started_at);
    return 0;
}

static void undo_start(struct setup *s) {
    oom_close(s->m);
}

static int do_record(struct setup *s) {
    for (size_t i = 0; i < s->doc->attach_fd_count; i++)
        client_add(s->m, s->doc->attach_fds[i], true);
    if (ending_write_monitor_json(s->m, s->err) == 0)
        return 0;
    clients_drop_all(s->m);
    clients_free_gone(s->m);
    return -1;
}

static void undo_record(struct setup *s) {
    clients_drop_all(s->m);
    clients_free_gone(s->m);
    unlinkat(s->m->run_dir_fd, "monitor.json", 0);
}

static int do_nothing(struct setup *s) {
    (void)s;
    return 0;
}

static const struct step {
    const char *name;
    int (*run)(struct setup *s);
    void (*undo)(struct setup *s);
} steps[] = {
    {"directories", do_directories, undo_directories},
    {"runtime", do_runtime, NULL},
    {"keeping", do_keeping, undo_keeping},
    {"attach", do_attach, undo_attach},
    {"namespace", do_namespace, NULL},
    {"mounts", do_mounts, NULL}, /* gone with our mount namespace, that is with us */
    {"ports", do_ports, undo_ports},
    {"stdio", do_stdio, undo_stdio},
    {"create", do_create, undo_create},
    {"network", do_network, undo_network},
    {"start", do_start, undo_start},
    {"record", do_record, undo_record},
    {"answer", do_nothing, NULL}, /* nothing can fail any more; the tests let it (fault.h) */
};

int setup_run(struct monitor *m, struct ending *ending, const struct document *doc, int *exit_status,
              struct error *err) {
    struct setup s = {.doc = doc, .m = m, .ending = ending, .err = err};
    size_t count = sizeof(steps) / sizeof(steps[0]);
    m->run_dir_fd = m->state_dir_fd = m->pidfd = m->listener.fd = m->signals.fd = m->loop.epoll_fd = -1;
    m->log.dir_fd = m->log.file_fd = -1;
    for (size_t i = 0; i < count; i++) {
        if (fault_at(steps[i].name))
            error_set(err, "internal", steps[i].name, "", "injected fault before %s", steps[i].name);
        else if (steps[i].run(&s) == 0) {
            trace_step(steps[i].name);
            continue;
        }
        while (i-- > 0)
            if (steps[i].undo)
                steps[i].undo(&s);
        *exit_status = s.exit_status;
        return -1;
    }
    return 0;
}

/*
 * berth-monitor: the parent of one process, a container's first or one more (exec).
 *
 * Three processes. The caller's child (A) reads nothing: it forks the monitor (B) and waits for one byte from
 * it, so that it exits exactly when the answer has been written. B, in its own session, reads the document,
 * sets everything up through short-lived calls of the OCI runtime (C…), answers, and stays until the process
 * has ended. native/README.md has the document, the answer, the frames and the files.
 *
 * SIGTERM, SIGINT and SIGHUP do not end a monitor: its process would lose its output and its exit status. To
 * end it, end the process. SIGKILL leaves the process running with broken pipes (its next write meets EPIPE,
 * or EIO of a hung-up terminal) and without a parent; the agent notices the closed sockets and finds it again
 * by runDir/monitor.json, runDir/init.pid and the cgroup.
 */
#include "cleanup.h"
#include "ending.h"
#include "setup.h"
#include "trace.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct monitor monitor;
static struct ending ending;

/* {"ok":true,…} or {"ok":false,…}; nobody reading it (EPIPE) changes nothing: monitor.json tells the same. */
static void answer_success(const struct monitor *m) {
    dprintf(1, "{\"ok\":true,\"monitorPid\":%d,\"pid\":%d,\"startTime\":\"%s\",\"startedAt\":\"%s\"}\n",
            (int)getpid(), (int)m->pid, m->start_time, m->started_at);
}

static void answer_failure(const struct error *err, int exit_status) {
    struct json_writer w;
    json_writer_init(&w, 0);
    json_begin_object(&w);
    json_member_bool(&w, "ok", false);
    json_member_string(&w, "step", err->step);
    json_member_string(&w, "path", err->path);
    json_member_string(&w, "code", err->code ? err->code : "internal");
    json_member_string(&w, "message", err->message);
    if (exit_status)
        json_member_int(&w, "exitStatus", exit_status);
    json_end_object(&w);
    json_newline(&w);
    if (!w.failed && write(1, w.data, w.length) < 0)
        return; /* nobody is reading any more */
    json_writer_free(&w);
}

/* Standard descriptors on /dev/null: the answer's pipe must reach its end. */
static void detach_stdio(void) {
    cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        dup2(null, fd);
}

/* What we set for ourselves; runtime_call puts it back for its children. */
static void prepare_process(void) {
    sigset_t mask;
    static const int ignored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM};
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    umask(022);
    if (chdir("/") < 0)
        return; /* "/" always exists */
}

static bool is_attach_fd(const struct document *doc, int fd) {
    for (size_t i = 0; i < doc->attach_fd_count; i++)
        if (doc->attach_fds[i] == fd)
            return true;
    return false;
}

/*
 * Checks the attach descriptors, and closes what else the caller may have let us inherit: a monitor lives
 * long, and would keep it open. What stays is not passed on to the runtime.
 */
static int adopt_descriptors(const struct document *doc, int done, struct error *err) {
    int highest = done > trace_descriptor() ? done : trace_descriptor();
    for (size_t i = 0; i < doc->attach_fd_count; i++) {
        int fd = doc->attach_fds[i];
        struct stat st;
        if (fd == done || fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode))
            return error_set(err, "invalid_argument", "document", "",
                             "monitor document: \"attachFds\": descriptor %d is not a connected socket", fd);
        highest = fd > highest ? fd : highest;
    }
    for (int fd = 3; fd < highest; fd++)
        if (fd != done && fd != trace_descriptor() && !is_attach_fd(doc, fd))
            close(fd);
    for (size_t i = 0; i < doc->attach_fd_count; i++)
        fcntl(doc->attach_fds[i], F_SETFD, FD_CLOEXEC);
    syscall(SYS_close_range, (unsigned)highest + 1, ~0u, 0);
    return 0;
}

static void protect_from_oom(void) {
    /* Best effort: without CAP_SYS_RESOURCE the kernel refuses to go below what we have inherited. */
    cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "-999", 4) < 0)
        return;
}

/* B. Returns its exit status; `done` is written to when A may exit. */
static int run_monitor(int done) {
    struct document doc = {0};
    struct error err = {0};
    int exit_status = 0;
    unsigned char ok = 0, failed = 1;
    prepare_process();
    if (document_read(&doc, 0, &err) < 0 || adopt_descriptors(&doc, done, &err) < 0 ||
        setup_run(&monitor, &ending, &doc, &exit_status, &err) < 0) {
        document_free(&doc);
        answer_failure(&err, exit_status);
        return write(done, &failed, 1) == 1 ? 1 : 2;
    }
    document_free(&doc);
    answer_success(&monitor);
    trace_step("answer");
    if (write(done, &ok, 1) < 0)
        trace_stop(); /* A was killed: stay all the same, see answer_success */
    fd_close(&done);
    detach_stdio();
    protect_from_oom();
    trim_environment();
    stay_until_exit(&monitor);
    ending_run(&ending, &monitor);
    return 0;
}

/* A. */
static int wait_for_answer(int done) {
    static const char died[] = "{\"ok\":false,\"step\":\"monitor\",\"path\":\"\",\"code\":\"internal\","
                               "\"message\":\"the monitor ended before it could answer\"}\n";
    unsigned char status;
    ssize_t got;
    while ((got = read(done, &status, 1)) < 0 && errno == EINTR)
        continue;
    if (got == 1)
        return status;
    return write(1, died, sizeof(died) - 1) > 0 ? 1 : 2;
}

int main(int argc, char **argv) {
    int done[2];
    if (getenv("BERTH_MONITOR_TRACE"))
        trace_start(getenv("BERTH_MONITOR_TRACE"));
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            trace_start(NULL);
        } else {
            dprintf(2, "usage: berth-monitor [--trace] < document\n");
            return 2;
        }
    }
    if (pipe2(done, O_CLOEXEC) < 0)
        return 2;
    pid_t child = fork();
    if (child < 0)
        return 2;
    if (child == 0) {
        close(done[0]);
        return run_monitor(done[1]);
    }
    close(done[1]);
    return wait_for_answer(done[0]);
}

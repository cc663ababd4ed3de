#include "hooks.h"

#include "cleanup.h"
#include "log.h"
#include "syscalls.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static int hook_error(const struct hook_spec *hook, const char *kind, int number, const char *what,
                      struct error *err) {
    return error_errno(err, number, "hooks", hook->path, "error running %s %s: %s", kind, hook->path, what);
}

/* In the hook's process: state on stdin, output into the pipe, a clean set of signals and descriptors. */
static void run_child(const struct hook_spec *hook, int input, int output, char **env) {
    char *only_path[] = {(char *)hook->path, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        _exit(126);
    sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    execve(hook->path, hook->args && hook->args[0] ? hook->args : only_path, hook->env ? hook->env : env);
    dprintf(2, "%s", strerror(errno));
    _exit(127);
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* True once the process is a zombie: it is left for waitpid. */
static bool has_ended(pid_t pid) {
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/*
 * Keeps the first part of what the hook wrote until it exits or its time is up. Returns false on timeout.
 * Without a pidfd (-1) the end is looked for every few milliseconds.
 */
static bool await(pid_t pid, int pidfd, int output, int timeout_s, char *text, size_t room) {
    int64_t deadline = timeout_s ? now_ms() + timeout_s * 1000LL : 0;
    struct pollfd fds[2] = {{.fd = output, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    size_t used = 0;
    for (;;) {
        int64_t left = deadline ? deadline - now_ms() : -1;
        if (deadline && left <= 0)
            return false;
        if (pidfd < 0 && (left < 0 || left > 5))
            left = 5;
        if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
            return false;
        bool ended = pidfd < 0 ? has_ended(pid) : fds[1].revents != 0;
        char chunk[1024];
        ssize_t got = fds[0].revents ? read(output, chunk, sizeof(chunk)) : 0;
        for (ssize_t i = 0; i < got; i++)
            if (used < room - 1)
                text[used++] = chunk[i];
        text[used] = '\0';
        if (fds[0].revents && got <= 0)
            fds[0].fd = -1;
        /* A hook may leave a daemon behind that keeps the pipe open: its own end is what counts. */
        if (ended && got <= 0)
            return true;
    }
}

/*
 * startContainer hooks run under the container's seccomp filter, which often refuses clone3 (its flags cannot
 * be looked at): then fork, and a pidfd if that is allowed.
 */
static pid_t bear(int *pidfd) {
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = SIGCHLD};
    pid_t pid = sys_clone3(&args);
    if (pid >= 0 || (errno != ENOSYS && errno != EPERM))
        return pid;
    pid = fork();
    if (pid > 0)
        *pidfd = sys_pidfd_open(pid);
    return pid;
}

static int run_one(const struct hook_spec *hook, const char *kind, int document, char **env,
                   struct error *err) {
    char text[600] = "";
    int ends[2], status = 0, pidfd = -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return hook_error(hook, kind, errno, "pipe", err);
    cleanup_fd int output = ends[0];
    fcntl(output, F_SETFL, O_NONBLOCK);
    pid_t pid = bear(&pidfd);
    if (pid == 0)
        run_child(hook, document, ends[1], env);
    close(ends[1]);
    if (pid < 0)
        return hook_error(hook, kind, errno, "fork", err);
    cleanup_fd int owned = pidfd;
    bool ended = await(pid, pidfd, output, hook->timeout_s, text, sizeof(text));
    if (!ended)
        kill(pid, SIGKILL); /* our child, not waited for yet: the pid is certainly its own */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        return error_set(err, "unavailable", "hooks", hook->path, "error running %s %s: timed out after %d s",
                         kind, hook->path, hook->timeout_s);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return error_set(err, "failed_precondition", "hooks", hook->path,
                         "error running %s error running hook %s: exit status %d, output: %s", kind,
                         hook->path, WEXITSTATUS(status), text);
    char signal_name[64];
    snprintf(signal_name, sizeof(signal_name), "%s", strsignal(WTERMSIG(status)));
    signal_name[0] = (char)tolower((unsigned char)signal_name[0]);
    return error_set(err, "failed_precondition", "hooks", hook->path,
                     "error running %s error running hook %s: signal: %s, output: %s", kind, hook->path,
                     signal_name, text);
}

/* The state document as a file that every hook reads from its beginning. */
static int make_document(const struct state *state, enum status status, struct error *err) {
    struct json_writer w;
    json_writer_init(&w, 0);
    state_document(state, status, false, &w);
    int fd = memfd_create("state", MFD_CLOEXEC);
    bool written = fd >= 0 && !w.failed && write(fd, w.data, w.length) == (ssize_t)w.length;
    int number = errno;
    json_writer_free(&w);
    if (written)
        return fd;
    fd_close(&fd);
    return error_errno(err, number, "hooks", NULL, "write the state document for the hooks");
}

static int run_numbered(const struct hooks_spec *hooks, size_t number, const char *kind, int document,
                        char **env, struct error *err) {
    char label[64]; /* runc's wording, counted from 0, which its users look for */
    snprintf(label, sizeof(label), "%s hook #%zu:", kind, number);
    if (lseek(document, 0, SEEK_SET) < 0)
        return hook_error(&hooks->items[number], label, errno, "rewind state", err);
    return run_one(&hooks->items[number], label, document, env, err);
}

int hooks_run(const struct hooks_spec *hooks, const char *kind, const struct state *state, enum status status,
              char **env, struct error *err) {
    if (!hooks->count)
        return 0;
    cleanup_fd int document = make_document(state, status, err);
    if (document < 0)
        return -1;
    for (size_t i = 0; i < hooks->count; i++)
        if (run_numbered(hooks, i, kind, document, env, err) < 0)
            return -1;
    return 0;
}

void hooks_run_poststop(const struct hooks_spec *hooks, const struct state *state) {
    struct error err;
    if (!hooks->count)
        return;
    cleanup_fd int document = make_document(state, STATUS_STOPPED, &err);
    if (document < 0)
        log_message(LOG_WARNING, "%s", err.message);
    for (size_t i = 0; document >= 0 && i < hooks->count; i++)
        if (run_numbered(hooks, i, hook_names[HOOK_POSTSTOP], document, environ, &err) < 0)
            log_message(LOG_WARNING, "%s", err.message);
}

#include "hooks.h"

#include "cleanup.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
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
static void run_child(const struct hook_spec *hook, int input, int output) {
    static char *no_env[] = {NULL};
    char *only_path[] = {(char *)hook->path, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        _exit(126);
    sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    execve(hook->path, hook->args && hook->args[0] ? hook->args : only_path, hook->env ? hook->env : no_env);
    dprintf(2, "%s", strerror(errno));
    _exit(127);
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Keeps the last part of what the hook wrote until it exits or its time is up. Returns false on timeout. */
static bool await(int pidfd, int output, int timeout_s, char *text, size_t room) {
    int64_t deadline = timeout_s ? now_ms() + timeout_s * 1000LL : 0;
    struct pollfd fds[2] = {{.fd = output, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    size_t used = 0;
    for (;;) {
        int64_t left = deadline ? deadline - now_ms() : -1;
        if (deadline && left <= 0)
            return false;
        if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
            return false;
        char chunk[1024];
        ssize_t got = fds[0].revents ? read(output, chunk, sizeof(chunk)) : 0;
        for (ssize_t i = 0; i < got; i++)
            if (used < room - 1)
                text[used++] = chunk[i];
        text[used] = '\0';
        if (fds[0].revents && got <= 0)
            fds[0].fd = -1;
        /* A hook may leave a daemon behind that keeps the pipe open: its own end is what counts. */
        if (fds[1].revents && got <= 0)
            return true;
    }
}

static int run_one(const struct hook_spec *hook, const char *kind, int document, struct error *err) {
    char text[600] = "";
    int ends[2], status = 0, pidfd = -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return hook_error(hook, kind, errno, "pipe", err);
    cleanup_fd int output = ends[0];
    fcntl(output, F_SETFL, O_NONBLOCK);
    struct clone_args args = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD};
    int pid = sys_clone3(&args);
    if (pid == 0)
        run_child(hook, document, ends[1]);
    close(ends[1]);
    if (pid < 0)
        return hook_error(hook, kind, errno, "fork", err);
    cleanup_fd int owned = pidfd;
    bool ended = await(pidfd, output, hook->timeout_s, text, sizeof(text));
    if (!ended)
        sys_pidfd_send_signal(pidfd, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!ended)
        return error_set(err, "unavailable", "hooks", hook->path, "error running %s %s: timed out after %d s",
                         kind, hook->path, hook->timeout_s);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return error_set(err, "failed_precondition", "hooks", hook->path,
                     "error running %s %s: %s %d, output: %s", kind, hook->path,
                     WIFEXITED(status) ? "exit status" : "killed by signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), text);
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

int hooks_run(const struct hooks_spec *hooks, const char *kind, const struct state *state, enum status status,
              struct error *err) {
    if (!hooks->count)
        return 0;
    cleanup_fd int document = make_document(state, status, err);
    if (document < 0)
        return -1;
    for (size_t i = 0; i < hooks->count; i++) {
        char label[64]; /* runc's wording, which its users look for */
        snprintf(label, sizeof(label), "%s hook #%zu:", kind, i + 1);
        if (lseek(document, 0, SEEK_SET) < 0)
            return hook_error(&hooks->items[i], label, errno, "rewind state", err);
        if (run_one(&hooks->items[i], label, document, err) < 0)
            return -1;
    }
    return 0;
}

#include "foreground.h"

#include "cleanup.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

struct foreground {
    int signals, pidfd, master;
    pid_t pid;
    bool ended;
    int status;
};

int foreground_begin(int subreaper, struct error *err) {
    sigset_t all;
    sigfillset(&all);
    /* Faults must hit us, not a queue. */
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTRAP};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&all, faults[i]);
    if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return error_errno(err, errno, "foreground", NULL, "become a subreaper");
    sigprocmask(SIG_SETMASK, &all, NULL);
    int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : error_errno(err, errno, "foreground", NULL, "collect signals");
}

static void reap(struct foreground *f) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == f->pid) {
            f->ended = true;
            f->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
}

static void copy_size(const struct foreground *f) {
    struct winsize size;
    if (f->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(f->master, TIOCSWINSZ, &size);
}

static void take_signals(struct foreground *f) {
    struct signalfd_siginfo info;
    while (read(f->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        int number = (int)info.ssi_signo;
        if (number == SIGWINCH && f->master >= 0)
            copy_size(f);
        else if (number != SIGCHLD && number != SIGURG && number != SIGPIPE && number != SIGTTIN &&
                 number != SIGTTOU)
            sys_pidfd_send_signal(f->pidfd, number);
    }
    reap(f); /* one SIGCHLD may stand for several children */
}

static void write_all(int fd, const char *data, ssize_t length) {
    while (length > 0) {
        ssize_t wrote = write(fd, data, (size_t)length);
        if (wrote < 0 && errno != EINTR)
            return;
        if (wrote > 0) {
            data += wrote;
            length -= wrote;
        }
    }
}

/* Copies what has arrived; a side that has ended is not polled any more. */
static void copy(struct pollfd *from, int to) {
    char buffer[8192];
    if (!from->revents)
        return;
    ssize_t got = read(from->fd, buffer, sizeof(buffer));
    if (got > 0)
        write_all(to, buffer, got);
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        from->fd = -1;
}

static void loop(struct foreground *f) {
    struct pollfd fds[3] = {{.fd = f->signals, .events = POLLIN},
                            {.fd = f->master, .events = POLLIN},
                            {.fd = f->master >= 0 ? STDIN_FILENO : -1, .events = POLLIN}};
    for (;;) {
        /* When the process has ended, what it wrote last is still in the terminal: read until that is empty.
         */
        int ready = poll(fds, 3, f->ended ? 0 : -1);
        if (ready < 0 && errno != EINTR)
            return;
        if (f->ended && (ready <= 0 || !fds[1].revents))
            return;
        if (fds[0].revents)
            take_signals(f);
        copy(&fds[1], STDOUT_FILENO);
        copy(&fds[2], f->master);
    }
}

int foreground_wait(int signals, pid_t pid, int pidfd, int master, struct error *err) {
    struct termios saved, raw;
    struct foreground f = {.signals = signals, .pidfd = pidfd, .master = master, .pid = pid};
    bool restore = master >= 0 && tcgetattr(STDIN_FILENO, &saved) == 0;
    if (restore) {
        raw = saved;
        cfmakeraw(&raw);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
        copy_size(&f);
    }
    reap(&f);
    loop(&f);
    if (restore)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    if (!f.ended)
        return error_errno(err, errno, "foreground", NULL, "wait for the process");
    return f.status;
}

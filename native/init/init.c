/*
 * berth-init: PID 1 of a container started with --init.
 *
 *     berth-init [--] COMMAND [ARG…]
 *
 * A first process has duties that ordinary programs do not know of: signals without a handler do not reach
 * it, and orphans of the container become its children. So it runs COMMAND as its only child, in a process
 * group (and, if there is a terminal, the foreground) of its own, forwards every signal to it, reaps
 * everybody, and exits as the child did: with its status, or 128+n if signal n ended it. 127: no such
 * command; 126: not executable. When it exits, the kernel ends whatever is left in the container.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void complain(const char *what, const char *name) {
    const char *parts[] = {"berth-init: ", what, *name ? " " : "", name, ": ", strerror(errno), "\n"};
    char line[1024];
    size_t used = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (const char *c = parts[i]; *c && used < sizeof(line); c++)
            line[used++] = *c;
    if (write(2, line, used) < 0)
        return; /* nobody to tell */
}

/* In the child. `old` is the signal mask that we were started with. */
static void become_command(char *const *argv, const sigset_t *old) {
    setpgid(0, 0);
    /* Fails without a terminal (ENOTTY) or without being its session's (EPERM): then there is no foreground.
     */
    tcsetpgrp(0, getpgrp());
    signal(SIGTTIN, SIG_DFL);
    signal(SIGTTOU, SIG_DFL);
    sigprocmask(SIG_SETMASK, old, NULL);
    execvp(argv[0], argv);
    int status = errno == ENOENT ? 127 : 126;
    complain("cannot run", argv[0]);
    _exit(status);
}

/* Reaps everyone who has ended. Returns the child's exit status if it is among them, else -1. */
static int reap(pid_t child) {
    int status, result = -1;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        if (pid == child)
            result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return result;
}

int main(int argc, char **argv) {
    sigset_t all, old;
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (argc <= first) {
        static const char usage[] = "usage: berth-init [--] COMMAND [ARG...]\n";
        (void)!write(2, usage, sizeof(usage) - 1);
        return 2;
    }
    /* Orphans come to us only as PID 1 or as sub-reaper. */
    if (getpid() != 1)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigfillset(&all);
    /* Not forwarded: faults of our own, which must end us, and the terminal's, which are ignored below. */
    static const int excluded[] = {SIGSEGV, SIGBUS, SIGFPE,  SIGILL, SIGTRAP,
                                   SIGABRT, SIGSYS, SIGTTIN, SIGTTOU};
    for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
        sigdelset(&all, excluded[i]);
    sigprocmask(SIG_SETMASK, &all, &old);
    /* The child takes the foreground; to print a complaint must not stop us. */
    signal(SIGTTIN, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    pid_t child = fork();
    if (child < 0) {
        complain("cannot start a process", "");
        return 126;
    }
    if (child == 0)
        become_command(argv + first, &old);
    for (int status;;) {
        int number = sigwaitinfo(&all, NULL);
        if (number < 0)
            continue; /* EINTR: stopped and continued */
        if (number == SIGCHLD) {
            if ((status = reap(child)) >= 0)
                return status;
        } else {
            kill(child, number); /* ESRCH cannot be: it is not reaped yet */
        }
    }
}

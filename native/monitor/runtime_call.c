/* Calls of the OCI runtime; runtime_call.h tells what they promise. */
#include "runtime_call.h"

#include "cleanup.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STEP "runtime"
#define LOG_TAIL 8192

extern char **environ;

int runtime_open(struct runtime *runtime, const char *path, struct error *err) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    cleanup_fd int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (fd >= 0 && syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
        fd_close(&fd);
    if (fd < 0) /* no right to mount: the runtime's own protection has to do */
        fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, STEP, path, "open runtime %s", path);
    if (getrlimit(RLIMIT_NOFILE, &runtime->descriptors) < 0)
        return error_errno(err, errno, STEP, path, "read the limit of descriptors");
    runtime->path = path;
    runtime->fd = fd_take(&fd);
    return 0;
}

/* In the child: everything that we changed for ourselves is put back, then the runtime takes over. */
static _Noreturn void become(const struct runtime *runtime, char *const *argv, const int stdio[3]) {
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), moved[3];
    for (int i = 0; i < 3; i++) /* out of the way of 0, 1, 2 first */
        moved[i] = fcntl(stdio[i] < 0 ? null : stdio[i], F_DUPFD_CLOEXEC, 3);
    for (int i = 0; i < 3; i++)
        if (dup2(moved[i], i) < 0)
            _exit(125);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    setrlimit(RLIMIT_NOFILE, &runtime->descriptors); /* lowering the soft limit cannot fail */
    sigprocmask(SIG_SETMASK, &none, NULL);
    syscall(SYS_execveat, runtime->fd, "", argv, environ, AT_EMPTY_PATH);
    if (errno == ENOENT) /* a script: its interpreter could not open a descriptor that is closed by then */
        execve(runtime->path, argv, environ);
    _exit(125);
}

/* The message of the last error line of the runtime's JSON log. */
static bool last_message(const struct runtime *runtime, char *out, size_t size) {
    char text[LOG_TAIL + 1];
    cleanup_fd int fd = open(runtime->log_path, O_RDONLY | O_CLOEXEC);
    off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    ssize_t got = end <= 0 ? -1 : pread(fd, text, LOG_TAIL, end > LOG_TAIL ? end - LOG_TAIL : 0);
    bool found = false;
    if (got <= 0)
        return false;
    text[got] = '\0';
    for (char *line = text, *feed; *line; line = feed + 1) {
        struct json_doc json = {0};
        struct error ignored; /* a line that is not JSON has no message for us */
        feed = line + strcspn(line, "\n");
        bool last = *feed == '\0';
        if (json_parse(&json, line, (size_t)(feed - line), "runtime log", &ignored) == 0) {
            const char *message = json_get_string(json.root, "msg", NULL);
            const char *level = json_get_string(json.root, "level", "error");
            if (message && (!strcmp(level, "error") || !strcmp(level, "fatal"))) {
                snprintf(out, size, "%s", message);
                found = true;
            }
            json_free(&json);
        }
        if (last)
            break;
    }
    return found;
}

/*
 * 127 and 126 as a shell would say it. Only messages about the command itself count: "no such file" about a
 * mount's source is an error of another kind.
 */
static int status_of_message(const char *message) {
    bool about_command = strstr(message, "exec: \"") || strstr(message, "executable file") ||
                         strstr(message, "exec `") || strstr(message, "open executable");
    if (!about_command)
        return 0;
    if (strcasestr(message, "not found") || strcasestr(message, "no such file"))
        return 127;
    if (strcasestr(message, "permission denied") || strcasestr(message, "is a directory") ||
        strcasestr(message, "not a directory") || strcasestr(message, "exec format error"))
        return 126;
    return 0;
}

static int report(const struct runtime *runtime, const char *verb, int status, int *exit_status,
                  struct error *err) {
    char message[1024];
    if (last_message(runtime, message, sizeof(message))) {
        int command_status = status_of_message(message);
        if (exit_status)
            *exit_status = command_status;
        const char *code = command_status == 127   ? "not_found"
                           : command_status == 126 ? "permission_denied"
                                                   : "internal";
        return error_set(err, code, verb, "", "%s", message);
    }
    if (WIFSIGNALED(status))
        return error_set(err, "internal", verb, runtime->path, "%s %s was ended by signal %d", runtime->path,
                         verb, WTERMSIG(status));
    if (WEXITSTATUS(status) == 125)
        return error_set(err, "internal", verb, runtime->path,
                         "%s could not be executed, or failed in %s without a message", runtime->path, verb);
    return error_set(err, "internal", verb, runtime->path, "%s %s failed with status %d and no message",
                     runtime->path, verb, WEXITSTATUS(status));
}

int runtime_call(const struct runtime *runtime, const char *const *verb, const int stdio[3], int *exit_status,
                 struct error *err) {
    const char *argv[RUNTIME_MAX_ARGS + 1] = {runtime->path,     "--root",       runtime->root, "--log",
                                              runtime->log_path, "--log-format", "json"};
    size_t count = 7;
    if (exit_status)
        *exit_status = 0;
    for (size_t i = 0; i < runtime->arg_count && count < RUNTIME_MAX_ARGS; i++)
        argv[count++] = runtime->args[i];
    for (size_t i = 0; verb[i] && count < RUNTIME_MAX_ARGS; i++)
        argv[count++] = verb[i];
    if (count == RUNTIME_MAX_ARGS)
        return error_set(err, "invalid_argument", verb[0], runtime->path, "too many runtime arguments");
    pid_t child = fork();
    if (child == 0)
        become(runtime, (char *const *)argv, stdio);
    if (child < 0)
        return error_errno(err, errno, verb[0], runtime->path, "start %s", runtime->path);
    int status = 0;
    for (pid_t pid = 0; pid != child;) {
        pid = waitpid(runtime->reap_others ? -1 : child, &status, 0);
        if (pid < 0 && errno != EINTR)
            return error_errno(err, errno, verb[0], runtime->path, "wait for %s", runtime->path);
    }
    int result = status == 0 ? 0 : report(runtime, verb[0], status, exit_status, err);
    unlink(runtime->log_path);
    return result;
}

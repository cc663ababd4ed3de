/* The end of a process; ending.h tells what it promises. */
#include "ending.h"

#include "cleanup.h"
#include "network.h"
#include "ports.h"
#include "trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Copies of strings, NULL-terminated; NULL if out of memory (what was copied is then lost: the caller ends).
 */
static char **copy_strings(const char *const *strings, size_t count) {
    char **copies = calloc(count + 1, sizeof(char *));
    if (!copies)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (!(copies[i] = strdup(strings[i])))
            return NULL;
    return copies;
}

bool ending_prepare(struct ending *ending, const struct document *doc, const struct runtime *runtime) {
    *ending = (struct ending){.delete_container = doc->delete_on_exit, .link_count = doc->attachment_count};
    cleanup_free const char **links = calloc(doc->attachment_count + 1, sizeof(char *));
    if (!links)
        return false;
    for (size_t i = 0; i < doc->attachment_count; i++)
        links[i] = doc->attachments[i].host_name;
    ending->links = copy_strings(links, doc->attachment_count);
    ending->id = strdup(doc->id);
    ending->runtime = *runtime;
    ending->runtime.reap_others = true;
    ending->runtime.path = strdup(runtime->path);
    ending->runtime.root = strdup(runtime->root);
    ending->runtime.log_path = strdup(runtime->log_path);
    ending->runtime.args = (const char *const *)copy_strings(runtime->args, runtime->arg_count);
    return ending->links && ending->id && ending->runtime.path && ending->runtime.root &&
           ending->runtime.log_path && ending->runtime.args;
}

void process_start_time(pid_t pid, char out[24]) {
    char path[32], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    snprintf(out, 24, "0");
    if (got <= 0)
        return;
    text[got] = '\0';
    char *field = strrchr(text, ')'); /* the name may hold anything, also spaces and brackets */
    for (int number = 2; field && number < 22; number++)
        field = strchr(field + 1, ' ');
    if (field)
        snprintf(out, 24, "%.*s", (int)strcspn(field + 1, " "), field + 1);
}

void format_timestamp(const struct timespec *time, char out[40]) {
    struct tm tm;
    gmtime_r(&time->tv_sec, &tm);
    size_t length = strftime(out, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + length, 40 - length, ".%09ldZ", time->tv_nsec);
}

/* Writes a file by rename; durable when this returns 0. */
static int write_file(int dir_fd, const char *name, const char *temporary, const char *text, size_t length,
                      bool durable) {
    cleanup_fd int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (write(fd, text, length) != (ssize_t)length || (durable && fsync(fd) < 0) ||
        renameat(dir_fd, temporary, dir_fd, name) < 0) {
        int saved = errno;
        unlinkat(dir_fd, temporary, 0);
        errno = saved ? saved : ENOSPC;
        return -1;
    }
    if (!durable)
        return 0;
    cleanup_fd int directory = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? -1 : fsync(directory);
}

int ending_write_monitor_json(struct monitor *m, struct error *err) {
    char text[256], own_start[24];
    process_start_time(getpid(), own_start);
    int length = snprintf(text, sizeof(text),
                          "{\"monitorPid\":%d,\"monitorStartTime\":\"%s\",\"pid\":%d,\"startTime\":\"%s\","
                          "\"startedAt\":\"%s\"}\n",
                          (int)getpid(), own_start, (int)m->pid, m->start_time, m->started_at);
    if (write_file(m->run_dir_fd, "monitor.json", "monitor.json.new", text, (size_t)length, false) < 0)
        return error_errno(err, errno, "state", "monitor.json", "write monitor.json in runDir");
    return 0;
}

/*
 * By force from the start: the process is gone, but without a pid namespace of its own others of the
 * container may run on, and hold the cgroup. What fails here has its trace in the runtime's root, where the
 * agent finds it.
 */
static void remove_container(struct ending *ending) {
    static const int no_stdio[3] = {-1, -1, -1};
    const char *verb[] = {"delete", "--force", ending->id, NULL};
    struct error err;
    runtime_call(&ending->runtime, verb, no_stdio, NULL, &err);
}

static void format_exit(struct monitor *m, bool oom) {
    char exited_at[40], signal_text[16] = "null";
    int code = WIFSIGNALED(m->status) ? 128 + WTERMSIG(m->status) : WEXITSTATUS(m->status);
    if (WIFSIGNALED(m->status))
        snprintf(signal_text, sizeof(signal_text), "%d", WTERMSIG(m->status));
    format_timestamp(&m->exited_at, exited_at);
    m->exit_length = (size_t)snprintf(
        m->exit_json, sizeof(m->exit_json),
        "{\"exitCode\":%d,\"signal\":%s,\"oomKilled\":%s,\"startedAt\":\"%s\",\"exitedAt\":\"%s\"}\n", code,
        signal_text, oom ? "true" : "false", m->started_at, exited_at);
}

/*
 * EXIT comes as early as it may, what can wait comes behind it: removing a veth pair waits for RCU grace
 * periods (some 10 ms). The clients' sockets are closed after that, so the end of a socket says that nothing
 * is left. The rootfs goes with our mount namespace when we end: unmounting an overlay syncs the file system
 * that its upper directory is on, which may take seconds, and nobody has to wait for that.
 */
void ending_run(struct ending *ending, struct monitor *m) {
    trace_step("process ended");
    bool oom = oom_killed(m);
    oom_close(m);
    input_abandon(m);
    outputs_drain(m);
    log_close(&m->log);
    trace_step("drain");
    if (ending->delete_container)
        remove_container(ending);
    trace_step("runtime delete");
    attach_close(m);
    ports_close(m);
    trace_step("close");
    format_exit(m, oom);
    if (write_file(m->state_dir_fd, "exit.json", "exit.json.new", m->exit_json, m->exit_length, true) < 0)
        write_file(m->run_dir_fd, "exit.json", "exit.json.new", m->exit_json, m->exit_length, false);
    trace_step("exit.json");
    clients_finish(m);
    trace_step("told");
    network_detach(ending->links, ending->link_count);
    trace_step("network");
    stay_until_clients_left(m);
    trace_step("clients");
}

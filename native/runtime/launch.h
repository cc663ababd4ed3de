/*
 * Making a container: the data that the runtime process and the init process share (init inherits it by
 * fork), and the two sides' entry points. launch.c is the runtime's side of create and run; init.c is the
 * container's.
 */
#ifndef BERTH_RUNTIME_LAUNCH_H
#define BERTH_RUNTIME_LAUNCH_H

#include "cgroup.h"
#include "error.h"
#include "namespaces.h"
#include "rootfs.h"
#include "seccomp_filter.h"
#include "spec.h"
#include "state.h"

#include <stdbool.h>
#include <sys/types.h>

struct launch_options {
    const char *root;           /* the runtime's root directory */
    const char *id, *bundle;    /* bundle may be relative to the working directory */
    const char *config;         /* -f: another file than config.json, or NULL */
    const char *console_socket; /* or NULL */
    const char *pidfd_socket;   /* or NULL */
    const char *pid_file;       /* or NULL */
    int preserve_fds;           /* with listen_fds */
    int listen_fds;             /* $LISTEN_FDS passed on to the container */
    bool no_pivot, no_new_keyring, no_cgroups, no_subreaper;
    bool slices; /* --systemd-cgroup: cgroupsPath may be "slice:prefix:name" */
    bool run, detach, keep;
};

struct launch {
    const struct launch_options *options;
    struct spec spec;
    char *config_text; /* config.json as read, for the state directory */
    size_t config_length;
    char bundle[4096], rootfs_path[4096];
    struct state state;
    struct cgroup cgroup;
    struct namespaces namespaces;
    struct rootfs rootfs;
    struct seccomp_program seccomp;
    int state_fd;   /* the state directory */
    int proc_fd;    /* the host's procfs */
    int channel[2]; /* [0] runtime, [1] init */
    int listener;   /* start.sock (create only) */
    int console;    /* connected console socket */
    int pidfd;
    pid_t pid;
    int master; /* foreground terminal */
    int notify; /* `run`: the bound notify socket, -1 if none */
    bool hooks_ran, born_in_cgroup;
};

/*
 * create, or run without waiting: on success the container is created (and started, if options->run) and its
 * state written. On failure nothing is left: no process, cgroup, mount, state directory.
 */
int launch_container(struct launch *launch, const struct launch_options *options, struct error *err);

/* Releases memory and descriptors; the container lives on. */
void launch_free(struct launch *launch);

/* The init process (init.c). Does not return. */
void init_main(struct launch *launch) __attribute__((noreturn));

/* The control groups' barrier for rootfs->await_cgroups: waits for MESSAGE_CGROUPED once (init.c). */
int init_await_cgroups(void *launch, struct error *err);

/* launch_start.c: the intermediate steps that talk to init. */
int launch_clone(struct launch *launch, struct error *err);

/* An O_PATH descriptor of /proc, checked to be a procfs. */
int launch_open_proc(struct error *err);

/* Writes text to `path` by a temporary file and rename, so that a reader never sees half. */
int launch_write_pid_file(const char *path, pid_t pid, struct error *err);

/* Sends the descriptor of a process to a socket (--pidfd-socket). */
int launch_send_pidfd(const char *socket_path, int pidfd, struct error *err);

#endif

/*
 * The conversation between the runtime process and the container's init process while it is being set up: a
 * SEQPACKET socket pair, one struct per message, at most one descriptor with it. Both ends are the same
 * program image.
 */
#ifndef BERTH_RUNTIME_CHANNEL_H
#define BERTH_RUNTIME_CHANNEL_H

#include "error.h"

#include <sys/types.h>

enum message_kind {
    /* runtime → init */
    MESSAGE_MAPPED = 1, /* the user namespace has its mappings */
    MESSAGE_CGROUPED,   /* you are in your control groups */
    MESSAGE_CONTINUE,   /* hooks have run, limits are set */
    MESSAGE_START,      /* `run`: execute the program */
    /* init → runtime */
    MESSAGE_PID,     /* from the go-between that joined a user namespace: init's pid */
    MESSAGE_HOOKS,   /* mounts stand: run prestart and createRuntime hooks */
    MESSAGE_LIMITS,  /* set the resource limits that I may not */
    MESSAGE_CONSOLE, /* the pty master, as a descriptor */
    MESSAGE_SECCOMP, /* the seccomp notify descriptor */
    MESSAGE_READY,   /* everything is prepared; waiting for start */
    MESSAGE_ERROR,   /* error */
};

struct message {
    enum message_kind kind;
    pid_t pid;
    struct error error;
};

/* A connected pair; [0] for the runtime, [1] for init. */
int channel_open(int pair[2], struct error *err);

/* Sends a kind with an optional pid and descriptor (-1: none). 0 or -1 with errno. */
int channel_send(int fd, enum message_kind kind, pid_t pid, int passed);

/* A kind with several descriptors (at most CHANNEL_FDS_MAX). */
enum { CHANNEL_FDS_MAX = 24 };
int channel_send_fds(int fd, enum message_kind kind, const int *fds, size_t count);

/* Receives and requires `kind`; fds[CHANNEL_FDS_MAX] and *count get what came with it. */
int channel_expect_fds(int fd, enum message_kind kind, int *fds, size_t *count, struct error *err);

/* Sends an error. Nothing more can be done if that fails. */
void channel_send_error(int fd, const struct error *error);

/*
 * Receives one message; *passed is its descriptor or -1 (may be NULL if none is expected). If the other side
 * is gone, or reports an error, that is this call's error.
 */
int channel_receive(int fd, struct message *message, int *passed, struct error *err);

/* As channel_receive, but the other side's end is no error: 1 for a message, 0 if it is gone, -1. */
int channel_next(int fd, struct message *message, int *passed, struct error *err);

/* Receives and requires this kind. */
int channel_expect(int fd, enum message_kind kind, struct error *err);

/* One descriptor with a payload over any unix socket (SCM_RIGHTS): the console socket's protocol. 0 or -1
 * with errno. */
int channel_pass_fd(int socket, int fd, const void *payload, size_t length);

#endif

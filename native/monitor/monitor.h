/*
 * What the staying monitor is made of. One struct monitor per program; every module of the staying phase
 * works on a part of it:
 *
 *   output.c   process's stdout and stderr (or pty) → log, ring, clients
 *   input.c    clients' bytes → process's stdin
 *   client.c   attach clients: frames in, queues out, credit
 *   attach.c   attach.sock
 *   ports.c    reserved host ports; relay_tcp.c, relay_udp.c: what arrives there
 *   oom.c      the cgroup's OOM counter
 *   stay.c     the loop and its deadlines
 *   trim.c     the memory of an idle monitor
 *   ending.c   the end: verdict, clean-up, exit.json
 *
 * INVARIANTS
 *   - Memory is bounded whatever the process prints: nothing is read while a client with credit has none
 * left, and a client without credit is cut off when it is too far behind.
 *   - The log is written before clients see the bytes.
 *   - exit.json is durable before any client is told; the rootfs, the ports and the runtime's state are gone
 * then.
 */
#ifndef BERTH_MONITOR_MONITOR_H
#define BERTH_MONITOR_MONITOR_H

#include "document.h"
#include "frame.h"
#include "log.h"
#include "loop.h"
#include "ring.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define IO_CHUNK (64u * 1024) /* bytes per read, of the process and of clients */
#define CLIENT_MAX 128        /* attached at once */
#define CLIENT_BACKLOG_MAX                                                                                   \
    (1u << 20) /* flow "drop": more unsent bytes than this and the client is cut off                         \
                */
#define CLIENT_CREDIT_BACKLOG                                                                                \
    (256u * 1024) /* flow "credit": more unsent bytes than this and reading stops                            \
                   */
#define CLIENT_STDIN_MAX                                                                                     \
    (256u * 1024) /* unacknowledged stdin bytes of a client (128 KiB is what is allowed) */
#define HELLO_WAIT_MS 5000

struct monitor;
struct client;

/* Where the process's output comes from: a pipe for each stream, or the pty master as stdout. */
struct output {
    struct watch watch; /* fd -1: at its end */
    struct monitor *monitor;
    enum log_stream stream;
};

struct input_chunk;

/* Bytes on their way to the process. */
struct input {
    struct watch watch; /* fd -1: closed, or never there; what comes then is acknowledged and dropped */
    struct input_chunk *first, *last;
    bool close_when_empty;
};

struct oom_watch {
    struct watch watch; /* v1: eventfd; v2: inotify */
    int counter_fd;     /* memory.oom_control or memory.events; -1: there is none */
    uint64_t seen;      /* kills that clients were told about */
    int looks_left;     /* at the counter, after an event that it did not show yet */
    int64_t look_at;
};

struct port;

struct monitor {
    struct loop loop;
    char *scratch;        /* IO_CHUNK bytes that every read goes through; nothing stays in it */
    struct watch signals; /* signalfd: SIGCHLD */
    struct watch listener;
    int64_t listener_retry; /* when to listen again after there was no descriptor; 0: listening */
    struct log_writer log;
    struct ring ring;
    struct output outputs[2];
    struct input input;
    struct oom_watch oom;
    struct port *ports, *gone_ports; /* reserved host ports, see ports.h; gone: freed between two rounds */
    size_t port_count;
    unsigned relay_count;
    struct client *clients, *gone; /* gone: freed between two rounds */
    unsigned client_count;
    unsigned hellos_awaited; /* attach descriptors whose first frame has not come */
    int64_t hello_deadline;  /* after which output is read all the same */
    bool terminal;
    enum stdin_mode stdin_mode;
    bool stdin_client_seen; /* stdin "once": there has been one */
    uint16_t cols, rows;
    int terminal_slave; /* keeps the pty from hanging up while nobody has it open; -1 */
    pid_t pid;
    int pidfd;
    char start_time[24], started_at[40];
    bool exited; /* the process is reaped; status and exited_at are set */
    int status;
    struct timespec exited_at;
    char exit_json[256]; /* exit.json's text; exit_length 0 until it is durable */
    size_t exit_length;
    int run_dir_fd, state_dir_fd;
};

/* output.c */

/* Starts or stops reading, according to what clients allow. Called whenever that may have changed. */
void outputs_update(struct monitor *m);
/* The process is gone: reads what it has left in the pipes or the pty, and closes them. */
void outputs_drain(struct monitor *m);

/* input.c */

/* Queues bytes of a client for the process. False: out of memory, or the client sends more than it may. */
bool input_push(struct monitor *m, struct client *client, const char *bytes, size_t length);
/* End of file for the process after what is queued. Does nothing for a terminal: there, ^D is data. */
void input_close(struct monitor *m);
/* Forgets the client as owner of queued bytes; the bytes stay. */
void input_forget(struct monitor *m, const struct client *client);
/* Drops what is queued and closes: the process is gone. */
void input_abandon(struct monitor *m);

/* client.c */

/* Takes over a connected socket. Closes it if there are too many clients. `first`: an attach descriptor. */
void client_add(struct monitor *m, int fd, bool first);
/* Hands output to everyone who wants it. */
void clients_output(struct monitor *m, enum log_stream stream, const char *bytes, size_t length);
/* A control frame to everyone who has said hello. */
void clients_tell(struct monitor *m, enum frame_type type, const void *payload, size_t length);
/* How many bytes of a stream may be read now; 0: stop reading. */
size_t clients_allowance(const struct monitor *m, enum log_stream stream);
/* `length` bytes of the client's stdin have been taken by the process. */
void client_acknowledge(struct client *client, size_t length);
/* Sends the acknowledgements that were collected. */
void clients_send_acknowledgements(struct monitor *m);
/* m->exit_json is durable: sends it as the last frame to each client, behind what it has yet to get. */
void clients_finish(struct monitor *m);
/* Frees those that have left. Only between two rounds of the loop. */
void clients_free_gone(struct monitor *m);
/* Has everybody got everything, EXIT included? */
bool clients_served(const struct monitor *m);
/* Stops waiting for the first frame of attach descriptors. */
void clients_forget_awaited(struct monitor *m);
/* At the end: closes our side of every connection for writing; those without a hello go at once. */
void clients_shut(struct monitor *m);
/* Cuts off everyone who is still there. */
void clients_drop_all(struct monitor *m);

/* attach.c */

/* Binds and listens on runDir/attach.sock, mode 0600. Undone by attach_close. */
int attach_listen(struct monitor *m, struct error *err);
void attach_close(struct monitor *m);
/* Listens again when it is time; returns when it wants to be called next (0: need not be). */
int64_t attach_tidy(struct monitor *m);

/* oom.c */

/* Finds the cgroup's OOM counter; without one the verdict is "no" and nobody is told. */
void oom_open(struct monitor *m, const char *cgroup);
/* Looks at the counter again if it is time; returns when it wants to be called next (0: need not be). */
int64_t oom_tidy(struct monitor *m);
/* Did the kernel kill a process of the cgroup? Clients are told if they were not. */
bool oom_killed(struct monitor *m);
void oom_close(struct monitor *m);

/* Tells the kernel the terminal's new size, and everyone who is attached. */
void terminal_resize(struct monitor *m, uint16_t cols, uint16_t rows);

/* trim.c */

/* Once, when the set-up is over: the runtime gets a small environment from here on, ours is given back. */
void trim_environment(void);
/* Gives the kernel every page back that can be had again, and waits for an event or at most timeout_ms (-1).
 */
void trim_and_wait(struct monitor *m, int timeout_ms);

/* stay.c */

/* Runs until the process is gone; sets exited, status, exited_at. */
void stay_until_exit(struct monitor *m);
/* Runs until every client has its last frame, or does not take it for too long. */
void stay_until_clients_left(struct monitor *m);

#endif

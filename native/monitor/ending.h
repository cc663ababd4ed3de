/*
 * The end of a process: what has to be undone, and how its exit is told.
 *
 * struct ending holds copies of the few strings of the document that are still needed when the document's
 * memory is long gone.
 */
#ifndef BERTH_MONITOR_ENDING_H
#define BERTH_MONITOR_ENDING_H

#include "monitor.h"
#include "runtime_call.h"

struct ending {
    bool delete_container;
    char *id;
    struct runtime runtime; /* its strings are copies, owned here */
    char **links;           /* host ends of the veth pairs */
    size_t link_count;
};

/* Copies from the document. False: out of memory. */
bool ending_prepare(struct ending *ending, const struct document *doc, const struct runtime *runtime);

/*
 * The process is reaped: takes the verdict, drains its output, removes the container from the runtime, frees
 * ports and attach.sock, makes exit.json durable (in runDir if stateDir cannot be written), tells the
 * clients, removes the network links, and returns when the clients have got everything or do not take it.
 */
void ending_run(struct ending *ending, struct monitor *m);

/* runDir/monitor.json, by rename. */
int ending_write_monitor_json(struct monitor *m, struct error *err);

/* Field 22 of /proc/PID/stat into m->start_time's format; "0" if the process cannot be read. */
void process_start_time(pid_t pid, char out[24]);

/* RFC 3339 with nanoseconds, UTC. */
void format_timestamp(const struct timespec *time, char out[40]);

#endif

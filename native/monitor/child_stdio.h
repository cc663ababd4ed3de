/*
 * The process's standard descriptors: three pipes, or a pseudo terminal whose master the runtime sends us
 * over a console socket (runc's --console-socket).
 */
#ifndef BERTH_MONITOR_CHILD_STDIO_H
#define BERTH_MONITOR_CHILD_STDIO_H

#include "monitor.h"

struct child_stdio {
    int fds[3];             /* for the runtime; -1: /dev/null */
    int console_fd;         /* listening console socket, -1 for pipes */
    char console_path[108]; /* "" for pipes */
};

/* Makes pipes, or the console socket in runDir. Our ends go into m. Undone by stdio_close_child and
 * stdio_close. */
int stdio_open(struct monitor *m, const struct document *doc, struct child_stdio *child, struct error *err);

/* After the runtime has made the process: takes the terminal's master, sets its size. Pipes: nothing to do.
 */
int stdio_receive_terminal(struct monitor *m, struct child_stdio *child, struct error *err);

/* Closes the process's ends of the pipes, removes the console socket. */
void stdio_close_child(struct child_stdio *child);

/* Closes our ends. */
void stdio_close(struct monitor *m);

/* Reads what a failed runtime has printed on the process's stderr, as text of one line; "" if nothing. */
void stdio_read_complaint(struct monitor *m, char *out, size_t size);

#endif

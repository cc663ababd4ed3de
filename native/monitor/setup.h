/* The set-up: from a document to a running process. */
#ifndef BERTH_MONITOR_SETUP_H
#define BERTH_MONITOR_SETUP_H

#include "ending.h"
#include "monitor.h"

/*
 * Does everything between reading the document and answering, in the order of the steps in setup.c. On
 * success the process runs, monitor.json is written and the ending is prepared. On failure everything done so
 * far is undone, err tells the step, and *exit_status is 127 or 126 if the command could not be executed,
 * else 0.
 */
int setup_run(struct monitor *m, struct ending *ending, const struct document *doc, int *exit_status,
              struct error *err);

#endif

/*
 * How long each step of the set-up and of the end took: with `--trace` on stderr, with
 * BERTH_MONITOR_TRACE=<file> in the environment behind what is in that file. Nothing otherwise.
 */
#ifndef BERTH_MONITOR_TRACE_H
#define BERTH_MONITOR_TRACE_H

/* Starts the clock. From here on trace_step prints to this file, or with NULL to a copy of stderr. */
void trace_start(const char *file);

/* That copy's descriptor, -1 without. */
int trace_descriptor(void);

/* Prints "<microseconds since start> <microseconds since the last step> <name>". */
void trace_step(const char *name);

/* Nothing is printed any more. */
void trace_stop(void);

#endif

/* Signal names and numbers (signal(7)). */
#ifndef BERTH_RUNTIME_SIGNALS_H
#define BERTH_RUNTIME_SIGNALS_H

/* "KILL", "SIGKILL", "sigkill", "9", "RTMIN+3" → number, or -1. */
int signal_number(const char *text);

#endif

/*
 * 127.0.0.11, the address at which containers of a user network look for their name server, as under Docker
 * (programs have it in their configuration: `resolver 127.0.0.11`). What a container sends to port 53 there
 * is sent on to the server's real address by rules in the container's own network namespace; no socket is in
 * the way of a container that serves port 53 itself.
 */
#ifndef BERTH_MONITOR_NAME_SERVER_H
#define BERTH_MONITOR_NAME_SERVER_H

#include <stdint.h>

/*
 * Makes the rules in the calling thread's network namespace. 0, or -1 with errno; *what is then the step that
 * failed.
 */
int name_server_redirect(const uint8_t server[4], const char **what);

#endif

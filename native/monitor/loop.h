/*
 * The event loop: epoll, and a struct watch inside whatever owns a descriptor.
 *
 * A handler may remove any watch, its own or another's, at any time: the loop skips events of removed watches
 * that were already fetched. It must not free the memory of a watch before loop_wait has returned (owners put
 * such memory on a list and free it between two rounds).
 */
#ifndef BERTH_MONITOR_LOOP_H
#define BERTH_MONITOR_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct watch;
typedef void watch_handler(struct watch *watch, uint32_t events);

struct watch {
    int fd;          /* owned by whoever embeds the watch */
    uint32_t events; /* 0: not in the epoll set */
    watch_handler *ready;
    void *owner;
};

struct loop {
    int epoll_fd;
};

bool loop_init(struct loop *loop);

/*
 * Asks for these events; 0 takes the descriptor out of the set altogether (epoll reports hang-ups of a member
 * even if nothing was asked for). False with errno: only out of memory or of watches.
 */
bool loop_want(struct loop *loop, struct watch *watch, uint32_t events);

/* Waits at most timeout_ms (-1: for ever) and calls the handlers. Returns the number of events. */
int loop_wait(struct loop *loop, int timeout_ms);

/* Milliseconds of the monotonic clock. */
int64_t loop_now_ms(void);

#endif

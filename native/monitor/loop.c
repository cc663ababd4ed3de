/* The event loop; loop.h tells what it promises. */
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define EVENTS_PER_ROUND 16

bool loop_init(struct loop *loop) {
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd >= 0;
}

bool loop_want(struct loop *loop, struct watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (events == watch->events)
        return true;
    int operation = events == 0 ? EPOLL_CTL_DEL : watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) < 0)
        return false;
    watch->events = events;
    return true;
}

int loop_wait(struct loop *loop, int timeout_ms) {
    struct epoll_event events[EVENTS_PER_ROUND];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct watch *watch = events[i].data.ptr;
        if (watch->events != 0)
            watch->ready(watch, events[i].events);
    }
    return count;
}

int64_t loop_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

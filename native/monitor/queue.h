/*
 * A byte queue for one client: what its socket would not take at once. Memory is there only while bytes are;
 * how many there may be is the owner's decision.
 */
#ifndef BERTH_MONITOR_QUEUE_H
#define BERTH_MONITOR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct queue {
    char *bytes;
    size_t start, used, capacity;
};

/* Appends. False: out of memory (nothing was appended). */
bool queue_put(struct queue *queue, const void *bytes, size_t length);

/* Removes bytes from the front; frees the memory when nothing is left. */
void queue_take(struct queue *queue, size_t length);

static inline const char *queue_front(const struct queue *queue) {
    return queue->bytes + queue->start;
}

void queue_free(struct queue *queue);

#endif

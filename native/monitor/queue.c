/* The byte queue; queue.h tells what it promises. Pure. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

bool queue_put(struct queue *queue, const void *bytes, size_t length) {
    if (length == 0)
        return true;
    if (queue->capacity - queue->start - queue->used < length && queue->start > 0) {
        memmove(queue->bytes, queue->bytes + queue->start, queue->used);
        queue->start = 0;
    }
    if (queue->capacity - queue->used < length) {
        size_t capacity = queue->capacity ? queue->capacity : 4096;
        while (capacity - queue->used < length)
            capacity *= 2;
        char *grown = realloc(queue->bytes, capacity);
        if (!grown)
            return false;
        queue->bytes = grown;
        queue->capacity = capacity;
    }
    memcpy(queue->bytes + queue->start + queue->used, bytes, length);
    queue->used += length;
    return true;
}

void queue_take(struct queue *queue, size_t length) {
    queue->start += length;
    queue->used -= length;
    if (queue->used == 0)
        queue_free(queue);
}

void queue_free(struct queue *queue) {
    free(queue->bytes);
    *queue = (struct queue){0};
}

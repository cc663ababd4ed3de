/*
 * A bounded ring of byte blocks between one producer thread and one or two consumer threads.
 *
 * The producer reserves a block, fills it and commits it; every consumer sees every block, in order, in place
 * (nothing is copied), and releases it. The slowest consumer holds the producer back, so memory is
 * blocks × block size whatever the stream's length. Either side can cancel: everybody's next call then
 * returns NULL.
 */
#ifndef BERTH_UNPACK_RING_H
#define BERTH_UNPACK_RING_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BLOCKS 8
#define RING_CONSUMERS 2

struct ring {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint8_t *memory;
    size_t block_size;
    size_t lengths[RING_BLOCKS];
    uint64_t produced;
    uint64_t released[RING_CONSUMERS];
    int consumers;
    bool ended, cancelled;
};

/* Allocates the blocks; `consumers` is 1 or 2. 0, or -1 if memory ran out (ring_free is then a no-op). */
int ring_init(struct ring *ring, size_t block_size, int consumers);
void ring_free(struct ring *ring);

/* Producer: waits for a free block of block_size bytes. NULL once cancelled. */
uint8_t *ring_reserve(struct ring *ring);
/* Producer: publishes the reserved block with its first `length` (> 0) bytes. */
void ring_commit(struct ring *ring, size_t length);
/* Producer: no more blocks; consumers see NULL after the last one. */
void ring_end(struct ring *ring);

/* Consumer: waits for the next block. NULL at the end of the stream or once cancelled. */
const uint8_t *ring_peek(struct ring *ring, int consumer, size_t *length);
/* Consumer: gives the block that ring_peek returned back. */
void ring_release(struct ring *ring, int consumer);

/* Anybody: wakes everybody up; from now on every wait returns NULL. */
void ring_cancel(struct ring *ring);

#endif

#include "ring.h"

#include <stdlib.h>

int ring_init(struct ring *ring, size_t block_size, int consumers) {
    *ring = (struct ring){.block_size = block_size, .consumers = consumers};
    ring->memory = aligned_alloc(4096, block_size * RING_BLOCKS);
    if (!ring->memory)
        return -1;
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->moved, NULL);
    return 0;
}

void ring_free(struct ring *ring) {
    if (!ring->memory)
        return;
    free(ring->memory);
    ring->memory = NULL;
    pthread_mutex_destroy(&ring->lock);
    pthread_cond_destroy(&ring->moved);
}

static bool is_full(const struct ring *ring) {
    for (int i = 0; i < ring->consumers; i++)
        if (ring->produced - ring->released[i] >= RING_BLOCKS)
            return true;
    return false;
}

uint8_t *ring_reserve(struct ring *ring) {
    pthread_mutex_lock(&ring->lock);
    while (is_full(ring) && !ring->cancelled)
        pthread_cond_wait(&ring->moved, &ring->lock);
    uint8_t *block =
        ring->cancelled ? NULL : ring->memory + (ring->produced % RING_BLOCKS) * ring->block_size;
    pthread_mutex_unlock(&ring->lock);
    return block;
}

void ring_commit(struct ring *ring, size_t length) {
    pthread_mutex_lock(&ring->lock);
    ring->lengths[ring->produced % RING_BLOCKS] = length;
    ring->produced++;
    pthread_cond_broadcast(&ring->moved);
    pthread_mutex_unlock(&ring->lock);
}

void ring_end(struct ring *ring) {
    pthread_mutex_lock(&ring->lock);
    ring->ended = true;
    pthread_cond_broadcast(&ring->moved);
    pthread_mutex_unlock(&ring->lock);
}

const uint8_t *ring_peek(struct ring *ring, int consumer, size_t *length) {
    const uint8_t *block = NULL;
    pthread_mutex_lock(&ring->lock);
    while (ring->released[consumer] == ring->produced && !ring->ended && !ring->cancelled)
        pthread_cond_wait(&ring->moved, &ring->lock);
    if (!ring->cancelled && ring->released[consumer] < ring->produced) {
        size_t slot = ring->released[consumer] % RING_BLOCKS;
        block = ring->memory + slot * ring->block_size;
        *length = ring->lengths[slot];
    }
    pthread_mutex_unlock(&ring->lock);
    return block;
}

void ring_release(struct ring *ring, int consumer) {
    pthread_mutex_lock(&ring->lock);
    ring->released[consumer]++;
    pthread_cond_broadcast(&ring->moved);
    pthread_mutex_unlock(&ring->lock);
}

void ring_cancel(struct ring *ring) {
    pthread_mutex_lock(&ring->lock);
    ring->cancelled = true;
    pthread_cond_broadcast(&ring->moved);
    pthread_mutex_unlock(&ring->lock);
}

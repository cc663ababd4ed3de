/* The replay ring; ring.h tells what it promises. */
#include "ring.h"

#include <string.h>
#include <sys/mman.h>

#define HEADER 3 /* u8 type, u16 length */

bool ring_init(struct ring *ring, size_t capacity) {
    *ring = (struct ring){0};
    if (capacity == 0)
        return true;
    if (capacity < 4096)
        capacity = 4096;
    void *room =
        mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return false;
    ring->bytes = room;
    ring->capacity = capacity;
    return true;
}

void ring_free(struct ring *ring) {
    if (ring->bytes)
        munmap(ring->bytes, ring->capacity);
    *ring = (struct ring){0};
}

static size_t wrap(const struct ring *ring, size_t at) {
    return at >= ring->capacity ? at - ring->capacity : at;
}

static void copy_in(struct ring *ring, size_t at, const uint8_t *bytes, size_t length) {
    size_t first = ring->capacity - at < length ? ring->capacity - at : length;
    memcpy(ring->bytes + at, bytes, first);
    memcpy(ring->bytes, bytes + first, length - first);
}

static void read_header(const struct ring *ring, size_t at, enum ring_type *type, size_t *length) {
    *type = (enum ring_type)ring->bytes[at];
    *length = (size_t)ring->bytes[wrap(ring, at + 1)] << 8 | ring->bytes[wrap(ring, at + 2)];
}

static void write_header(struct ring *ring, size_t at, enum ring_type type, size_t length) {
    uint8_t header[HEADER] = {(uint8_t)type, (uint8_t)(length >> 8), (uint8_t)length};
    copy_in(ring, at, header, HEADER);
}

static void make_room(struct ring *ring, size_t need) {
    while (ring->capacity - ring->used < need) {
        enum ring_type type;
        size_t length;
        read_header(ring, ring->start, &type, &length);
        ring->start = wrap(ring, ring->start + HEADER + length);
        ring->used -= HEADER + length;
    }
    if (ring->used == 0)
        ring->start = 0; /* touch the same pages again, not the next ones */
}

static void put_entry(struct ring *ring, enum ring_type type, const uint8_t *bytes, size_t length) {
    make_room(ring, HEADER + length);
    ring->last = wrap(ring, ring->start + ring->used);
    write_header(ring, ring->last, type, length);
    copy_in(ring, wrap(ring, ring->last + HEADER), bytes, length);
    ring->used += HEADER + length;
}

/* Adds to the newest entry if it is of this type and short; returns how many bytes it took. */
static size_t extend_last(struct ring *ring, enum ring_type type, const uint8_t *bytes, size_t length) {
    enum ring_type last_type;
    size_t last_length;
    if (ring->used == 0)
        return 0;
    read_header(ring, ring->last, &last_type, &last_length);
    if (last_type != type || last_length >= RING_ENTRY_MAX)
        return 0;
    size_t take = RING_ENTRY_MAX - last_length < length ? RING_ENTRY_MAX - last_length : length;
    if (ring->capacity - ring->used < take)
        return 0; /* room would have to be made, perhaps by dropping this very entry */
    copy_in(ring, wrap(ring, ring->last + HEADER + last_length), bytes, take);
    write_header(ring, ring->last, type, last_length + take);
    ring->used += take;
    return take;
}

void ring_append(struct ring *ring, enum ring_type type, const char *bytes, size_t length) {
    const uint8_t *from = (const uint8_t *)bytes;
    if (!ring->bytes)
        return;
    if (length > ring->capacity) {
        from += length - ring->capacity;
        length = ring->capacity;
    }
    size_t most = ring->capacity / 2 < RING_ENTRY_MAX ? ring->capacity / 2 : RING_ENTRY_MAX;
    size_t taken = extend_last(ring, type, from, length);
    while (taken < length) {
        size_t take = length - taken < most ? length - taken : most;
        put_entry(ring, type, from + taken, take);
        taken += take;
    }
}

void ring_resize(struct ring *ring, uint16_t cols, uint16_t rows) {
    uint8_t size[4] = {(uint8_t)(cols >> 8), (uint8_t)cols, (uint8_t)(rows >> 8), (uint8_t)rows};
    if (ring->bytes)
        put_entry(ring, RING_RESIZE, size, sizeof(size));
}

void ring_visit(const struct ring *ring, ring_visitor *visit, void *owner) {
    for (size_t seen = 0; seen < ring->used;) {
        enum ring_type type;
        size_t length, at = wrap(ring, ring->start + seen);
        read_header(ring, at, &type, &length);
        at = wrap(ring, at + HEADER);
        size_t first = ring->capacity - at < length ? ring->capacity - at : length;
        if (type == RING_RESIZE && first < length) {
            uint8_t joined[4];
            memcpy(joined, ring->bytes + at, first);
            memcpy(joined + first, ring->bytes, length - first);
            visit(owner, type, joined, length);
        } else {
            visit(owner, type, ring->bytes + at, first);
            if (first < length)
                visit(owner, type, ring->bytes, length - first);
        }
        seen += HEADER + length;
    }
}

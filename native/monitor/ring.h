/*
 * The replay ring: the last bytes of output, in order, with the terminal's resizes between them.
 *
 * A ring of entries {type, length, bytes}; the oldest entries are dropped to make room. Memory is reserved
 * once and touched only as far as output was ever kept, so a silent container costs nothing.
 */
#ifndef BERTH_MONITOR_RING_H
#define BERTH_MONITOR_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_ENTRY_MAX 4096 /* bytes per entry: what is dropped at once when the ring is full */

enum ring_type { RING_STDOUT = 1, RING_STDERR = 2, RING_RESIZE = 3 };

struct ring {
    uint8_t *bytes; /* NULL: nothing is kept */
    size_t capacity, start, used;
    size_t last; /* where the newest entry's header is; only meaningful if used > 0 */
};

/* Reserves memory. capacity 0 makes a ring that keeps nothing. False: out of memory. */
bool ring_init(struct ring *ring, size_t capacity);

void ring_free(struct ring *ring);

/* Appends output; of more than the ring can hold the end is kept. */
void ring_append(struct ring *ring, enum ring_type type, const char *bytes, size_t length);

/* Remembers that the terminal has had this size from here on. */
void ring_resize(struct ring *ring, uint16_t cols, uint16_t rows);

/*
 * Calls visit for each entry, oldest first. An entry's bytes may come in two pieces (the ring's end), each
 * its own call; a resize's four bytes (cols, rows, big-endian) always come in one.
 */
typedef void ring_visitor(void *owner, enum ring_type type, const uint8_t *bytes, size_t length);
void ring_visit(const struct ring *ring, ring_visitor *visit, void *owner);

#endif

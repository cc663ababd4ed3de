/* Unit tests of monitor/ring.c: the end of the output is kept, in order, whatever the sizes. */
#include "monitor/ring.h"

#include "unit.h"

#include <stdlib.h>

struct seen {
    char text[1 << 16];
    size_t used;
    int resizes;
};

static void collect(void *owner, enum ring_type type, const uint8_t *bytes, size_t length) {
    struct seen *seen = owner;
    if (type == RING_RESIZE) {
        CHECK(length == 4);
        seen->used += (size_t)snprintf(seen->text + seen->used, sizeof(seen->text) - seen->used, "<%dx%d>",
                                       bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]);
        seen->resizes++;
        return;
    }
    memcpy(seen->text + seen->used, bytes, length);
    seen->used += length;
}

static struct seen *visit(const struct ring *ring) {
    static struct seen seen;
    seen.used = 0;
    seen.resizes = 0;
    ring_visit(ring, collect, &seen);
    seen.text[seen.used] = '\0';
    return &seen;
}

static void keeps_order(void) {
    struct ring ring;
    CHECK(ring_init(&ring, 4096));
    CHECK(visit(&ring)->used == 0);
    ring_append(&ring, RING_STDOUT, "out ", 4);
    ring_append(&ring, RING_STDERR, "err ", 4);
    ring_resize(&ring, 132, 43);
    ring_append(&ring, RING_STDOUT, "more", 4);
    CHECK_STRING(visit(&ring)->text, "out err <132x43>more");
    ring_free(&ring);
}

/* Whatever is appended in whatever pieces, what is kept is a suffix of it, and never much less than there is
 * room. */
static void keeps_a_suffix(void) {
    enum { TOTAL = 60000, CAPACITY = 8192 };
    static char all[TOTAL];
    for (size_t i = 0; i < TOTAL; i++)
        all[i] = (char)('a' + i % 23);
    unsigned state = 1;
    for (int run = 0; run < 200; run++) {
        struct ring ring;
        CHECK(ring_init(&ring, CAPACITY));
        size_t at = 0;
        while (at < TOTAL) {
            state = state * 1103515245 + 12345;
            size_t piece = 1 + (state >> 8) % (run % 3 == 0 ? 10 : run % 3 == 1 ? 3000 : 20000);
            piece = piece < TOTAL - at ? piece : TOTAL - at;
            ring_append(&ring, (state >> 4) % 8 ? RING_STDOUT : RING_STDERR, all + at, piece);
            at += piece;
            CHECK(ring.used <= ring.capacity);
        }
        struct seen *seen = visit(&ring);
        CHECK(seen->used <= CAPACITY && seen->used >= CAPACITY / 4);
        CHECK(memcmp(seen->text, all + TOTAL - seen->used, seen->used) == 0);
        ring_free(&ring);
    }
}

static void keeps_many_small_entries(void) {
    struct ring ring;
    CHECK(ring_init(&ring, 4096));
    for (int i = 0; i < 100000; i++) {
        ring_append(&ring, i % 2 ? RING_STDOUT : RING_STDERR, "x", 1);
        ring_resize(&ring, (uint16_t)i, 24);
    }
    CHECK(visit(&ring)->resizes > 100);
    CHECK(strstr(visit(&ring)->text, "x<34463x24>") != NULL); /* 99999 in 16 bits */
    ring_free(&ring);
}

static void without_capacity_keeps_nothing(void) {
    struct ring ring;
    CHECK(ring_init(&ring, 0));
    ring_append(&ring, RING_STDOUT, "x", 1);
    ring_resize(&ring, 1, 1);
    CHECK(visit(&ring)->used == 0);
    ring_free(&ring);
}

int main(void) {
    keeps_order();
    keeps_a_suffix();
    keeps_many_small_entries();
    without_capacity_keeps_nothing();
    return check_status("monitor_ring_test");
}

/* Unit tests of monitor/frame.c and monitor/queue.c. */
#include "monitor/frame.h"
#include "monitor/queue.h"

#include "unit.h"

#include <stdlib.h>

struct seen {
    char data[4096], control[64];
    size_t data_used, frames, control_length;
    enum frame_type last;
    bool refuse;
};

static bool take(void *owner, enum frame_type type, const char *payload, size_t length) {
    struct seen *seen = owner;
    if (type == FRAME_DATA) {
        memcpy(seen->data + seen->data_used, payload, length);
        seen->data_used += length;
    } else {
        seen->frames++;
        seen->last = type;
        seen->control_length = length;
        memcpy(seen->control, payload, length < sizeof(seen->control) ? length : sizeof(seen->control));
    }
    return !seen->refuse;
}

static size_t put(char *out, enum frame_type type, const char *payload, size_t length) {
    frame_put_header((uint8_t *)out, type, (uint32_t)length);
    memcpy(out + FRAME_HEADER, payload, length);
    return FRAME_HEADER + length;
}

/* The same frames, however the bytes are cut. */
static void reads_in_any_pieces(void) {
    char bytes[256];
    size_t used = put(bytes, FRAME_HELLO, "{\"a\":1}", 7);
    used += put(bytes + used, FRAME_DATA, "hello ", 6);
    used += put(bytes + used, FRAME_DATA, "", 0);
    used += put(bytes + used, FRAME_CLOSE_STDIN, "", 0);
    used += put(bytes + used, FRAME_DATA, "world", 5);
    used += put(bytes + used, FRAME_RESIZE, "\0\x50\0\x18", 4);
    for (size_t piece = 1; piece <= used; piece++) {
        struct frame_reader reader = {0};
        struct seen seen = {0};
        for (size_t at = 0; at < used; at += piece)
            CHECK(frame_feed(&reader, bytes + at, used - at < piece ? used - at : piece, take, &seen));
        CHECK(seen.data_used == 11 && memcmp(seen.data, "hello world", 11) == 0);
        CHECK(seen.frames == 3 && seen.last == FRAME_RESIZE && seen.control_length == 4);
        CHECK(frame_u16(seen.control) == 80 && frame_u16(seen.control + 2) == 24);
    }
}

static bool refused(uint8_t type, uint32_t length) {
    char header[FRAME_HEADER];
    struct frame_reader reader = {0};
    struct seen seen = {0};
    frame_put_header((uint8_t *)header, (enum frame_type)type, length);
    return !frame_feed(&reader, header, sizeof(header), take, &seen);
}

static void refuses_what_a_client_may_not_send(void) {
    CHECK(refused(FRAME_DATA, FRAME_MAX_PAYLOAD + 1) && !refused(FRAME_DATA, FRAME_MAX_PAYLOAD));
    CHECK(refused(FRAME_HELLO, FRAME_MAX_CONTROL + 1) && !refused(FRAME_HELLO, FRAME_MAX_CONTROL));
    CHECK(refused(FRAME_RESIZE, 3) && refused(FRAME_RESIZE, 5) && !refused(FRAME_RESIZE, 4));
    CHECK(refused(FRAME_SIGNAL, 0) && refused(FRAME_CREDIT, 8) && refused(FRAME_CLOSE_STDIN, 1));
    CHECK(refused(0x08, 0) && refused(FRAME_PORT, FRAME_MAX_CONTROL + 1) && refused(FRAME_STDOUT, 0) &&
          refused(FRAME_EXIT, 0) && refused(0xff, 0));
    CHECK(refused(FRAME_DATA, 0xffffffff));
}

static void stops_when_the_handler_says_so(void) {
    char bytes[64];
    struct frame_reader reader = {0};
    struct seen seen = {.refuse = true};
    size_t used = put(bytes, FRAME_DATA, "x", 1);
    used += put(bytes + used, FRAME_DATA, "y", 1);
    CHECK(!frame_feed(&reader, bytes, used, take, &seen));
    CHECK(seen.data_used == 1);
}

static void queues(void) {
    struct queue queue = {0};
    char piece[1000];
    size_t put_total = 0, taken = 0;
    unsigned state = 7;
    for (int i = 0; i < 5000; i++) {
        state = state * 1103515245 + 12345;
        size_t length = (state >> 8) % sizeof(piece);
        for (size_t k = 0; k < length; k++)
            piece[k] = (char)((put_total + k) % 251);
        CHECK(queue_put(&queue, piece, length));
        put_total += length;
        size_t take_now = queue.used ? (state >> 4) % (queue.used + 1) : 0;
        for (size_t k = 0; k < take_now; k++)
            if (queue_front(&queue)[k] != (char)((taken + k) % 251)) {
                CHECK(!"the queue's bytes are in order");
                return;
            }
        if (take_now)
            queue_take(&queue, take_now);
        taken += take_now;
    }
    CHECK(queue.used == put_total - taken);
    queue_take(&queue, queue.used);
    CHECK(queue.bytes == NULL && queue.capacity == 0);
}

int main(void) {
    reads_in_any_pieces();
    refuses_what_a_client_may_not_send();
    stops_when_the_handler_says_so();
    queues();
    return check_status("monitor_frame_test");
}

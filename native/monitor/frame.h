/*
 * Frames on the attach sockets: u32 big-endian payload length, u8 type, payload (native/README.md).
 *
 * The reader is a push parser: it is fed whatever bytes a read gave and calls back for each frame. DATA is
 * handed on in pieces as it comes, so a client's megabyte is never gathered; every other payload is gathered
 * into a buffer as large as such payloads may be.
 */
#ifndef BERTH_MONITOR_FRAME_H
#define BERTH_MONITOR_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 5
#define FRAME_MAX_PAYLOAD (1u << 20)
#define FRAME_MAX_CONTROL 512 /* longest payload of a frame other than DATA that a client may send */

enum frame_type {
    FRAME_HELLO = 0x00,
    FRAME_DATA = 0x01,
    FRAME_RESIZE = 0x02,
    FRAME_SIGNAL = 0x03,
    FRAME_CREDIT = 0x04,
    FRAME_CLOSE_STDIN = 0x05,
    FRAME_LOG_ROTATE = 0x06,
    FRAME_PORT = 0x07,
    FRAME_WELCOME = 0x10,
    FRAME_STDOUT = 0x11,
    FRAME_STDERR = 0x12,
    FRAME_REPLAY = 0x13,
    FRAME_REPLAY_END = 0x14,
    FRAME_RESIZED = 0x15,
    FRAME_STDIN_ACK = 0x16,
    FRAME_OOM = 0x17,
    FRAME_PORT_SET = 0x18,
    FRAME_EXIT = 0x1f
};

struct frame_reader {
    uint8_t header[FRAME_HEADER];
    uint8_t header_used;
    uint16_t gathered;
    uint32_t left; /* payload bytes still to come */
    char control[FRAME_MAX_CONTROL + 1];
};

/* Called for each frame, or each piece of a DATA frame. Returning false stops the reader. */
typedef bool frame_handler(void *owner, enum frame_type type, const char *payload, size_t length);

/*
 * Feeds bytes. Returns false if the peer broke the protocol (unknown type, wrong length) or the handler
 * returned false: the connection must then be closed, the reader is of no more use.
 */
bool frame_feed(struct frame_reader *reader, const char *bytes, size_t length, frame_handler *handler,
                void *owner);

/* Writes the five header bytes. */
void frame_put_header(uint8_t out[FRAME_HEADER], enum frame_type type, uint32_t length);

uint32_t frame_u32(const char *bytes);
uint16_t frame_u16(const char *bytes);

#endif

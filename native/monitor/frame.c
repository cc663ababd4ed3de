/* The frame parser; frame.h tells what it promises. Pure. */
#include "frame.h"

#include <string.h>

uint32_t frame_u32(const char *bytes) {
    const uint8_t *b = (const uint8_t *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint16_t frame_u16(const char *bytes) {
    const uint8_t *b = (const uint8_t *)bytes;
    return (uint16_t)(b[0] << 8 | b[1]);
}

void frame_put_header(uint8_t out[FRAME_HEADER], enum frame_type type, uint32_t length) {
    out[0] = (uint8_t)(length >> 24);
    out[1] = (uint8_t)(length >> 16);
    out[2] = (uint8_t)(length >> 8);
    out[3] = (uint8_t)length;
    out[4] = (uint8_t)type;
}

/* What a client may send, and how long its payload is. */
static bool length_allowed(uint8_t type, uint32_t length) {
    switch (type) {
    case FRAME_HELLO:
    case FRAME_PORT:
        return length <= FRAME_MAX_CONTROL;
    case FRAME_DATA:
        return length <= FRAME_MAX_PAYLOAD;
    case FRAME_RESIZE:
    case FRAME_SIGNAL:
    case FRAME_CREDIT:
        return length == 4;
    case FRAME_CLOSE_STDIN:
    case FRAME_LOG_ROTATE:
        return length == 0;
    default:
        return false;
    }
}

/* Takes payload bytes of the current frame; *used says how many. False stops the reader. */
static bool feed_payload(struct frame_reader *reader, const char *bytes, size_t length, size_t *used,
                         frame_handler *handler, void *owner) {
    uint8_t type = reader->header[4];
    size_t take = length < reader->left ? length : reader->left;
    *used = take;
    reader->left -= (uint32_t)take;
    if (reader->left == 0)
        reader->header_used = 0;
    if (type == FRAME_DATA)
        return take == 0 || handler(owner, FRAME_DATA, bytes, take);
    memcpy(reader->control + reader->gathered, bytes, take);
    reader->gathered = (uint16_t)(reader->gathered + take);
    if (reader->left > 0)
        return true;
    size_t gathered = reader->gathered;
    reader->gathered = 0;
    reader->control[gathered] = '\0';
    return handler(owner, (enum frame_type)type, reader->control, gathered);
}

bool frame_feed(struct frame_reader *reader, const char *bytes, size_t length, frame_handler *handler,
                void *owner) {
    while (length > 0) {
        if (reader->header_used < FRAME_HEADER) {
            reader->header[reader->header_used++] = (uint8_t)*bytes++;
            length--;
            if (reader->header_used < FRAME_HEADER)
                continue;
            reader->left = frame_u32((const char *)reader->header);
            if (!length_allowed(reader->header[4], reader->left))
                return false;
            if (reader->left > 0)
                continue;
        }
        size_t used;
        if (!feed_payload(reader, bytes, length, &used, handler, owner))
            return false;
        bytes += used;
        length -= used;
    }
    return true;
}

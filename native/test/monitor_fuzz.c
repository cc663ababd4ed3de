/*
 * libFuzzer harness for what the monitor parses: the first byte chooses document, frames (in pieces) or
 * addresses. `make fuzz` runs it for a bounded time.
 */
#include "monitor/document.h"
#include "monitor/frame.h"
#include "monitor/ring.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_document(const uint8_t *data, size_t size) {
    struct json_doc json = {0};
    struct document doc = {0};
    struct error err;
    char *text = malloc(size + 1);
    if (!text)
        return;
    memcpy(text, data, size);
    if (json_parse(&json, text, size, "fuzz", &err) < 0) {
        free(text);
        return;
    }
    json.text = text;
    if (document_from_json(&doc, &json, &err) == 0)
        document_free(&doc);
}

static bool take_frame(void *owner, enum frame_type type, const char *payload, size_t length) {
    size_t *sum = owner;
    for (size_t i = 0; i < length; i++)
        *sum += (uint8_t)payload[i];
    return type != FRAME_HELLO || length < 100;
}

static void try_frames(const uint8_t *data, size_t size) {
    struct frame_reader reader = {0};
    size_t sum = 0, piece = size ? 1 + data[0] % 32 : 1;
    for (size_t at = 0; at < size; at += piece)
        if (!frame_feed(&reader, (const char *)data + at, size - at < piece ? size - at : piece, take_frame,
                        &sum))
            return;
}

static void visit(void *owner, enum ring_type type, const uint8_t *bytes, size_t length) {
    size_t *sum = owner;
    for (size_t i = 0; i < length; i++)
        *sum += bytes[i] + (size_t)type;
}

static void try_ring(const uint8_t *data, size_t size) {
    static const char filler[20000];
    struct ring ring;
    size_t sum = 0;
    if (!ring_init(&ring, 4096 + (size ? data[0] : 0)))
        return;
    for (size_t i = 1; i < size; i++)
        if (data[i] == 255)
            ring_resize(&ring, data[i], 1);
        else
            ring_append(&ring, data[i] & 1 ? RING_STDOUT : RING_STDERR, filler, (size_t)data[i] * 37);
    ring_visit(&ring, visit, &sum);
    ring_free(&ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    switch (data[0] % 4) {
    case 0:
        try_frames(data + 1, size - 1);
        break;
    case 1:
        try_ring(data + 1, size - 1);
        break;
    default:
        try_document(data + 1, size - 1);
    }
    return 0;
}

/*
 * Decompressors behind one interface: plain, gzip (ISA-L), zstd, bzip2, xz.
 *
 * All of them decode concatenated members, fail on anything that follows the last member (but for gzip, where
 * it is ignored, as gzip itself and Docker do: padding is common) and on a stream that is cut, and are driven
 * block by block, so their memory does not depend on the stream's length.
 */
#ifndef BERTH_UNPACK_DECODE_H
#define BERTH_UNPACK_DECODE_H

#include "lib/error.h"

#include <stddef.h>
#include <stdint.h>

struct decoder;

/* What one step works on; decode_step advances both sides. */
struct decode_buffers {
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
};

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_BZIP2, COMPRESSION_XZ };

/* The compression that the first bytes of a stream announce; COMPRESSION_NONE if they announce none. */
enum compression decode_detect(const uint8_t *head, size_t length);

/* A decoder for a compression other than NONE; NULL and err on failure. */
struct decoder *decoder_open(enum compression kind, struct error *err);
void decoder_close(struct decoder *decoder);

/* Decodes as much as input and room allow. 0, or -1 and err (invalid_argument: the stream is damaged). */
int decode_step(struct decoder *decoder, struct decode_buffers *io, struct error *err);

/* At the end of the input: 0 if the stream is complete, -1 and err if it is cut. */
int decode_finish(struct decoder *decoder, struct error *err);

#endif

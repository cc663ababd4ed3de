/* Compressors behind one interface: gzip (ISA-L for levels 1 to 3, zlib above) and zstd. */
#ifndef BERTH_UNPACK_ENCODE_H
#define BERTH_UNPACK_ENCODE_H

#include "lib/error.h"
#include "output.h"

#include <stddef.h>
#include <stdint.h>

struct encoder;

/* Takes compressed bytes; 0, or -1 and err to stop. */
typedef int encode_sink(void *context, const uint8_t *data, size_t length, struct error *err);

/* level 0: the default (gzip 1, zstd 3). NULL and err (invalid_argument for a level that does not exist). */
struct encoder *encoder_open(enum output_compression kind, int level, struct error *err);
void encoder_close(struct encoder *encoder);
int encode(struct encoder *encoder, const uint8_t *data, size_t length, encode_sink *sink, void *context,
           struct error *err);
/* Flushes and writes the trailer. */
int encode_finish(struct encoder *encoder, encode_sink *sink, void *context, struct error *err);

#endif

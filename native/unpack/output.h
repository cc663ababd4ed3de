/*
 * The writing pipeline: blocks of the plain stream → (compress) → descriptor, hashing both on the way.
 *
 * The caller appends bytes in place; one thread hashes the plain stream, one compresses, hashes and writes.
 * The result depends on the bytes and the level alone: no time stamps, no thread count, no file name in it.
 */
#ifndef BERTH_UNPACK_OUTPUT_H
#define BERTH_UNPACK_OUTPUT_H

#include "input.h"
#include "lib/error.h"

#include <stddef.h>
#include <stdint.h>

struct output;

enum output_compression { OUTPUT_NONE, OUTPUT_GZIP, OUTPUT_ZSTD };

/* "none", "gzip" or "zstd", as --compress takes it. */
int output_parse_compression(const char *text, enum output_compression *out, struct error *err);

/*
 * Starts the pipeline on fd, which stays the caller's. level 0 is the default of the compression. gzip levels
 * 1 to 3 are ISA-L's (fast; their bytes may differ between processor generations), 4 to 9 zlib's.
 */
struct output *output_open(int fd, enum output_compression compression, int level, struct error *err);

/* Where to write next, and how much fits there (> 0). NULL and err if the pipeline failed. */
uint8_t *output_room(struct output *out, size_t *room, struct error *err);
/* Says that the first `length` bytes of the room were filled. */
void output_advance(struct output *out, size_t length);
int output_append(struct output *out, const void *data, size_t length, struct error *err);
int output_zeros(struct output *out, uint64_t length, struct error *err);

/* Ends the stream, waits until everything is written, fills the summary. */
int output_finish(struct output *out, struct input_summary *summary, struct error *err);
/* Stops the threads and frees everything. out may be NULL. */
void output_close(struct output *out);

#endif

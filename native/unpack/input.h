/*
 * The reading pipeline: descriptor → (decompress) → blocks of the plain stream, hashing both on the way.
 *
 * Threads: one reads and hashes what was read, one decompresses, one hashes the plain stream; the caller
 * consumes plain blocks in place. A plain stream needs one hash only and no decompressing thread.
 */
#ifndef BERTH_UNPACK_INPUT_H
#define BERTH_UNPACK_INPUT_H

#include "lib/error.h"
#include "sha256.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct input;

struct input_summary {
    char digest[DIGEST_TEXT_SIZE];  /* of the bytes read */
    char diff_id[DIGEST_TEXT_SIZE]; /* of the plain stream */
    uint64_t size_bytes, plain_bytes;
};

/*
 * Starts the pipeline on fd, which stays the caller's. max_plain_bytes bounds the plain stream (0: no bound).
 * NULL and err on failure.
 */
struct input *input_open(int fd, uint64_t max_plain_bytes, struct error *err);

/*
 * The next block of the plain stream; the one before it is given back. Returns its length, 0 at the end, -1
 * and err if reading or decompressing failed.
 */
ssize_t input_next(struct input *in, const void **block, struct error *err);

/* Reads the rest of the stream (archives may be padded; the hash covers that), and fills the summary. */
int input_finish(struct input *in, struct input_summary *summary, struct error *err);

/* Stops the threads, wherever they are, and frees everything. in may be NULL. */
void input_close(struct input *in);

#endif

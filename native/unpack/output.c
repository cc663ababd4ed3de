#include "output.h"

#include "encode.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE (256u << 10)
#define PIPE_SIZE (1 << 20)

enum { CONSUMER_WRITE = 0, CONSUMER_HASH = 1 };

struct output {
    int fd;
    struct encoder *encoder; /* NULL: plain */
    struct ring plain;
    bool ring_ready, has_writer, has_hasher, failed;
    uint8_t *block; /* reserved, being filled; NULL if none */
    size_t filled;
    uint64_t size_bytes, plain_bytes;
    SHA256_CTX raw_hash, plain_hash;
    pthread_t writer, hasher;
    pthread_mutex_t lock;
    struct error error;
};

static void fail(struct output *out, const struct error *err) {
    pthread_mutex_lock(&out->lock);
    if (!out->failed) {
        out->failed = true;
        out->error = *err;
    }
    pthread_mutex_unlock(&out->lock);
    ring_cancel(&out->plain);
}

static int write_all(int fd, const uint8_t *data, size_t length, struct error *err) {
    while (length > 0) {
        ssize_t put = write(fd, data, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EPIPE)
            return error_set(err, "cancelled", "write", NULL, "the reader of the archive went away");
        if (put < 0)
            return error_errno(err, errno, "write", NULL, "cannot write the archive");
        data += put;
        length -= (size_t)put;
    }
    return 0;
}

/* Receives compressed bytes from the encoder. */
static int on_encoded(void *context, const uint8_t *data, size_t length, struct error *err) {
    struct output *out = context;
    SHA256_Update(&out->raw_hash, data, length);
    out->size_bytes += length;
    return write_all(out->fd, data, length, err);
}

static void *write_thread(void *argument) {
    struct output *out = argument;
    const uint8_t *block;
    size_t length;
    struct error err;
    int result = 0;
    while (result == 0 && (block = ring_peek(&out->plain, CONSUMER_WRITE, &length))) {
        result = out->encoder ? encode(out->encoder, block, length, on_encoded, out, &err)
                              : write_all(out->fd, block, length, &err);
        ring_release(&out->plain, CONSUMER_WRITE);
    }
    if (result == 0 && out->encoder && !out->plain.cancelled)
        result = encode_finish(out->encoder, on_encoded, out, &err);
    if (result < 0)
        fail(out, &err);
    return NULL;
}

static void *hash_thread(void *argument) {
    struct output *out = argument;
    const uint8_t *block;
    size_t length;
    while ((block = ring_peek(&out->plain, CONSUMER_HASH, &length))) {
        SHA256_Update(&out->plain_hash, block, length);
        ring_release(&out->plain, CONSUMER_HASH);
    }
    return NULL;
}

struct output *output_open(int fd, enum output_compression compression, int level, struct error *err) {
    struct output *out = calloc(1, sizeof(*out));
    if (!out) {
        error_errno(err, ENOMEM, "write", NULL, "no memory for the write pipeline");
        return NULL;
    }
    out->fd = fd;
    pthread_mutex_init(&out->lock, NULL);
    SHA256_Init(&out->raw_hash);
    SHA256_Init(&out->plain_hash);
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* only speed; fd may be no pipe */
    if (compression != OUTPUT_NONE && !(out->encoder = encoder_open(compression, level, err))) {
        output_close(out);
        return NULL;
    }
    out->ring_ready = ring_init(&out->plain, BLOCK_SIZE, 2) == 0;
    if (out->ring_ready) {
        out->has_writer = pthread_create(&out->writer, NULL, write_thread, out) == 0;
        out->has_hasher = pthread_create(&out->hasher, NULL, hash_thread, out) == 0;
    }
    if (!out->has_writer || !out->has_hasher) {
        error_errno(err, EAGAIN, "write", NULL, "cannot start the write pipeline");
        output_close(out);
        return NULL;
    }
    return out;
}

uint8_t *output_room(struct output *out, size_t *room, struct error *err) {
    if (!out->block) {
        out->block = ring_reserve(&out->plain);
        out->filled = 0;
    }
    if (!out->block) {
        pthread_mutex_lock(&out->lock);
        *err = out->error;
        pthread_mutex_unlock(&out->lock);
        return NULL;
    }
    *room = BLOCK_SIZE - out->filled;
    return out->block + out->filled;
}

void output_advance(struct output *out, size_t length) {
    out->filled += length;
    out->plain_bytes += length;
    if (out->filled == BLOCK_SIZE) {
        ring_commit(&out->plain, BLOCK_SIZE);
        out->block = NULL;
    }
}

int output_append(struct output *out, const void *data, size_t length, struct error *err) {
    const uint8_t *at = data;
    while (length > 0) {
        size_t room;
        uint8_t *to = output_room(out, &room, err);
        if (!to)
            return -1;
        size_t part = length < room ? length : room;
        memcpy(to, at, part);
        output_advance(out, part);
        at += part;
        length -= part;
    }
    return 0;
}

int output_zeros(struct output *out, uint64_t length, struct error *err) {
    while (length > 0) {
        size_t room;
        uint8_t *to = output_room(out, &room, err);
        if (!to)
            return -1;
        size_t part = length < room ? (size_t)length : room;
        memset(to, 0, part);
        output_advance(out, part);
        length -= part;
    }
    return 0;
}

static void join(struct output *out) {
    if (out->has_writer)
        pthread_join(out->writer, NULL);
    if (out->has_hasher)
        pthread_join(out->hasher, NULL);
    out->has_writer = out->has_hasher = false;
}

int output_finish(struct output *out, struct input_summary *summary, struct error *err) {
    if (out->block && out->filled > 0)
        ring_commit(&out->plain, out->filled);
    out->block = NULL;
    ring_end(&out->plain);
    join(out);
    if (out->failed) {
        *err = out->error;
        return -1;
    }
    sha256_text(&out->plain_hash, summary->diff_id);
    summary->plain_bytes = out->plain_bytes;
    if (out->encoder) {
        sha256_text(&out->raw_hash, summary->digest);
        summary->size_bytes = out->size_bytes;
    } else {
        memcpy(summary->digest, summary->diff_id, sizeof(summary->digest));
        summary->size_bytes = out->plain_bytes;
    }
    return 0;
}

void output_close(struct output *out) {
    if (!out)
        return;
    if (out->ring_ready) {
        ring_cancel(&out->plain);
        join(out);
        ring_free(&out->plain);
    }
    encoder_close(out->encoder);
    pthread_mutex_destroy(&out->lock);
    free(out);
}

int output_parse_compression(const char *text, enum output_compression *out, struct error *err) {
    static const char *const names[] = {"none", "gzip", "zstd"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum output_compression)i;
            return 0;
        }
    return error_set(err, "invalid_argument", "options", NULL,
                     "--compress is none, gzip or zstd, not \"%.64s\"", text);
}

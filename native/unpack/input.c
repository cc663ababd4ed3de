#include "input.h"

#include "decode.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Small enough for the blocks in flight to stay in the second-level cache, large enough that locks cost
 * nothing. */
#define BLOCK_SIZE (256u << 10)
#define PIPE_SIZE (1 << 20)

enum { CONSUMER_CALLER = 0, CONSUMER_HASH = 1 };

struct input {
    int fd;
    int wake[2]; /* closing wake[1] ends the reader's wait on a descriptor that never gets ready */
    uint64_t max_plain_bytes, size_bytes, plain_bytes;
    enum compression compression;
    size_t head_length; /* bytes of the first block, read before the threads start */
    uint8_t *head;
    struct ring raw;   /* what was read; used only if it is compressed */
    struct ring plain; /* consumed by the caller and by the hash thread */
    bool raw_ready, plain_ready;
    SHA256_CTX raw_hash, plain_hash;
    pthread_t reader, decoder, hasher;
    bool has_reader, has_decoder, has_hasher, holds_block;
    pthread_mutex_t lock;
    bool failed;
    struct error error; /* the first failure of a thread, under lock */
};

static void fail(struct input *in, const struct error *err) {
    pthread_mutex_lock(&in->lock);
    if (!in->failed) {
        in->failed = true;
        in->error = *err;
    }
    pthread_mutex_unlock(&in->lock);
    ring_cancel(&in->plain);
    if (in->raw_ready)
        ring_cancel(&in->raw);
}

/* Waits until the descriptor is readable or the pipeline is closed. False in the latter case. */
static bool wait_readable(struct input *in) {
    struct pollfd fds[2] = {{.fd = in->fd, .events = POLLIN}, {.fd = in->wake[0], .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    return fds[1].revents == 0;
}

/* Fills the buffer unless the stream ends first. Bytes read, or -1 and err; ECANCELED once closed. */
static ssize_t read_full(struct input *in, uint8_t *buffer, size_t size, struct error *err) {
    size_t used = 0;
    while (used < size) {
        if (!wait_readable(in))
            return error_errno(err, ECANCELED, "read", NULL, "reading the archive was cancelled");
        ssize_t got = read(in->fd, buffer + used, size - used);
        if (got == 0)
            break;
        if (got > 0)
            used += (size_t)got;
        else if (errno != EINTR && errno != EAGAIN)
            return error_errno(err, errno, "read", NULL, "cannot read the archive");
    }
    return (ssize_t)used;
}

static bool count_plain(struct input *in, size_t length) {
    in->plain_bytes += length;
    if (in->max_plain_bytes == 0 || in->plain_bytes <= in->max_plain_bytes)
        return true;
    struct error err;
    error_set(&err, "invalid_argument", "decompress", NULL,
              "the archive unpacks to more than the limit of %llu bytes",
              (unsigned long long)in->max_plain_bytes);
    fail(in, &err);
    return false;
}

static void *read_thread(void *argument) {
    struct input *in = argument;
    bool compressed = in->compression != COMPRESSION_NONE;
    struct ring *ring = compressed ? &in->raw : &in->plain;
    struct error err;
    bool first = true;
    for (;;) {
        uint8_t *block = ring_reserve(ring);
        if (!block)
            return NULL;
        ssize_t got;
        if (first) {
            memcpy(block, in->head, in->head_length);
            got = (ssize_t)in->head_length;
        } else {
            got = read_full(in, block, ring->block_size, &err);
        }
        first = false;
        if (got < 0) {
            fail(in, &err);
            return NULL;
        }
        if (got == 0)
            break;
        in->size_bytes += (size_t)got;
        if (compressed)
            SHA256_Update(&in->raw_hash, block, (size_t)got);
        else if (!count_plain(in, (size_t)got))
            return NULL;
        ring_commit(ring, (size_t)got);
        if ((size_t)got < ring->block_size)
            break;
    }
    ring_end(ring);
    return NULL;
}

/* Decodes one raw block into as many plain blocks as it takes. `out` is carried from call to call. */
static int decode_block(struct input *in, struct decoder *decoder, struct decode_buffers *io,
                        struct error *err) {
    for (;;) {
        if (!io->out) {
            io->out = ring_reserve(&in->plain);
            if (!io->out)
                return 1;
            io->out_left = BLOCK_SIZE;
        }
        if (decode_step(decoder, io, err) < 0)
            return -1;
        if (io->out_left > 0)
            return 0;
        if (!count_plain(in, BLOCK_SIZE))
            return 1;
        ring_commit(&in->plain, BLOCK_SIZE);
        io->out = NULL;
    }
}

static void *decode_thread(void *argument) {
    struct input *in = argument;
    struct error err;
    struct decode_buffers io = {0};
    int result = 0;
    struct decoder *decoder = decoder_open(in->compression, &err);
    if (!decoder)
        result = -1;
    while (result == 0) {
        size_t length;
        const uint8_t *block = ring_peek(&in->raw, 0, &length);
        if (!block)
            break;
        io.in = block;
        io.in_left = length;
        result = decode_block(in, decoder, &io, &err);
        ring_release(&in->raw, 0);
    }
    pthread_mutex_lock(&in->lock);
    bool failed = in->failed;
    pthread_mutex_unlock(&in->lock);
    if (result == 0 && !failed)
        result = decode_finish(decoder, &err);
    if (result < 0)
        fail(in, &err);
    if (result == 0 && io.out && io.out_left < BLOCK_SIZE && count_plain(in, BLOCK_SIZE - io.out_left))
        ring_commit(&in->plain, BLOCK_SIZE - io.out_left);
    decoder_close(decoder);
    ring_end(&in->plain);
    return NULL;
}

static void *hash_thread(void *argument) {
    struct input *in = argument;
    const uint8_t *block;
    size_t length;
    while ((block = ring_peek(&in->plain, CONSUMER_HASH, &length))) {
        SHA256_Update(&in->plain_hash, block, length);
        ring_release(&in->plain, CONSUMER_HASH);
    }
    return NULL;
}

static int start(struct input *in, struct error *err) {
    /* A failure to enlarge the pipe only costs speed; fd may be a file or a socket. */
    (void)fcntl(in->fd, F_SETPIPE_SZ, PIPE_SIZE);
    ssize_t got = read_full(in, in->head, BLOCK_SIZE, err);
    if (got < 0)
        return -1;
    in->head_length = (size_t)got;
    in->compression = decode_detect(in->head, in->head_length);
    in->plain_ready = ring_init(&in->plain, BLOCK_SIZE, 2) == 0;
    if (in->compression != COMPRESSION_NONE)
        in->raw_ready = ring_init(&in->raw, BLOCK_SIZE, 1) == 0;
    if (!in->plain_ready || (in->compression != COMPRESSION_NONE && !in->raw_ready))
        return error_errno(err, ENOMEM, "read", NULL, "no memory for the read buffers");
    in->has_hasher = pthread_create(&in->hasher, NULL, hash_thread, in) == 0;
    if (in->compression != COMPRESSION_NONE)
        in->has_decoder = pthread_create(&in->decoder, NULL, decode_thread, in) == 0;
    in->has_reader = pthread_create(&in->reader, NULL, read_thread, in) == 0;
    if (!in->has_hasher || !in->has_reader || (in->raw_ready && !in->has_decoder))
        return error_errno(err, EAGAIN, "read", NULL, "cannot start a thread");
    return 0;
}

struct input *input_open(int fd, uint64_t max_plain_bytes, struct error *err) {
    struct input *in = calloc(1, sizeof(*in));
    if (!in) {
        error_errno(err, ENOMEM, "read", NULL, "no memory for the read pipeline");
        return NULL;
    }
    in->fd = fd;
    in->max_plain_bytes = max_plain_bytes;
    in->wake[0] = in->wake[1] = -1;
    pthread_mutex_init(&in->lock, NULL);
    SHA256_Init(&in->raw_hash);
    SHA256_Init(&in->plain_hash);
    in->head = malloc(BLOCK_SIZE);
    int result = 0;
    if (!in->head || pipe2(in->wake, O_CLOEXEC) < 0)
        result = error_errno(err, errno, "read", NULL, "cannot set up the read pipeline");
    if (result == 0)
        result = start(in, err);
    if (result < 0) {
        input_close(in);
        return NULL;
    }
    return in;
}

ssize_t input_next(struct input *in, const void **block, struct error *err) {
    size_t length = 0;
    if (in->holds_block)
        ring_release(&in->plain, CONSUMER_CALLER);
    *block = ring_peek(&in->plain, CONSUMER_CALLER, &length);
    in->holds_block = *block != NULL;
    if (*block)
        return (ssize_t)length;
    pthread_mutex_lock(&in->lock);
    bool failed = in->failed;
    if (failed)
        *err = in->error;
    pthread_mutex_unlock(&in->lock);
    return failed ? -1 : 0;
}

int input_finish(struct input *in, struct input_summary *summary, struct error *err) {
    const void *block;
    ssize_t length;
    while ((length = input_next(in, &block, err)) > 0)
        ;
    if (length < 0)
        return -1;
    /* Every block has been consumed by us; the hash thread may be a few behind. */
    pthread_join(in->hasher, NULL);
    in->has_hasher = false;
    sha256_text(&in->plain_hash, summary->diff_id);
    if (in->compression == COMPRESSION_NONE)
        memcpy(summary->digest, summary->diff_id, sizeof(summary->digest));
    else
        sha256_text(&in->raw_hash, summary->digest);
    summary->size_bytes = in->size_bytes;
    summary->plain_bytes = in->plain_bytes;
    return 0;
}

void input_close(struct input *in) {
    if (!in)
        return;
    if (in->plain_ready)
        ring_cancel(&in->plain);
    if (in->raw_ready)
        ring_cancel(&in->raw);
    if (in->wake[1] >= 0)
        close(in->wake[1]);
    if (in->has_reader)
        pthread_join(in->reader, NULL);
    if (in->has_decoder)
        pthread_join(in->decoder, NULL);
    if (in->has_hasher)
        pthread_join(in->hasher, NULL);
    if (in->wake[0] >= 0)
        close(in->wake[0]);
    ring_free(&in->plain);
    ring_free(&in->raw);
    free(in->head);
    pthread_mutex_destroy(&in->lock);
    free(in);
}

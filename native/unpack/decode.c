#include "decode.h"

#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* A window of 128 MiB is what `zstd --long` asks for at most by default; more is a memory bomb. */
#define ZSTD_WINDOW_LOG_LIMIT 27
#define XZ_MEMORY_LIMIT (256u << 20)

struct decoder {
    enum compression kind;
    bool between_members; /* a member has ended and no byte of another has been seen */
    bool over;            /* gzip: what follows is no member */
    union {
        struct inflate_state gzip;
        ZSTD_DStream *zstd;
        bz_stream bzip2;
        lzma_stream xz;
    };
};

enum compression decode_detect(const uint8_t *head, size_t length) {
    if (length >= 2 && head[0] == 0x1f && head[1] == 0x8b)
        return COMPRESSION_GZIP;
    if (length >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
        return COMPRESSION_ZSTD;
    /* A zstd stream may begin with a skippable frame (seekable and eStargz-like layers do). */
    if (length >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0)
        return COMPRESSION_ZSTD;
    if (length >= 4 && memcmp(head, "BZh", 3) == 0 && head[3] >= '1' && head[3] <= '9')
        return COMPRESSION_BZIP2;
    if (length >= 6 && memcmp(head,
                              "\xfd"
                              "7zXZ\0",
                              6) == 0)
        return COMPRESSION_XZ;
    return COMPRESSION_NONE;
}

static int damaged(struct error *err, const char *what, const char *why) {
    return error_set(err, "invalid_argument", "decompress", NULL, "the %s stream is damaged: %s", what, why);
}

static int open_member(struct decoder *d) {
    switch (d->kind) {
    case COMPRESSION_GZIP:
        isal_inflate_init(&d->gzip);
        d->gzip.crc_flag = ISAL_GZIP;
        return 0;
    case COMPRESSION_ZSTD:
        d->zstd = ZSTD_createDStream();
        return d->zstd && !ZSTD_isError(
                              ZSTD_DCtx_setParameter(d->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_LIMIT))
                   ? 0
                   : -1;
    case COMPRESSION_BZIP2:
        memset(&d->bzip2, 0, sizeof(d->bzip2));
        return BZ2_bzDecompressInit(&d->bzip2, 0, 0) == BZ_OK ? 0 : -1;
    case COMPRESSION_XZ:
        d->xz = (lzma_stream)LZMA_STREAM_INIT;
        return lzma_stream_decoder(&d->xz, XZ_MEMORY_LIMIT, LZMA_CONCATENATED) == LZMA_OK ? 0 : -1;
    case COMPRESSION_NONE:
        break;
    }
    return -1;
}

struct decoder *decoder_open(enum compression kind, struct error *err) {
    struct decoder *d = calloc(1, sizeof(*d));
    if (d) {
        d->kind = kind;
        if (open_member(d) == 0)
            return d;
        decoder_close(d);
    }
    error_set(err, "resource_exhausted", "decompress", NULL, "no memory for a decompressor");
    return NULL;
}

void decoder_close(struct decoder *d) {
    if (!d)
        return;
    if (d->kind == COMPRESSION_ZSTD)
        ZSTD_freeDStream(d->zstd);
    else if (d->kind == COMPRESSION_BZIP2)
        BZ2_bzDecompressEnd(&d->bzip2);
    else if (d->kind == COMPRESSION_XZ)
        lzma_end(&d->xz);
    free(d);
}

static int step_gzip(struct decoder *d, struct decode_buffers *io, struct error *err) {
    struct inflate_state *s = &d->gzip;
    if (d->over)
        io->in_left = 0;
    while (io->in_left > 0 || s->block_state != ISAL_BLOCK_FINISH) {
        if (s->block_state == ISAL_BLOCK_FINISH) {
            d->over = io->in[0] != 0x1f;
            if (d->over) {
                io->in_left = 0;
                break;
            }
            isal_inflate_reset(s);
            s->crc_flag = ISAL_GZIP;
            d->between_members = false;
        }
        s->next_in = (uint8_t *)io->in;
        s->avail_in = (uint32_t)io->in_left;
        s->next_out = io->out;
        s->avail_out = (uint32_t)io->out_left;
        int result = isal_inflate(s);
        bool moved = s->avail_in != io->in_left || s->avail_out != io->out_left;
        io->in = s->next_in;
        io->in_left = s->avail_in;
        io->out = s->next_out;
        io->out_left = s->avail_out;
        if (result == ISAL_INCORRECT_CHECKSUM)
            return damaged(err, "gzip", "the checksum is wrong");
        if (result < 0)
            return damaged(err, "gzip", "not valid deflate data");
        if (s->block_state == ISAL_BLOCK_FINISH)
            d->between_members = true;
        else if (!moved || io->out_left == 0)
            return 0;
    }
    return 0;
}

static int step_zstd(struct decoder *d, struct decode_buffers *io, struct error *err) {
    for (;;) {
        ZSTD_inBuffer in = {io->in, io->in_left, 0};
        ZSTD_outBuffer out = {io->out, io->out_left, 0};
        size_t result = ZSTD_decompressStream(d->zstd, &out, &in);
        io->in += in.pos;
        io->in_left -= in.pos;
        io->out += out.pos;
        io->out_left -= out.pos;
        if (ZSTD_isError(result))
            return damaged(err, "zstd", ZSTD_getErrorName(result));
        if (in.pos > 0 || out.pos > 0) /* a call without progress speaks of a frame that is not there */
            d->between_members = result == 0;
        if (io->out_left == 0 || (io->in_left == 0 && out.pos == 0))
            return 0;
        if (in.pos == 0 && out.pos == 0)
            return 0;
    }
}

static int step_bzip2(struct decoder *d, struct decode_buffers *io, struct error *err) {
    while (io->in_left > 0 && io->out_left > 0) {
        if (d->between_members) {
            BZ2_bzDecompressEnd(&d->bzip2);
            if (open_member(d) < 0)
                return error_set(err, "resource_exhausted", "decompress", NULL, "no memory for bzip2");
            d->between_members = false;
        }
        bz_stream *s = &d->bzip2;
        s->next_in = (char *)io->in;
        s->avail_in = (unsigned)io->in_left;
        s->next_out = (char *)io->out;
        s->avail_out = (unsigned)io->out_left;
        int result = BZ2_bzDecompress(s);
        io->in += io->in_left - s->avail_in;
        io->in_left = s->avail_in;
        io->out += io->out_left - s->avail_out;
        io->out_left = s->avail_out;
        if (result != BZ_OK && result != BZ_STREAM_END)
            return damaged(err, "bzip2", "not valid bzip2 data");
        d->between_members = result == BZ_STREAM_END;
    }
    return 0;
}

static int step_xz(struct decoder *d, struct decode_buffers *io, struct error *err) {
    lzma_stream *s = &d->xz;
    s->next_in = io->in;
    s->avail_in = io->in_left;
    s->next_out = io->out;
    s->avail_out = io->out_left;
    lzma_ret result = lzma_code(s, LZMA_RUN);
    io->in = s->next_in;
    io->in_left = s->avail_in;
    io->out = s->next_out;
    io->out_left = s->avail_out;
    if (result == LZMA_MEMLIMIT_ERROR)
        return damaged(err, "xz", "it needs more than 256 MiB of memory");
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR)
        return damaged(err, "xz", "not valid xz data");
    return 0;
}

int decode_step(struct decoder *d, struct decode_buffers *io, struct error *err) {
    switch (d->kind) {
    case COMPRESSION_GZIP:
        return step_gzip(d, io, err);
    case COMPRESSION_ZSTD:
        return step_zstd(d, io, err);
    case COMPRESSION_BZIP2:
        return step_bzip2(d, io, err);
    case COMPRESSION_XZ:
        return step_xz(d, io, err);
    case COMPRESSION_NONE:
        break;
    }
    return error_set(err, "internal", "decompress", NULL, "no decompressor for a plain stream");
}

int decode_finish(struct decoder *d, struct error *err) {
    if (d->kind == COMPRESSION_XZ) {
        uint8_t none;
        d->xz.next_in = NULL;
        d->xz.avail_in = 0;
        d->xz.next_out = &none;
        d->xz.avail_out = 0;
        d->between_members = lzma_code(&d->xz, LZMA_FINISH) == LZMA_STREAM_END;
    }
    if (!d->between_members)
        return error_set(err, "invalid_argument", "decompress", NULL,
                         "the compressed stream is cut: it ends in the middle");
    return 0;
}

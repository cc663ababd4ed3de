#include "encode.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define OUT_SIZE (256u << 10)
#define GZIP_DEFAULT_LEVEL 1
#define ZSTD_DEFAULT_LEVEL 3
#define ISAL_HIGHEST 3

enum method { METHOD_ISAL, METHOD_ZLIB, METHOD_ZSTD };

struct encoder {
    enum method method;
    union {
        struct isal_zstream isal;
        z_stream zlib;
        ZSTD_CCtx *zstd;
    };
    uint8_t *level_buffer;
    uint8_t out[OUT_SIZE];
};

static int open_isal(struct encoder *e, int level) {
    static const uint32_t sizes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                     ISAL_DEF_LVL3_DEFAULT};
    e->level_buffer = malloc(sizes[level]);
    if (!e->level_buffer)
        return -1;
    isal_deflate_init(&e->isal);
    e->isal.level = (uint32_t)level;
    e->isal.level_buf = e->level_buffer;
    e->isal.level_buf_size = sizes[level];
    e->isal.gzip_flag = IGZIP_GZIP; /* its header has no time stamp and no name */
    e->isal.flush = NO_FLUSH;
    return 0;
}

static int open_zstd(struct encoder *e, int level) {
    e->zstd = ZSTD_createCCtx();
    return e->zstd && !ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, level)) &&
                   !ZSTD_isError(ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_checksumFlag, 1))
               ? 0
               : -1;
}

struct encoder *encoder_open(enum output_compression kind, int level, struct error *err) {
    int highest = kind == OUTPUT_GZIP ? 9 : 19;
    if (level < 0 || level > highest) {
        error_set(err, "invalid_argument", "compress", NULL, "compression level %d is not within 1 and %d",
                  level, highest);
        return NULL;
    }
    struct encoder *e = calloc(1, sizeof(*e));
    int result = -1;
    if (e && kind == OUTPUT_GZIP) {
        level = level ? level : GZIP_DEFAULT_LEVEL;
        e->method = level <= ISAL_HIGHEST ? METHOD_ISAL : METHOD_ZLIB;
        result =
            e->method == METHOD_ISAL
                ? open_isal(e, level)
                : (deflateInit2(&e->zlib, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK ? 0
                                                                                                     : -1);
    } else if (e) {
        e->method = METHOD_ZSTD;
        result = open_zstd(e, level ? level : ZSTD_DEFAULT_LEVEL);
    }
    if (result == 0)
        return e;
    encoder_close(e);
    error_set(err, "resource_exhausted", "compress", NULL, "no memory for a compressor");
    return NULL;
}

void encoder_close(struct encoder *e) {
    if (!e)
        return;
    if (e->method == METHOD_ZLIB)
        deflateEnd(&e->zlib);
    else if (e->method == METHOD_ZSTD)
        ZSTD_freeCCtx(e->zstd);
    free(e->level_buffer);
    free(e);
}

static int run_isal(struct encoder *e, const uint8_t *data, size_t length, int last, encode_sink *sink,
                    void *context, struct error *err) {
    e->isal.next_in = (uint8_t *)data;
    e->isal.avail_in = (uint32_t)length;
    e->isal.end_of_stream = (uint16_t)last;
    do {
        e->isal.next_out = e->out;
        e->isal.avail_out = OUT_SIZE;
        if (isal_deflate(&e->isal) != COMP_OK)
            return error_set(err, "internal", "compress", NULL, "the gzip compressor failed");
        size_t made = OUT_SIZE - e->isal.avail_out;
        if (made > 0 && sink(context, e->out, made, err) < 0)
            return -1;
    } while (e->isal.avail_out == 0);
    return 0;
}

static int run_zlib(struct encoder *e, const uint8_t *data, size_t length, int last, encode_sink *sink,
                    void *context, struct error *err) {
    e->zlib.next_in = (uint8_t *)data;
    e->zlib.avail_in = (unsigned)length;
    do {
        e->zlib.next_out = e->out;
        e->zlib.avail_out = OUT_SIZE;
        if (deflate(&e->zlib, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
            return error_set(err, "internal", "compress", NULL, "the gzip compressor failed");
        size_t made = OUT_SIZE - e->zlib.avail_out;
        if (made > 0 && sink(context, e->out, made, err) < 0)
            return -1;
    } while (e->zlib.avail_out == 0);
    return 0;
}

static int run_zstd(struct encoder *e, const uint8_t *data, size_t length, int last, encode_sink *sink,
                    void *context, struct error *err) {
    ZSTD_inBuffer in = {data, length, 0};
    for (;;) {
        ZSTD_outBuffer out = {e->out, OUT_SIZE, 0};
        size_t left = ZSTD_compressStream2(e->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return error_set(err, "internal", "compress", NULL, "the zstd compressor failed: %s",
                             ZSTD_getErrorName(left));
        if (out.pos > 0 && sink(context, e->out, out.pos, err) < 0)
            return -1;
        if (last ? left == 0 : in.pos == in.size)
            return 0;
    }
}

static int run(struct encoder *e, const uint8_t *data, size_t length, int last, encode_sink *sink,
               void *context, struct error *err) {
    switch (e->method) {
    case METHOD_ISAL:
        return run_isal(e, data, length, last, sink, context, err);
    case METHOD_ZLIB:
        return run_zlib(e, data, length, last, sink, context, err);
    case METHOD_ZSTD:
        return run_zstd(e, data, length, last, sink, context, err);
    }
    return -1;
}

int encode(struct encoder *e, const uint8_t *data, size_t length, encode_sink *sink, void *context,
           struct error *err) {
    return run(e, data, length, 0, sink, context, err);
}

int encode_finish(struct encoder *e, encode_sink *sink, void *context, struct error *err) {
    return run(e, NULL, 0, 1, sink, context, err);
}

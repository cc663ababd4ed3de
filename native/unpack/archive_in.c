#include "archive_in.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * File names are bytes. libarchive would convert pax names from UTF-8 to the locale's character set through
 * iconv, which in glibc loads gconv modules, and normalises them on the way. These three definitions take the
 * place of libc's in this program: no conversion exists, so libarchive keeps the raw bytes (and warns, see
 * is_harmless), and no shared object is ever loaded on behalf of an archive.
 */
iconv_t iconv_open(const char *to, const char *from) {
    (void)to;
    (void)from;
    errno = EINVAL;
    return (iconv_t)-1;
}

size_t iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left) {
    (void)cd;
    (void)in;
    (void)in_left;
    (void)out;
    (void)out_left;
    errno = EBADF;
    return (size_t)-1;
}

int iconv_close(iconv_t cd) {
    (void)cd;
    return 0;
}

/* Keeps the stream's last bytes for is_end_cut. */
static void remember_tail(struct archive_in *a, const uint8_t *block, size_t length) {
    size_t room = sizeof(a->tail), fresh = length < room ? length : room;
    memmove(a->tail, a->tail + fresh, room - fresh);
    memcpy(a->tail + room - fresh, block + length - fresh, fresh);
    a->total += length;
}

static la_ssize_t on_read(struct archive *archive, void *context, const void **block) {
    struct archive_in *a = context;
    ssize_t length = input_next(a->input, block, &a->error);
    if (length < 0) {
        a->failed = 1;
        archive_set_error(archive, EIO, "the stream failed");
    } else if (length > 0) {
        remember_tail(a, *block, (size_t)length);
    }
    return length;
}

static int report(struct archive_in *a, struct error *err) {
    if (a->failed) {
        *err = a->error;
        return -1;
    }
    const char *why = archive_error_string(a->archive);
    return error_set(
        err, "invalid_argument", "read archive", a->last, "the archive is damaged or cut %s\"%.256s\": %s",
        *a->last ? "at or after " : "before the first entry ", a->last, why ? why : "unknown reason");
}

/* The names' raw bytes were kept: see iconv_open above. */
static int is_harmless(struct archive *archive) {
    const char *why = archive_error_string(archive);
    return why && strstr(why, "can't be converted") != NULL;
}

/*
 * The docker command line (`build -f` with a file outside the context) sends archives that end with the last
 * byte of the last file: neither its padding nor the two zero blocks. Nothing is missing then.
 */
static int is_only_padding_cut(const struct archive_in *a) {
    const char *why = archive_error_string(a->archive);
    unsigned needed, available;
    return a->content_left == 0 && why &&
           sscanf(why, "Truncated input file (needed %u bytes, only %u available)", &needed, &available) ==
               2 &&
           needed < 512 && available == 0;
}

static bool is_zero(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (bytes[i])
            return false;
    return true;
}

/*
 * Two blocks of zeros end an archive. libarchive is content with the first; Docker's reader (Go's
 * archive/tar) refuses a second one that is cut, since what was cut there may have been cut before. What
 * follows two whole ones is nobody's business.
 */
static bool is_end_cut(const struct archive_in *a) {
    size_t part = a->total % TAR_BLOCK;
    const uint8_t *end = a->tail + sizeof(a->tail) - part;
    if (part == 0 || a->total < TAR_BLOCK || !is_zero(end, part))
        return false;
    return a->total < 2 * TAR_BLOCK || !is_zero(end - 2 * TAR_BLOCK, 2 * TAR_BLOCK);
}

int archive_in_open(struct archive_in *a, struct input *input, struct error *err) {
    *a = (struct archive_in){.input = input, .archive = archive_read_new()};
    if (!a->archive)
        return error_errno(err, ENOMEM, "read archive", NULL, "no memory for the archive reader");
    archive_read_support_format_tar(a->archive);
    archive_read_support_format_empty(a->archive);
    if (archive_read_open(a->archive, a, NULL, on_read, NULL) != ARCHIVE_OK) {
        int result = a->failed ? report(a, err)
                               : error_set(err, "invalid_argument", "read archive", NULL,
                                           "this is not a tar archive (plain, gzip, zstd, bzip2 or xz)");
        archive_in_close(a);
        return result;
    }
    return 0;
}

int archive_in_next(struct archive_in *a, struct archive_entry **entry, struct error *err) {
    if (a->ended)
        return 0;
    int result = archive_read_next_header(a->archive, entry);
    if (result == ARCHIVE_EOF && !a->failed && is_end_cut(a))
        return error_set(err, "invalid_argument", "read archive", a->last,
                         "the archive is cut in the blocks that end it, after \"%.256s\"", a->last);
    if (result == ARCHIVE_EOF)
        return a->failed ? report(a, err) : 0;
    if (result == ARCHIVE_FATAL && !a->failed && is_only_padding_cut(a))
        return 0;
    if (result != ARCHIVE_OK && !(result == ARCHIVE_WARN && is_harmless(a->archive)))
        return report(a, err);
    const char *name = archive_entry_pathname(*entry);
    if (!name)
        return error_set(err, "invalid_argument", "read archive", a->last,
                         "the archive has an entry without a name after \"%.256s\"", a->last);
    snprintf(a->last, sizeof(a->last), "%s", name);
    a->entry_size = a->content_left = archive_entry_size(*entry);
    return 1;
}

int archive_in_data(struct archive_in *a, const void **data, size_t *length, int64_t *offset,
                    struct error *err) {
    int result = archive_read_data_block(a->archive, data, length, offset);
    if (result == ARCHIVE_FATAL && !a->failed && is_only_padding_cut(a)) {
        a->ended = 1;
        return 0;
    }
    if (result == ARCHIVE_OK)
        a->content_left = a->entry_size - *offset - (int64_t)*length;
    if (result == ARCHIVE_EOF)
        return 0;
    return result == ARCHIVE_OK ? 1 : report(a, err);
}

void archive_in_close(struct archive_in *a) {
    if (a->archive)
        archive_read_free(a->archive);
    a->archive = NULL;
}

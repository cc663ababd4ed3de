#include "tar_write.h"

#include "overlay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define BLOCK 512
#define OCTAL_8_LIMIT 2097152u       /* 8^7: what a 7-digit field cannot hold */
#define OCTAL_12_LIMIT 8589934592ull /* 8^11 */

/* POSIX ustar header block. */
struct ustar {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], typeflag, linkname[100],
        magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar block has 512 bytes");

/* Records of a pax extended header, growing. */
struct records {
    char *data;
    size_t length, capacity;
    bool failed;
};

static void append(struct records *r, const void *data, size_t length) {
    if (r->failed || length == 0)
        return;
    if (!r->data || r->length + length > r->capacity) {
        size_t capacity = (r->length + length) * 2 + 256;
        char *larger = realloc(r->data, capacity);
        if (!larger) {
            r->failed = true;
            return;
        }
        r->data = larger;
        r->capacity = capacity;
    }
    memcpy(r->data + r->length, data, length);
    r->length += length;
}

/* One record is "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void record(struct records *r, const char *prefix, const char *key, const void *value, size_t size) {
    size_t body = strlen(prefix) + strlen(key) + size + 3; /* space, '=', newline */
    size_t total = body + 1;
    char digits[24];
    int count;
    while ((count = snprintf(digits, sizeof(digits), "%zu", total)), body + (size_t)count != total)
        total = body + (size_t)count;
    append(r, digits, (size_t)count);
    append(r, " ", 1);
    append(r, prefix, strlen(prefix));
    append(r, key, strlen(key));
    append(r, "=", 1);
    append(r, value, size);
    append(r, "\n", 1);
}

static void record_text(struct records *r, const char *key, const char *value) {
    record(r, "", key, value, strlen(value));
}

static void record_number(struct records *r, const char *key, uint64_t value) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, value);
    record_text(r, key, text);
}

static bool is_ascii(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* Fits a 100-byte field as it is? */
static bool is_plain(const char *text) {
    return strlen(text) <= 100 && is_ascii(text);
}

/* Copies what fits, other bytes than ASCII left out: the pax record has the truth. */
static void put_text(char *field, size_t size, const char *text) {
    size_t used = 0;
    for (; *text && used < size; text++)
        if ((unsigned char)*text < 0x80)
            field[used++] = *text;
}

static void put_octal(char *field, size_t size, uint64_t value) {
    char text[32];
    snprintf(text, sizeof(text), "%0*" PRIo64, (int)size - 1, value);
    memcpy(field, text, size); /* with the NUL */
}

static void finish_block(struct ustar *h) {
    memcpy(h->magic, "ustar", 6);
    memcpy(h->version, "00", 2);
    memset(h->checksum, ' ', sizeof(h->checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(*h); i++)
        sum += ((const unsigned char *)h)[i];
    char text[16];
    snprintf(text, sizeof(text), "%06o", sum & 0777777);
    memcpy(h->checksum, text, 7);
    h->checksum[7] = ' ';
}

/* Keys in alphabetical order: gid, linkpath, mtime, path, SCHILY…, size, uid would be mixed case; fixed order
 * here. */
static void collect(struct records *r, const struct tar_entry *e, const char *path) {
    if (e->xattrs)
        for (size_t i = 0; i < e->xattrs->count; i++)
            record(r, "SCHILY.xattr.", e->xattrs->list[i].name, e->xattrs->list[i].value,
                   e->xattrs->list[i].size);
    if (e->gid >= OCTAL_8_LIMIT)
        record_number(r, "gid", e->gid);
    if (e->linkname && !is_plain(e->linkname))
        record_text(r, "linkpath", e->linkname);
    if (e->mtime.tv_nsec != 0 || e->mtime.tv_sec < 0 || (uint64_t)e->mtime.tv_sec >= OCTAL_12_LIMIT) {
        char text[48];
        int64_t seconds = e->mtime.tv_sec;
        long nanos = e->mtime.tv_nsec;
        bool negative = seconds < 0;
        if (negative && nanos > 0) { /* -1 s + 0.25 s is written -0.75 */
            seconds++;
            nanos = 1000000000 - nanos;
        }
        int used = snprintf(text, sizeof(text), "%s%" PRId64, negative && seconds == 0 ? "-" : "", seconds);
        if (nanos != 0) {
            used += snprintf(text + used, sizeof(text) - (size_t)used, ".%09ld", nanos);
            while (text[used - 1] == '0')
                text[--used] = '\0';
        }
        record_text(r, "mtime", text);
    }
    if (!is_plain(path))
        record_text(r, "path", path);
    if (e->size >= OCTAL_12_LIMIT)
        record_number(r, "size", e->size);
    if (e->uid >= OCTAL_8_LIMIT)
        record_number(r, "uid", e->uid);
}

static int write_extended(struct output *out, const struct records *r, const char *path, struct error *err) {
    struct ustar h = {.typeflag = 'x'};
    const char *slash = strrchr(path, '/');
    int directory = slash ? (int)(slash - path < 80 ? slash - path + 1 : 0) : 0;
    char name[160];
    snprintf(name, sizeof(name), "%.*sPaxHeaders.0/%.60s", directory, path,
             slash && slash[1] ? slash + 1 : path);
    put_text(h.name, sizeof(h.name), name);
    put_octal(h.mode, sizeof(h.mode), 0644);
    put_octal(h.uid, sizeof(h.uid), 0);
    put_octal(h.gid, sizeof(h.gid), 0);
    put_octal(h.size, sizeof(h.size), r->length);
    put_octal(h.mtime, sizeof(h.mtime), 0);
    finish_block(&h);
    if (output_append(out, &h, sizeof(h), err) < 0 || output_append(out, r->data, r->length, err) < 0)
        return -1;
    return tar_pad(out, r->length, err);
}

static int write_ustar(struct output *out, const struct tar_entry *e, const char *path, struct error *err) {
    struct ustar h = {.typeflag = e->type};
    put_text(h.name, sizeof(h.name), path);
    put_octal(h.mode, sizeof(h.mode), e->mode & 07777);
    put_octal(h.uid, sizeof(h.uid), e->uid < OCTAL_8_LIMIT ? e->uid : 0);
    put_octal(h.gid, sizeof(h.gid), e->gid < OCTAL_8_LIMIT ? e->gid : 0);
    put_octal(h.size, sizeof(h.size), e->size < OCTAL_12_LIMIT ? e->size : 0);
    bool fits = e->mtime.tv_sec >= 0 && (uint64_t)e->mtime.tv_sec < OCTAL_12_LIMIT;
    put_octal(h.mtime, sizeof(h.mtime), fits ? (uint64_t)e->mtime.tv_sec : 0);
    if (e->linkname)
        put_text(h.linkname, sizeof(h.linkname), e->linkname);
    if (e->type == '3' || e->type == '4') {
        put_octal(h.devmajor, sizeof(h.devmajor), e->device_major);
        put_octal(h.devminor, sizeof(h.devminor), e->device_minor);
    }
    finish_block(&h);
    return output_append(out, &h, sizeof(h), err);
}

static bool ends_in_slash(const char *path) {
    size_t length = strlen(path);
    return length > 0 && path[length - 1] == '/';
}

int tar_header(struct output *out, const struct tar_entry *e, struct error *err) {
    struct records r = {0};
    char *path = NULL;
    if (asprintf(&path, "%s%s", *e->path ? e->path : ".",
                 e->type == '5' && !ends_in_slash(e->path) ? "/" : "") < 0)
        return error_errno(err, ENOMEM, "write", e->path, "no memory for a header");
    collect(&r, e, path);
    int result = r.failed ? error_errno(err, ENOMEM, "write", e->path, "no memory for a header") : 0;
    if (result == 0 && r.length > 0)
        result = write_extended(out, &r, path, err);
    if (result == 0)
        result = write_ustar(out, e, path, err);
    free(r.data);
    free(path);
    return result;
}

int tar_pad(struct output *out, uint64_t size, struct error *err) {
    return output_zeros(out, (BLOCK - size % BLOCK) % BLOCK, err);
}

int tar_end(struct output *out, struct error *err) {
    return output_zeros(out, 2 * BLOCK, err);
}

static bool belongs_in_archive(const char *name) {
    if (overlay_is_private_xattr(name))
        return false;
    return strcmp(name, "security.capability") == 0 || strncmp(name, "user.", 5) == 0 ||
           strncmp(name, "trusted.", 8) == 0 || strncmp(name, "system.posix_acl_", 17) == 0;
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct tar_xattr *)a)->name, ((const struct tar_xattr *)b)->name);
}

static int add_xattr(struct tar_xattrs *xattrs, const char *path, const char *name, struct error *err) {
    char *value = malloc(XATTR_VALUE_LIMIT);
    ssize_t size = value ? lgetxattr(path, name, value, XATTR_VALUE_LIMIT) : -1;
    if (size < 0) {
        int number = errno;
        free(value);
        if (number == ENODATA)
            return 0; /* removed meanwhile */
        return error_errno(err, number, "xattr", name, "cannot read the attribute %.128s", name);
    }
    struct tar_xattr *list = realloc(xattrs->list, (xattrs->count + 1) * sizeof(*list));
    if (list)
        xattrs->list = list;
    char *copy = strdup(name);
    if (!list || !copy) {
        free(value);
        free(copy);
        return error_errno(err, ENOMEM, "xattr", name, "no memory for attributes");
    }
    xattrs->list[xattrs->count++] = (struct tar_xattr){.name = copy, .value = value, .size = (size_t)size};
    return 0;
}

int tar_xattrs_read(struct tar_xattrs *xattrs, int parent, const char *name, struct error *err) {
    char path[320], small[1024];
    *xattrs = (struct tar_xattrs){0};
    overlay_entry_path(path, parent, *name ? name : ".");
    ssize_t length = llistxattr(path, small, sizeof(small));
    if (length == 0 || (length < 0 && (errno == EOPNOTSUPP || errno == ENOENT)))
        return 0;
    char *names = small, *large = NULL;
    if (length < 0 && errno == ERANGE) {
        names = large = malloc(XATTR_VALUE_LIMIT);
        length = large ? llistxattr(path, large, XATTR_VALUE_LIMIT) : -1;
    }
    int result =
        length < 0 ? error_errno(err, errno, "xattr", name, "cannot list the attributes of \"%.256s\"", name)
                   : 0;
    for (char *at = names; result == 0 && at < names + length; at += strlen(at) + 1)
        if (belongs_in_archive(at))
            result = add_xattr(xattrs, path, at, err);
    free(large);
    if (result < 0)
        tar_xattrs_free(xattrs);
    else if (xattrs->count > 1)
        qsort(xattrs->list, xattrs->count, sizeof(*xattrs->list), compare);
    return result;
}

void tar_xattrs_free(struct tar_xattrs *xattrs) {
    for (size_t i = 0; i < xattrs->count; i++) {
        free(xattrs->list[i].name);
        free(xattrs->list[i].value);
    }
    free(xattrs->list);
    *xattrs = (struct tar_xattrs){0};
}

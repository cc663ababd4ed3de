/* Finding a compiled program in the cache, and loading it. See seccomp.h. */
#include "seccomp_filter.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* "@" cannot be in a container id, so the directory is nobody's state. */
#define CACHE_DIRECTORY "seccomp@cache"
enum { CACHE_VERSION = 2, CACHE_MAX_BYTES = 4 << 20 };

/* A cache file: this, the key's text, the program. The whole text is compared: a hash alone could be made to
 * collide. */
struct cache_header {
    char magic[8];
    uint32_t version, key_length, count, notify;
};

static uint64_t hash(const char *text, size_t length) {
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a; only names the file */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return h;
}

static int read_whole(int fd, void *into, size_t length) {
    size_t used = 0;
    while (used < length) {
        ssize_t got = read(fd, (char *)into + used, length - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        used += (size_t)got;
    }
    return 0;
}

/* True if the cache had it. Anything odd about the file is a miss. */
static bool cache_find(struct seccomp_program *program, int dir, const char *name,
                       const struct json_writer *key) {
    struct cache_header header;
    struct stat st;
    cleanup_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022) ||
        st.st_size > CACHE_MAX_BYTES)
        return false;
    if (read_whole(fd, &header, sizeof(header)) < 0 || memcmp(header.magic, "BERTHSEC", 8) != 0 ||
        header.version != CACHE_VERSION || header.key_length != key->length || header.count == 0 ||
        header.count > BPF_MAXINSNS)
        return false;
    size_t size = header.count * sizeof(struct sock_filter);
    cleanup_free char *text = malloc(key->length + 1);
    struct sock_filter *filter = malloc(size);
    if (!text || !filter || read_whole(fd, text, key->length) < 0 ||
        memcmp(text, key->data, key->length) != 0 || read_whole(fd, filter, size) < 0) {
        free(filter);
        return false;
    }
    program->filter = filter;
    program->count = (unsigned short)header.count;
    program->notify = header.notify;
    return true;
}

static void cache_store(const struct seccomp_program *program, int dir, const char *name,
                        const struct json_writer *key) {
    char temporary[64];
    struct cache_header header = {.magic = {'B', 'E', 'R', 'T', 'H', 'S', 'E', 'C'},
                                  .version = CACHE_VERSION,
                                  .key_length = (uint32_t)key->length,
                                  .count = program->count,
                                  .notify = program->notify};
    snprintf(temporary, sizeof(temporary), "%s.%d", name, getpid());
    cleanup_fd int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t size = program->count * sizeof(struct sock_filter);
    if (fd < 0)
        return;
    bool written = write(fd, &header, sizeof(header)) == (ssize_t)sizeof(header) &&
                   write(fd, key->data, key->length) == (ssize_t)key->length &&
                   write(fd, program->filter, size) == (ssize_t)size;
    if (!written || renameat(dir, temporary, dir, name) < 0)
        unlinkat(dir, temporary, 0);
}

static int open_cache(const char *root) {
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/%s", root, CACHE_DIRECTORY);
    if (length < 0 || (size_t)length >= sizeof(path))
        return -1;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT && mkdir(path, 0700) == 0)
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd;
}

static int find_or_compile(struct seccomp_program *program, const struct json_value *profile,
                           const char *cache_root, struct json_writer *key, struct error *err) {
    char name[40];
    json_begin_array(key);
    json_string(key, seccomp_filter_library_version());
    json_copy(key, profile);
    json_end_array(key);
    cleanup_fd int dir = cache_root && !key->failed ? open_cache(cache_root) : -1;
    if (dir >= 0) {
        snprintf(name, sizeof(name), "%016llx", (unsigned long long)hash(key->data, key->length));
        if (cache_find(program, dir, name, key))
            return 0;
    }
    if (seccomp_filter_compile(program, profile, err) < 0)
        return -1;
    if (dir >= 0)
        cache_store(program, dir, name, key);
    return 0;
}

int seccomp_filter_prepare(struct seccomp_program *program, const struct json_value *profile,
                           const char *cache_root, struct error *err) {
    struct json_writer key;
    *program = (struct seccomp_program){0};
    if (!profile)
        return 0;
    if (seccomp_filter_read_flags(program, profile, err) < 0)
        return -1;
    json_writer_init(&key, 0);
    int result = find_or_compile(program, profile, cache_root, &key, err);
    json_writer_free(&key);
    program->listener_path = json_get_string(profile, "listenerPath", NULL);
    program->listener_metadata = json_get_string(profile, "listenerMetadata", "");
    if (result == 0 && program->notify && !program->listener_path)
        result = error_set(err, "invalid_argument", "seccomp", NULL,
                           "seccomp: SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
    return result;
}

void seccomp_filter_free(struct seccomp_program *program) {
    free(program->filter);
    program->filter = NULL;
}

int seccomp_filter_load(const struct seccomp_program *program, int *notify_fd, struct error *err) {
    struct sock_fprog bpf = {.len = program->count, .filter = program->filter};
    unsigned flags = program->flags;
    *notify_fd = -1;
    if (!program->filter)
        return 0;
    if (program->notify) {
        flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
        if (flags & SECCOMP_FILTER_FLAG_TSYNC)
            flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    }
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &bpf);
    if (result < 0)
        return error_errno(err, errno, "seccomp", NULL, "load the seccomp filter");
    if (program->notify)
        *notify_fd = (int)result;
    return 0;
}

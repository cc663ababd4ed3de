/*
 * Any bytes as a layer and as a copy into a container, into a directory on a memory file system. Whatever
 * happens, nothing beside that directory may appear or change: a marker file watches.
 */
#include "lib/cleanup.h"
#include "unpack/extract.h"
#include "unpack/remove.h"
#include "unpack/tar_write.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int outside = -1;

static void set_up(void) {
    static char path[] = "/dev/shm/berth-fuzz-XXXXXX";
    if (!mkdtemp(path))
        abort();
    outside = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int marker = openat(outside, "marker", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (outside < 0 || marker < 0 || write(marker, "marker", 6) != 6)
        abort();
    close(marker);
    rmdir(path); /* fails: not empty; the directory is removed by tear_down */
}

static void tear_down(void) {
    char path[64], name[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", outside);
    ssize_t length = readlink(path, name, sizeof(name) - 1);
    if (length <= 0)
        return;
    name[length] = '\0';
    unlinkat(outside, "marker", 0);
    rmdir(name);
}

/* An archive of the bytes themselves is not interesting often enough: half of the runs get correct checksums.
 */
static void mend_checksums(uint8_t *bytes, size_t size) {
    for (size_t at = 0; at + 512 <= size; at += 512) {
        if (memcmp(bytes + at + 257, "ustar", 5) != 0)
            continue;
        unsigned sum = 0;
        memset(bytes + at + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += bytes[at + i];
        char text[16];
        snprintf(text, sizeof(text), "%06o", sum & 0777777);
        memcpy(bytes + at + 148, text, 7);
    }
}

static void extract(int target, int fd, bool layer) {
    struct extract_options options = {.layer = layer, .max_bytes = 1 << 22, .max_entries = 1000};
    struct extract_result made;
    struct error err = {0};
    if (extract_stream(fd, target, NULL, &options, &made, &err) < 0 && (!err.code || !err.message[0]))
        abort(); /* a failure without a sentence */
}

static void check_outside(void) {
    struct stat st;
    char text[8] = "";
    int marker = openat(outside, "marker", O_RDONLY | O_CLOEXEC);
    if (marker < 0 || fstat(marker, &st) < 0 || st.st_size != 6 || st.st_mode != (S_IFREG | 0644) ||
        st.st_nlink != 1 || st.st_uid != 0 || read(marker, text, 6) != 6 || memcmp(text, "marker", 6) != 0)
        abort();
    close(marker);
    cleanup_dir DIR *dir = fdopendir(openat(outside, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    if (!dir)
        abort();
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "marker") != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err;
    if (outside < 0) {
        set_up();
        atexit(tear_down);
    }
    if (size < 1)
        return 0;
    cleanup_free uint8_t *copy = malloc(size);
    if (!copy)
        abort();
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1)
        mend_checksums(copy, size - 1);
    cleanup_fd int fd = memfd_create("archive", MFD_CLOEXEC);
    if (write(fd, copy, size - 1) != (ssize_t)(size - 1) || lseek(fd, 0, SEEK_SET) != 0 ||
        mkdirat(outside, "target", 0755) < 0)
        abort();
    cleanup_fd int target = openat(outside, "target", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    extract(target, fd, (data[0] & 2) != 0);
    if (remove_entry(outside, "target", &err) < 0)
        abort();
    check_outside();
    return 0;
}

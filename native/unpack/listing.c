#include "listing.h"

#include "lib/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add(struct listing *listing, const char *name) {
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity ? listing->capacity * 2 : 32;
        char **names = realloc(listing->names, capacity * sizeof(*names));
        if (!names)
            return -1;
        listing->names = names;
        listing->capacity = capacity;
    }
    listing->names[listing->count] = strdup(name);
    return listing->names[listing->count] ? (listing->count++, 0) : -1;
}

int listing_read(struct listing *listing, int fd, const char *path, struct error *err) {
    *listing = (struct listing){0};
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir) {
        fd_close(&copy);
        return error_errno(err, errno, "read directory", path, "cannot read the directory \"%.256s\"", path);
    }
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (add(listing, entry->d_name) < 0) {
            listing_free(listing);
            return error_errno(err, ENOMEM, "read directory", path, "no memory to list \"%.256s\"", path);
        }
    }
    if (errno != 0) {
        int number = errno;
        listing_free(listing);
        return error_errno(err, number, "read directory", path, "cannot read the directory \"%.256s\"", path);
    }
    if (listing->count > 1)
        qsort(listing->names, listing->count, sizeof(*listing->names), compare);
    return 0;
}

void listing_free(struct listing *listing) {
    for (size_t i = 0; i < listing->count; i++)
        free(listing->names[i]);
    free(listing->names);
    *listing = (struct listing){0};
}

void listing_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        /* A walk that is too deep for the old limit then fails with its own message. */
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

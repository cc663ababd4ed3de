/*
 * Scope-bound release of the three things that C programs leak: descriptors, heap memory, DIR streams.
 *
 * `cleanup_fd int fd = open(…);` closes fd (if >= 0) when the scope is left, by whatever path. To hand the
 * descriptor on, return or store `fd_take(&fd)`. errno survives every release, so `return error_errno(…,
 * errno, …)` after a failing call reports the right error.
 */
#ifndef BERTH_LIB_CLEANUP_H
#define BERTH_LIB_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes *fd if it is open and marks it closed; errno is kept. */
static inline void fd_close(int *fd) {
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
        *fd = -1;
    }
}

/* Moves the descriptor out of its variable, which is then -1 and closes nothing. */
static inline int fd_take(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

static inline void cleanup_free_pointer(void *pointer) {
    int saved = errno;
    free(*(void **)pointer);
    *(void **)pointer = NULL;
    errno = saved;
}

static inline void cleanup_close_dir(DIR **dir) {
    if (*dir) {
        int saved = errno;
        closedir(*dir);
        errno = saved;
        *dir = NULL;
    }
}

#define cleanup_fd __attribute__((cleanup(fd_close)))
#define cleanup_free __attribute__((cleanup(cleanup_free_pointer)))
#define cleanup_dir __attribute__((cleanup(cleanup_close_dir)))

#endif

/*
 * The only place that resolves a path inside a container's root file system. Everything here takes the root
 * as a descriptor and resolves with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), so that neither "..",
 * absolute links nor /proc/self/fd can lead out, and gives back a descriptor: nobody else turns such a path
 * into a file, and what was checked is what is used (CVE-2019-16884, 2021-30465, 2024-45310, 2025-31133 and
 * their kin).
 *
 * All descriptors are close-on-exec. Errors name the path as the container sees it.
 */
#ifndef BERTH_RUNTIME_PATH_H
#define BERTH_RUNTIME_PATH_H

#include "error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Opens an existing path; flags as for open(2), e.g. O_PATH | O_NOFOLLOW. Returns the descriptor or -1. */
int path_open(int root, const char *path, int flags, struct error *err);

/* The same, but no component may be a symbolic link: for /proc, /sys and /dev, which must be what they seem.
 */
int path_open_plain(int root, const char *path, int flags, struct error *err);

/* As path_open with err unfilled: for callers to whom absence is no error. Returns -1 with errno. */
int path_try_open(int root, const char *path, int flags);

/* O_PATH descriptor of a directory, made with its missing parents (mode 0755, or `mode` for the last). */
int path_make_directory(int root, const char *path, mode_t mode, struct error *err);

/*
 * O_PATH descriptor of a file that something can be mounted on: made empty (0644) with its missing parents if
 * absent. A dangling link in the root is followed within the root.
 */
int path_make_file(int root, const char *path, struct error *err);

/*
 * Splits `path` into its parent, made if missing and returned as an O_PATH descriptor, and its last name. The
 * last name is never "", "." or "..".
 */
int path_make_parent(int root, const char *path, char name[static 256], struct error *err);

/* Path of an O_PATH descriptor for calls without a descriptor form: "/proc/self/fd/N". */
struct fd_path {
    char text[32];
};
struct fd_path path_of_fd(int fd);

/* The file system's magic (statfs f_type) of a descriptor, 0 on error. */
long path_fs_magic(int fd);

/* True if fd is a character device with these numbers. */
bool path_is_char_device(int fd, unsigned major, unsigned minor);

#endif

/*
 * How overlayfs writes deletions, and how archives do.
 *
 * overlayfs: a deleted name is a 0/0 character device, a directory that hides everything below it has
 * trusted.overlay.opaque=y (Documentation/filesystems/overlayfs.rst). Archives: empty files ".wh.NAME" and
 * ".wh..wh..opq" (OCI image-spec, layer.md).
 */
#ifndef BERTH_UNPACK_OVERLAY_H
#define BERTH_UNPACK_OVERLAY_H

#include "lib/error.h"

#include <stdbool.h>
#include <sys/stat.h>

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META_PREFIX ".wh..wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* The longest value of an extended attribute that the kernel allows. */
#define XATTR_VALUE_LIMIT 65536

bool overlay_is_whiteout(const struct stat *st);
/* Whether the directory open as fd is opaque. */
bool overlay_is_opaque(int fd);
/* Marks the directory `name` in `parent` opaque. */
int overlay_set_opaque(int parent, const char *name, struct error *err);
int overlay_make_whiteout(int parent, const char *name, struct error *err);
/* Attributes that belong to overlayfs itself and must neither come from nor go into an archive. */
bool overlay_is_private_xattr(const char *name);
/*
 * Fails (failed_precondition) if the entry carries a redirect or is metadata only: such an upper directory
 * can only be read through its mount. Snapshots are mounted with redirect_dir and metacopy off.
 */
int overlay_check_plain(int parent, const char *name, const char *path, struct error *err);

/* "/proc/self/fd/N/name", which reaches any entry's own attributes with the l*xattr calls. */
void overlay_entry_path(char out[320], int parent, const char *name);

/* One lower layer that is visible at the directory where a walk is. */
struct lower_dirs {
    int *fds; /* O_PATH, top layer first; owned */
    int count;
};

/* What the lower layers have under `name`. */
enum lower_kind { LOWER_NONE, LOWER_DIRECTORY, LOWER_OTHER };

/*
 * Looks `name` up in the stack as the kernel would: the first layer that has it decides, a whiteout hides it
 * below, opaque directories end the stack. If it is a directory, *below receives the layers to go on with
 * (free with lower_dirs_free) and *st its attributes.
 */
int lower_lookup(const struct lower_dirs *at, const char *name, enum lower_kind *kind, struct stat *st,
                 struct lower_dirs *below, struct error *err);
int lower_dirs_open(struct lower_dirs *dirs, char *const *paths, int count, struct error *err);
void lower_dirs_free(struct lower_dirs *dirs);

#endif

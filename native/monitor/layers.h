/*
 * Id-mapped overlay layers (--userns=auto): an overlay cannot be id-mapped itself, so each layer becomes a
 * bind mount of its own on which every owner is shifted.
 *
 * Their place is runDir/layers/0, 1, …, in our own mount namespace; overlay keeps private copies of the
 * mounts, so everything is removed again as soon as it is mounted.
 */
#ifndef BERTH_MONITOR_LAYERS_H
#define BERTH_MONITOR_LAYERS_H

#include "document.h"

struct layers {
    char directory[4096]; /* runDir/layers */
    int directory_fd;
    int userns_fd; /* whose mapping the layers get */
    size_t count;
};

/* Makes the directory, and the user namespace that carries the document's id mappings. */
int layers_begin(struct layers *layers, const struct document *doc, struct error *err);

/* Gives the layer its place. */
int layers_add(struct layers *layers, const char *path, struct error *err);

/* Removes everything. May be called after a failure of any of the above, and twice. */
void layers_end(struct layers *layers);

/*
 * Takes the next directory off an overlay's `lowerdir` value, in place: ':' separates, '\' escapes. NULL at
 * the end.
 */
char *layers_next(char **rest);

#endif

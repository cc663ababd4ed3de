/* Namespaces: open those to be joined, enter and leave them, write user namespace mappings and time offsets.
 */
#ifndef BERTH_RUNTIME_NAMESPACES_H
#define BERTH_RUNTIME_NAMESPACES_H

#include "error.h"
#include "spec.h"

#include <sys/types.h>

/* Descriptors of the namespaces to join, -1 where none is; CLONE_NEW* of the new ones. */
struct namespaces {
    int join[NS_COUNT];
    unsigned long clone_flags;
};

/* Opens every namespace given by path, and checks that it is of the kind it is listed as. */
int namespaces_open(struct namespaces *ns, const struct spec *spec, struct error *err);
void namespaces_close(struct namespaces *ns);

/*
 * Enters the joined namespaces of all kinds but user and mount, so that the child to be cloned is born in
 * them; namespaces_leave goes back. A time namespace with offsets is made here too (only an empty one takes
 * offsets).
 */
int namespaces_enter(struct namespaces *ns, const struct spec *spec, int own[NS_COUNT], int proc_fd,
                     struct error *err);
int namespaces_leave(int own[NS_COUNT], struct error *err);

/*
 * Writes uid_map, gid_map (and, if unprivileged, setgroups) of pid. Falls back to newuidmap and newgidmap for
 * an unprivileged caller with more than its own id.
 */
int namespaces_write_maps(const struct id_maps *maps, int proc_fd, pid_t pid, struct error *err);

/* A user namespace with these mappings, held by nobody but the returned descriptor (for id-mapped mounts). */
int namespaces_new_user(const struct id_maps *maps, int proc_fd, struct error *err);

/* Loopback up, in the current network namespace. */
int namespaces_loopback_up(struct error *err);

#endif

/*
 * Building a container's file tree: the root, its mounts, devices, masked and read-only paths. All of it runs
 * in the init process, inside the container's mount namespace but before pivot_root, so host paths still
 * resolve and container paths go through path.h. Nothing is undone on failure: the namespace dies with the
 * process.
 */
#ifndef BERTH_RUNTIME_ROOTFS_H
#define BERTH_RUNTIME_ROOTFS_H

#include "cgroup.h"
#include "error.h"
#include "spec.h"

struct rootfs {
    const struct spec *spec;
    const char *path; /* root.path made absolute */
    int fd;           /* the container's root, set by rootfs_open */
    int proc_fd;      /* the host's procfs, verified */
    bool new_userns;  /* a user namespace, new or joined: devices cannot be made, only bound */
    int userns_fd;    /* the joined user namespace, or -1 */
    int scratch_fd;   /* the state directory, for nodes of devices that the host has not got */
    unsigned scratch_devices;
    int *mount_sources;  /* per mount: a detached tree the parent opened for us, or -1 */
    int *device_sources; /* per device of rootfs_devices: the same */
    bool dev_readonly; /* a read-only tmpfs on /dev, left writable until its devices and mount points are made
                        */
    const struct cgroup *cgroup;
    /* Called before the first mount that shows cgroups: returns once this process is in its cgroups. */
    int (*await_cgroups)(void *context, struct error *err);
    void *await_context;
};

/* Sets the propagation of this mount namespace and attaches the root as a mount of its own; fills rootfs->fd.
 */
int rootfs_open(struct rootfs *rootfs, struct error *err);

/* All of `mounts`, in order (mount.c). */
int rootfs_mount_all(struct rootfs *rootfs, struct error *err);

/* /dev: default and listed devices, standard links; nothing if /dev is a bind mount of the host's
 * (devices.c). */
int rootfs_make_devices(struct rootfs *rootfs, struct error *err);

/* Masked and read-only paths (masks.c). */
int rootfs_mask(struct rootfs *rootfs, struct error *err);
int rootfs_make_readonly(struct rootfs *rootfs, struct error *err);

/* Makes rootfs->fd the root of this process; the old root is gone afterwards. no_pivot: move and chroot. */
int rootfs_pivot(struct rootfs *rootfs, bool no_pivot, struct error *err);

/* What must not hinder our own work comes last: root.readonly and a read-only /dev. */
int rootfs_finish(struct rootfs *rootfs, struct error *err);

/* After the pivot (pivot_root refuses a shared root): rootfsPropagation, on "/". */
int rootfs_set_propagation(const struct rootfs *rootfs, struct error *err);

/*
 * Called in the parent, with its privileges and view: opens what the init process may not reach or not id-map
 * itself (any bind source and device if there is a new user namespace; id-mapped sources always). init: the
 * process in the container's user namespace. Descriptors are inherited by the init process.
 */
int rootfs_open_sources(struct rootfs *rootfs, struct arena *arena, struct error *err);
int rootfs_idmap_sources(struct rootfs *rootfs, pid_t init, struct error *err);

/* The default devices, then linux.devices; *count is set. Static or arena memory. */
const struct device_spec *rootfs_devices(struct arena *arena, const struct spec *spec, size_t *count);

/*
 * In the parent: a detached mount of the device, for a container that may not make nodes. The host's own node
 * if there is the very device at that path, else one made for it in the state directory (STATE_DEVICE), where
 * it must stay until it is attached: an unlinked file cannot be.
 */
int device_open_source(struct rootfs *rootfs, const struct device_spec *device, struct error *err);

/* Applies attributes to a mount (detached or not); the words name it in messages. */
int mount_set_attributes(int mount_fd, const struct mount_spec *m, struct error *err);

/* A detached copy of the host path `source` (its whole tree if recursive). */
int mount_clone_source(const char *source, bool recursive, struct error *err);

#endif

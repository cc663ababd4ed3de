/* Id-mapped mounts: the source's owners are seen through a user namespace's mappings. See rootfs.h. */
#include "cleanup.h"
#include "namespaces.h"
#include "rootfs.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* "idmap" without mappings of its own takes the container's. */
static int mapping_namespace(const struct rootfs *rootfs, const struct mount_spec *m, pid_t init,
                             struct error *err) {
    char path[40];
    if (m->maps.uid_count)
        return namespaces_new_user(&m->maps, rootfs->proc_fd, err);
    if (!rootfs->spec->namespaces[NS_USER].listed)
        return error_set(err, "invalid_argument", "mount", m->destination,
                         "mount %s is to be id-mapped, but neither it nor the container has mappings",
                         m->destination);
    snprintf(path, sizeof(path), "%d/ns/user", init);
    int fd = rootfs->userns_fd >= 0 ? fcntl(rootfs->userns_fd, F_DUPFD_CLOEXEC, 3)
                                    : openat(rootfs->proc_fd, path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 ? fd
                   : error_errno(err, errno, "mount", m->destination, "open the container's user namespace");
}

int rootfs_idmap_sources(struct rootfs *rootfs, pid_t init, struct error *err) {
    for (size_t i = 0; i < rootfs->spec->mount_count; i++) {
        const struct mount_spec *m = &rootfs->spec->mounts[i];
        if (m->idmap == IDMAP_NONE || rootfs->mount_sources[i] < 0)
            continue;
        cleanup_fd int user = mapping_namespace(rootfs, m, init, err);
        if (user < 0)
            return -1;
        struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user};
        unsigned flags = AT_EMPTY_PATH | (m->idmap == IDMAP_RECURSIVE ? AT_RECURSIVE : 0);
        if (sys_mount_setattr(rootfs->mount_sources[i], "", flags, &attr) < 0)
            return error_errno(err, errno, "mount", m->destination,
                               "id-map the mount of %s on %s (does its file system support it?)", m->source,
                               m->destination);
    }
    return 0;
}

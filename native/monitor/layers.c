/* Id-mapped overlay layers; layers.h tells what they promise. */
#include "layers.h"

#include "cleanup.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STEP "mount"

char *layers_next(char **rest) {
    char *from = *rest, *begin = *rest, *to = *rest;
    if (!*from)
        return NULL;
    for (; *from && *from != ':'; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *rest = *from ? from + 1 : from;
    *to = '\0';
    return begin;
}

static int write_map(pid_t pid, const char *file, const struct id_mapping *mappings, size_t count,
                     struct error *err) {
    char path[64], text[4096];
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%u %u %u\n", mappings[i].container_id,
                                 mappings[i].host_id, mappings[i].size);
    if (used >= sizeof(text))
        return error_set(err, "invalid_argument", STEP, "", "too many id mappings");
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, used) != (ssize_t)used)
        return error_errno(err, errno, STEP, path, "write the id mappings of the layers");
    return 0;
}

/* A user namespace lives as long as a descriptor of it; a child that does nothing gives birth to it. */
static int make_userns(const struct document *doc, struct error *err) {
    char path[64];
    int ready[2], result = -1;
    if (pipe2(ready, O_CLOEXEC) < 0)
        return error_errno(err, errno, STEP, "", "create pipe");
    pid_t child = fork();
    if (child == 0) {
        char made = unshare(CLONE_NEWUSER) == 0;
        if (write(ready[1], &made, 1) == 1)
            pause();
        _exit(0);
    }
    close(ready[1]);
    char made = 0;
    if (child < 0 || read(ready[0], &made, 1) != 1 || !made)
        error_set(err, "internal", STEP, "", "no user namespace can be made for the layers' id mapping");
    else if (write_map(child, "uid_map", doc->uid_mappings, doc->uid_mapping_count, err) == 0 &&
             write_map(child, "gid_map", doc->gid_mappings, doc->gid_mapping_count, err) == 0) {
        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)child);
        result = open(path, O_RDONLY | O_CLOEXEC);
        if (result < 0)
            error_errno(err, errno, STEP, path, "open the layers' user namespace");
    }
    close(ready[0]);
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return result;
}

int layers_begin(struct layers *layers, const struct document *doc, struct error *err) {
    *layers = (struct layers){.directory_fd = -1, .userns_fd = -1};
    snprintf(layers->directory, sizeof(layers->directory), "%s/layers", doc->run_dir);
    layers->userns_fd = make_userns(doc, err);
    if (layers->userns_fd < 0)
        return -1;
    if (mkdir(layers->directory, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, STEP, layers->directory, "create %s", layers->directory);
    layers->directory_fd = open(layers->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (layers->directory_fd < 0)
        return error_errno(err, errno, STEP, layers->directory, "open %s", layers->directory);
    return 0;
}

int layers_add(struct layers *layers, const char *path, struct error *err) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)layers->userns_fd};
    char name[24];
    snprintf(name, sizeof(name), "%zu", layers->count);
    cleanup_fd int mount = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (mount < 0)
        return error_errno(err, errno, STEP, path, "open layer %s", path);
    if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
        return error_errno(
            err, errno, STEP, path,
            "shift the owners of layer %s (its file system or this kernel has no id-mapped mounts)", path);
    layers->count++;
    if ((mkdirat(layers->directory_fd, name, 0700) < 0 && errno != EEXIST) ||
        syscall(SYS_move_mount, mount, "", layers->directory_fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_errno(err, errno, STEP, path, "place layer %s", path);
    return 0;
}

void layers_end(struct layers *layers) {
    for (size_t i = 0; i < layers->count && layers->directory_fd >= 0; i++) {
        char path[4200], name[24];
        snprintf(name, sizeof(name), "%zu", i);
        snprintf(path, sizeof(path), "%s/%s", layers->directory, name);
        umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
        unlinkat(layers->directory_fd, name, AT_REMOVEDIR);
    }
    layers->count = 0;
    if (layers->directory_fd >= 0)
        rmdir(layers->directory);
    fd_close(&layers->directory_fd);
    fd_close(&layers->userns_fd);
}

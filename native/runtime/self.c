#include "self.h"

#include "cleanup.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static bool is_protected(int exe) {
    struct statvfs fs;
    if (fstatvfs(exe, &fs) == 0 && (fs.f_flag & ST_RDONLY))
        return true;
    int seals = fcntl(exe, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS;
}

static int readonly_mount(int exe) {
    struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
    cleanup_fd int tree = sys_open_tree(exe, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0 || sys_mount_setattr(tree, "", AT_EMPTY_PATH, &readonly) < 0)
        return -1;
    return fd_take(&tree);
}

static int sealed_copy(int exe) {
    struct stat st;
    cleanup_fd int copy = memfd_create("berth-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0 || fstat(exe, &st) < 0)
        return -1;
    for (off_t left = st.st_size; left > 0;) {
        ssize_t sent = sendfile(copy, exe, NULL, (size_t)left);
        if (sent <= 0)
            return -1;
        left -= sent;
    }
    if (fchmod(copy, 0500) < 0 || fcntl(copy, F_ADD_SEALS, SEALS) < 0)
        return -1;
    return fd_take(&copy);
}

int self_protect(char **argv, struct error *err) {
    extern char **environ;
    cleanup_fd int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (exe < 0)
        return error_errno(err, errno, "self", "/proc/self/exe", "open the runtime's own binary");
    if (is_protected(exe))
        return 0;
    cleanup_fd int safe = readonly_mount(exe);
    if (safe >= 0)
        syscall(SYS_execveat, safe, "", argv, environ, AT_EMPTY_PATH);
    fd_close(&safe);
    safe = sealed_copy(exe);
    if (safe >= 0)
        syscall(SYS_execveat, safe, "", argv, environ, AT_EMPTY_PATH);
    return error_errno(err, errno, "self", NULL, "protect the runtime's own binary from the container");
}

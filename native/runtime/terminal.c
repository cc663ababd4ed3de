#include "terminal.h"

#include "channel.h"
#include "cleanup.h"
#include "path.h"
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int terminal_error(int number, const char *path, const char *what, struct error *err) {
    return error_errno(err, number, "terminal", path, "%s", what);
}

int terminal_connect(const char *path, const char *what, struct error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return terminal_error(errno, path, "create socket", err);
    /* sun_path is short and paths are long: a long one is reached through its own descriptor. */
    cleanup_fd int at = -1;
    if (strlen(path) < sizeof(address.sun_path)) {
        strcpy(address.sun_path, path);
    } else {
        at = open(path, O_PATH | O_CLOEXEC);
        strcpy(address.sun_path, path_of_fd(at).text);
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return error_errno(err, errno, "terminal", path, "failed to connect with %s %s", what, path);
    return fd_take(&fd);
}

int terminal_open(int root, const struct process_spec *process, int socket, int *master_out,
                  struct error *err) {
    char name[32];
    int unlock = 0;
    unsigned number;
    cleanup_fd int master = path_open(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, err);
    if (master < 0)
        return error_wrap(err, "allocate a terminal");
    if (path_fs_magic(master) != DEVPTS_SUPER_MAGIC)
        return error_set(err, "failed_precondition", "terminal", "/dev/pts/ptmx",
                         "/dev/pts of the container is not a devpts file system; a terminal needs one");
    if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
        return terminal_error(errno, "/dev/pts/ptmx", "unlock the terminal", err);
    /* The slave comes from the master itself, not from a path that somebody could replace. */
    cleanup_fd int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return terminal_error(errno, "/dev/pts/ptmx", "open the terminal's other end", err);
    struct winsize size = {.ws_row = process->console_height, .ws_col = process->console_width};
    if (size.ws_row && size.ws_col && ioctl(master, TIOCSWINSZ, &size) < 0)
        return terminal_error(errno, "/dev/pts/ptmx", "set the terminal's size", err);
    snprintf(name, sizeof(name), "/dev/pts/%u", number);
    if (master_out)
        *master_out = fd_take(&master);
    else if (channel_pass_fd(socket, master, name, strlen(name)) < 0)
        return terminal_error(errno, NULL, "send the terminal over the console socket", err);
    return fd_take(&slave);
}

int terminal_bind_console(int root, int slave, struct error *err) {
    char name[256];
    struct stat st;
    cleanup_fd int parent = path_make_parent(root, "/dev/console", name, err);
    if (parent < 0)
        return -1;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
        cleanup_fd int made =
            openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (made < 0)
            return terminal_error(errno, "/dev/console", "create /dev/console", err);
    }
    cleanup_fd int target = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0 || fstat(target, &st) < 0)
        return terminal_error(errno, "/dev/console", "open /dev/console", err);
    if (S_ISLNK(st.st_mode))
        return error_set(
            err, "failed_precondition", "terminal", "/dev/console",
            "/dev/console of the image is a symbolic link; refusing to set up a terminal over it");
    cleanup_fd int tree = sys_open_tree(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0 || sys_move_mount(tree, target) < 0)
        return terminal_error(errno, "/dev/console", "bind the terminal on /dev/console", err);
    return 0;
}

int terminal_take(int slave, struct error *err) {
    if (ioctl(slave, TIOCSCTTY, 0) < 0)
        return terminal_error(errno, NULL, "make it the controlling terminal", err);
    for (int fd = 0; fd <= 2; fd++)
        if (dup2(slave, fd) < 0)
            return terminal_error(errno, NULL, "put the terminal on stdio", err);
    return 0;
}

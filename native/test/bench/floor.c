/*
 * The floor: what the kernel alone charges for a container. One clone3 with all namespaces, the mounts of a
 * default bundle, pivot_root, one cgroup in every hierarchy, exec of /bin/true, wait, cgroups removed. No
 * configuration, state, seccomp, capabilities, protection.
 *
 *   floor ROOTFS NAME     (NAME: cgroup, made and removed below every hierarchy of /sys/fs/cgroup)
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static char cgroups[32][512]; /* one path each */
static int cgroup_count;

static void check(long result, const char *what) {
    if (result < 0) {
        perror(what);
        _exit(1);
    }
}

static void copy_value(const char *from, const char *to, const char *file) {
    char path[600], value[256];
    snprintf(path, sizeof(path), "%s/%s", from, file);
    int fd = open(path, O_RDONLY);
    ssize_t length = fd < 0 ? 0 : read(fd, value, sizeof(value));
    close(fd);
    snprintf(path, sizeof(path), "%s/%s", to, file);
    fd = open(path, O_WRONLY);
    if (fd >= 0 && length > 0)
        check(write(fd, value, (size_t)length), path);
    close(fd);
}

static void make_cgroup(const char *hierarchy, const char *name) {
    char *path = cgroups[cgroup_count];
    snprintf(path, sizeof(cgroups[0]), "%s/%s", hierarchy, name);
    check(mkdir(path, 0755), path);
    cgroup_count++;
    if (strstr(hierarchy, "cpuset")) {
        copy_value(hierarchy, path, "cpuset.cpus");
        copy_value(hierarchy, path, "cpuset.mems");
    }
}

static void make_cgroups(const char *name) {
    struct statfs fs;
    check(statfs("/sys/fs/cgroup", &fs), "/sys/fs/cgroup");
    if (fs.f_type == 0x63677270) {
        make_cgroup("/sys/fs/cgroup", name);
        return;
    }
    DIR *dir = opendir("/sys/fs/cgroup");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[300];
        snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", entry->d_name);
        if (entry->d_name[0] != '.' && entry->d_type == DT_DIR && statfs(path, &fs) == 0 &&
            fs.f_type == 0x27e0eb)
            make_cgroup(path, name);
    }
    if (dir)
        closedir(dir);
}

/* v1: by itself and through `tasks`, which spares the machine-wide lock of cgroup.procs. */
static void join_cgroups(void) {
    for (int i = 0; i < cgroup_count; i++) {
        char path[600];
        snprintf(path, sizeof(path), "%.511s/tasks", cgroups[i]);
        int fd = open(path, O_WRONLY);
        if (fd < 0) {
            snprintf(path, sizeof(path), "%.511s/cgroup.procs", cgroups[i]);
            fd = open(path, O_WRONLY);
        }
        check(write(fd, "0", 1), path);
        close(fd);
    }
}

static void mount_all(void) {
    check(mount("proc", "proc", "proc", 0, NULL), "proc");
    check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "dev");
    mkdir("dev/pts", 0755);
    mkdir("dev/shm", 0755);
    mkdir("dev/mqueue", 0755);
    check(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                "newinstance,ptmxmode=0666,mode=0620,gid=5"),
          "devpts");
    check(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k"), "shm");
    check(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL), "mqueue");
    check(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL), "sysfs");
    static const int minors[] = {3, 5, 7, 8, 9};
    static const char *const names[] = {"dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom"};
    for (int i = 0; i < 5; i++)
        check(mknod(names[i], S_IFCHR | 0666, makedev(1, minors[i])), names[i]);
    static const char *const masked[] = {"proc/kcore", "proc/keys", "proc/timer_list", "proc/interrupts"};
    for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
        if (access(masked[i], F_OK) == 0)
            check(mount("dev/null", masked[i], NULL, MS_BIND, NULL), masked[i]);
    static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys"};
    for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
        check(mount(readonly[i], readonly[i], NULL, MS_BIND, NULL), readonly[i]);
        check(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), readonly[i]);
    }
}

static void child(const char *rootfs) {
    char *argv[] = {"/bin/true", NULL}, *env[] = {NULL};
    join_cgroups();
    check(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "slave");
    check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
    check(chdir(rootfs), rootfs);
    mount_all();
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount");
    check(unshare(CLONE_NEWCGROUP), "cgroup namespace");
    execve(argv[0], argv, env);
    check(-1, "exec");
}

int main(int argc, char **argv) {
    int status;
    if (argc != 3)
        return 2;
    make_cgroups(argv[2]);
    struct clone_args args = {.flags =
                                  CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
                              .exit_signal = SIGCHLD};
    int pid = (int)syscall(SYS_clone3, &args, sizeof(args));
    check(pid, "clone3");
    if (pid == 0)
        child(argv[1]);
    check(waitpid(pid, &status, 0), "wait");
    for (int i = 0; i < cgroup_count; i++)
        check(rmdir(cgroups[i]), cgroups[i]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

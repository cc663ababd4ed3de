#include "sysctl.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

int sysctl_apply(const struct spec *spec, int proc_fd, struct error *err) {
    struct open_how how = {.flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    for (size_t i = 0; i < spec->sysctl_count; i++) {
        char path[600];
        const struct sysctl_spec *s = &spec->sysctls[i];
        snprintf(path, sizeof(path), "sys/%s", s->key);
        cleanup_fd int fd = (int)syscall(SYS_openat2, proc_fd, path, &how, sizeof(how));
        if (fd < 0 || write(fd, s->value, strlen(s->value)) < 0)
            return error_errno(err, errno, "sysctl", s->key, "write sysctl %s = \"%.100s\"", s->key,
                               s->value);
    }
    return 0;
}

#include "capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

int capability_number(const char *name) {
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(names[i], name) == 0 || strcasecmp(names[i] + 4, name) == 0)
            return (int)i;
    return -1;
}

const char *capability_name(int number) {
    return number >= 0 && (size_t)number < sizeof(names) / sizeof(names[0]) ? names[number] : NULL;
}

int capability_last(void) {
    int last = CAP_LAST_CAP;
    while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
        last--;
    while (prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
        last++;
    return last;
}

int capabilities_drop_bounding(uint64_t keep, struct error *err) {
    for (int cap = 0; cap < 64; cap++) {
        if (keep >> cap & 1)
            continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
            continue;
        if (errno == EINVAL) /* past the kernel's last one */
            return 0;
        return error_errno(err, errno, "capabilities", NULL, "drop %s from the bounding set",
                           capability_name(cap) ? capability_name(cap) : "a capability");
    }
    return 0;
}

static int current_permitted(uint64_t *permitted) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    *permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    return 0;
}

/*
 * What the runtime itself has not got it cannot give: Docker and runc drop such bits silently since 1.2 (a
 * host without CAP_SYS_RESOURCE must still run --privileged), so they are masked here rather than failing
 * with EPERM.
 */
int capabilities_apply(const struct capability_sets *sets, struct error *err) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    uint64_t have;
    if (current_permitted(&have) < 0)
        return error_errno(err, errno, "capabilities", NULL, "read capabilities");
    uint64_t permitted = sets->permitted & have, effective = sets->effective & permitted;
    /* Only what config.json itself lists: a set that nobody asked for would come alive through file
     * capabilities (CVE-2022-29162). The kernel wants it within the bounding set. */
    uint64_t inheritable = sets->inheritable & sets->bounding & have;
    for (int half = 0; half < 2; half++) {
        data[half].effective = (uint32_t)(effective >> (32 * half));
        data[half].permitted = (uint32_t)(permitted >> (32 * half));
        data[half].inheritable = (uint32_t)(inheritable >> (32 * half));
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return error_errno(err, errno, "capabilities", NULL, "set capabilities");
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
        return error_errno(err, errno, "capabilities", NULL, "clear ambient capabilities");
    uint64_t ambient = sets->ambient & permitted & inheritable;
    for (int cap = 0; ambient >> cap; cap++)
        if ((ambient >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return error_errno(err, errno, "capabilities", NULL, "raise ambient %s", capability_name(cap));
    return 0;
}

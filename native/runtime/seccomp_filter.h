/*
 * linux.seccomp → a BPF program. libseccomp compiles it (milliseconds for Docker's profile), so the result is
 * kept under the runtime's root and found again by the profile's whole text and libseccomp's version; init
 * loads it with seccomp(2).
 */
#ifndef BERTH_RUNTIME_SECCOMP_FILTER_H
#define BERTH_RUNTIME_SECCOMP_FILTER_H

#include "error.h"
#include "json.h"

#include <linux/filter.h>
#include <stdbool.h>

struct seccomp_program {
    struct sock_filter *filter; /* malloc'ed; NULL: no filter */
    unsigned short count;
    unsigned flags; /* SECCOMP_FILTER_FLAG_* */
    bool notify;    /* some rule notifies: loading yields a descriptor for listener_path */
    const char *listener_path, *listener_metadata;
};

/*
 * Compiles (or finds) the program of `profile`; NULL gives an empty one. cache_root is the runtime's root
 * directory, NULL for no cache; a cache that cannot be written is no error.
 */
int seccomp_filter_prepare(struct seccomp_program *program, const struct json_value *profile,
                           const char *cache_root, struct error *err);
void seccomp_filter_free(struct seccomp_program *program);

/* Loads it into this thread for good. *notify_fd is the listener or -1. Needs no_new_privs or CAP_SYS_ADMIN.
 */
int seccomp_filter_load(const struct seccomp_program *program, int *notify_fd, struct error *err);

/* Names for `features`, NULL-terminated. */
extern const char *const seccomp_action_names[], *const seccomp_operator_names[],
                                                     *const seccomp_arch_names[], *const seccomp_flag_names[];

/* Version of the linked libseccomp, "2.5.4". */
const char *seccomp_filter_library_version(void);

/* seccomp_compile.c: the compilation itself, without cache. */
int seccomp_filter_compile(struct seccomp_program *program, const struct json_value *profile,
                           struct error *err);
int seccomp_filter_read_flags(struct seccomp_program *program, const struct json_value *profile,
                              struct error *err);

#endif

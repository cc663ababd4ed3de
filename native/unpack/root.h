/*
 * The three kinds of root that files are moved in and out of: a host directory, a running process's root, a
 * stopped container's mounts. In every case the result is one descriptor; nothing is chrooted into, and no
 * name is looked up while a container's mount namespace is entered (root_open_bare), so no library of the
 * container can be loaded by us; links are resolved inside by tree.h.
 */
#ifndef BERTH_UNPACK_ROOT_H
#define BERTH_UNPACK_ROOT_H

#include "lib/error.h"
#include "options.h"

struct root_options {
    const char *dir;        /* --root */
    uint64_t pid;           /* --pid */
    const char *start_time; /* --start-time: field 22 of /proc/PID/stat */
    const char *mounts;     /* --mounts: JSON file */
};

/* Rows for an option table: put them first, then the verb's own. */
#define ROOT_OPTION_SPECS(options)                                                                           \
    {"root", OPTION_TEXT, &(options).dir, NULL}, {"pid", OPTION_NUMBER, &(options).pid, NULL},               \
        {"start-time", OPTION_TEXT, &(options).start_time, NULL}, {                                          \
        "mounts", OPTION_TEXT, &(options).mounts, NULL                                                       \
    }

/*
 * Opens the root, O_PATH. Exactly one kind must be given. --mounts moves this process into a mount namespace
 * of its own, which dies with it. -1 and err: not_found if the process is gone or its pid means another one.
 */
int root_open(const struct root_options *options, struct error *err);

/*
 * As root_open, but of a running process only the root file system itself, without what is mounted on it: the
 * places of mounts show what they cover. Call it before any thread is started (setns(2)).
 */
int root_open_bare(const struct root_options *options, struct error *err);

#endif

/* Root file system mounts by the new mount API (Linux 5.12; overlay's `lowerdir+` 6.5); mounts.h tells what.
 */
#include "mounts.h"

#include "cleanup.h"
#include "fault.h"
#include "layers.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#define STEP "mount"

/* Options that say how a mount is attached rather than what is mounted. */
static const struct flag_option {
    const char *name;
    uint64_t attribute; /* MOUNT_ATTR_* to set */
    bool recursive;
    unsigned long propagation; /* MS_* */
} flag_options[] = {
    {"ro", MOUNT_ATTR_RDONLY, false, 0},
    {"rro", MOUNT_ATTR_RDONLY, true, 0},
    {"nosuid", MOUNT_ATTR_NOSUID, false, 0},
    {"nodev", MOUNT_ATTR_NODEV, false, 0},
    {"noexec", MOUNT_ATTR_NOEXEC, false, 0},
    {"noatime", MOUNT_ATTR_NOATIME, false, 0},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, false, 0},
    {"rw", 0, false, 0},
    {"bind", 0, false, 0},
    {"rbind", 0, true, 0},
    {"private", 0, false, MS_PRIVATE},
    {"rprivate", 0, true, MS_PRIVATE},
    {"slave", 0, false, MS_SLAVE},
    {"rslave", 0, true, MS_SLAVE},
    {"shared", 0, false, MS_SHARED},
    {"rshared", 0, true, MS_SHARED},
};

static const struct flag_option *find_flag(const char *name) {
    for (size_t i = 0; i < sizeof(flag_options) / sizeof(flag_options[0]); i++)
        if (strcmp(flag_options[i].name, name) == 0)
            return &flag_options[i];
    return NULL;
}

static int fail(struct error *err, const struct mount_plan *plan, const char *what) {
    return error_errno(err, errno, STEP, plan->target, "mount %s on %s: %s", plan->type, plan->target, what);
}

/* The kernel explains a refused fsconfig in the context's message queue; the last explanation into out. */
static void read_explanation(int context, char *out, size_t size) {
    char line[256];
    ssize_t got;
    int saved = errno;
    out[0] = '\0';
    while ((got = read(context, line, sizeof(line) - 1)) > 0) {
        line[got] = '\0';
        if (got > 2 && (line[0] == 'e' || line[0] == 'w'))
            snprintf(out, size, " (%s)", line + 2);
    }
    errno = saved;
}

static int fail_config(struct error *err, const struct mount_plan *plan, int context, const char *option) {
    char explanation[300];
    read_explanation(context, explanation, sizeof(explanation));
    int number = errno;
    return error_errno(err, number, STEP, plan->target, "mount %s on %s: option %s%s", plan->type,
                       plan->target, option, explanation);
}

static int set_option(int context, unsigned command, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, context, command, key, value, 0);
}

/* Paths longer than fsconfig takes go by descriptor; the descriptor is only needed during the call. */
static int set_path(int context, const char *key, const char *path) {
    char short_path[32];
    if (strlen(path) < 256)
        return set_option(context, FSCONFIG_SET_STRING, key, path);
    cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    snprintf(short_path, sizeof(short_path), "/proc/self/fd/%d", fd);
    return set_option(context, FSCONFIG_SET_STRING, key, short_path);
}

static int set_lower_layers(int context, const struct mount_plan *plan, const char *list, struct error *err) {
    cleanup_free char *copy = strdup(list);
    char *rest = copy;
    if (!copy)
        return fail(err, plan, "copy options");
    for (char *layer; (layer = layers_next(&rest));)
        if (fault_at("lowerdir+") ? (errno = EINVAL) : set_path(context, "lowerdir+", layer) < 0)
            return fail_config(err, plan, context, layer);
    return 0;
}

static int set_options(int context, const struct mount_plan *plan, struct error *err) {
    for (size_t i = 0; i < plan->option_count; i++) {
        const char *option = plan->options[i], *equals = strchr(option, '=');
        char key[64];
        if (find_flag(option))
            continue;
        if (!equals) {
            if (set_option(context, FSCONFIG_SET_FLAG, option, NULL) < 0)
                return fail_config(err, plan, context, option);
            continue;
        }
        snprintf(key, sizeof(key), "%.*s", (int)(equals - option), option);
        if (strcmp(key, "lowerdir") == 0) {
            if (set_lower_layers(context, plan, equals + 1, err) < 0)
                return -1;
        } else if (set_path(context, key, equals + 1) < 0) {
            return fail_config(err, plan, context, option);
        }
    }
    return 0;
}

static int make_file_system(const struct mount_plan *plan, struct error *err) {
    cleanup_fd int context = (int)syscall(SYS_fsopen, plan->type, FSOPEN_CLOEXEC);
    if (context < 0)
        return fail(err, plan, "file system type");
    if (set_option(context, FSCONFIG_SET_STRING, "source", plan->source) < 0)
        return fail_config(err, plan, context, "source");
    if (set_options(context, plan, err) < 0)
        return -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return fail_config(err, plan, context, "create");
    int mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
    return mount < 0 ? fail(err, plan, "fsmount") : mount;
}

static int clone_tree(const struct mount_plan *plan, struct error *err) {
    unsigned recursive = 0;
    for (size_t i = 0; i < plan->option_count; i++)
        if (strcmp(plan->options[i], "rbind") == 0)
            recursive = AT_RECURSIVE;
    int mount =
        (int)syscall(SYS_open_tree, AT_FDCWD, plan->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive);
    return mount < 0 ? fail(err, plan, plan->source) : mount;
}

static int set_attributes(int mount, const struct mount_plan *plan, struct error *err) {
    for (size_t i = 0; i < plan->option_count; i++) {
        const struct flag_option *flag = find_flag(plan->options[i]);
        if (!flag || (!flag->attribute && !flag->propagation))
            continue;
        struct mount_attr attributes = {.attr_set = flag->attribute, .propagation = flag->propagation};
        if (flag->attribute == MOUNT_ATTR_NOATIME)
            attributes.attr_clr = MOUNT_ATTR__ATIME;
        unsigned how = AT_EMPTY_PATH | (flag->recursive ? AT_RECURSIVE : 0);
        if (syscall(SYS_mount_setattr, mount, "", how, &attributes, sizeof(attributes)) < 0)
            return fail(err, plan, plan->options[i]);
    }
    return 0;
}

static bool is_bind(const struct mount_plan *plan) {
    for (size_t i = 0; i < plan->option_count; i++)
        if (!strcmp(plan->options[i], "bind") || !strcmp(plan->options[i], "rbind"))
            return true;
    return strcmp(plan->type, "bind") == 0;
}

/*
 * Kernels before 6.5 know overlay's layers as one option string only, which fsconfig cuts at 256 bytes and
 * mount(2) at a page. Directories are therefore named by descriptors, which are short: a page holds more
 * layers than overlayfs allows.
 */
struct page_options {
    char text[4096];
    int fds[512];
    size_t length, fd_count;
};

static int page_append(struct page_options *page, const char *separator, const char *text) {
    int used =
        snprintf(page->text + page->length, sizeof(page->text) - page->length, "%s%s", separator, text);
    page->length += (size_t)used;
    errno = E2BIG;
    return page->length < sizeof(page->text) ? 0 : -1;
}

static int page_append_directory(struct page_options *page, const char *separator, const char *path) {
    char name[40];
    if (page->fd_count == sizeof(page->fds) / sizeof(page->fds[0]))
        return errno = E2BIG, -1;
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    page->fds[page->fd_count++] = fd;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return page_append(page, separator, name);
}

static int page_append_layers(struct page_options *page, const char *list) {
    cleanup_free char *copy = strdup(list);
    char *rest = copy;
    const char *separator = page->length > 0 ? ",lowerdir=" : "lowerdir=";
    if (!copy)
        return -1;
    for (char *layer; (layer = layers_next(&rest)); separator = ":")
        if (page_append_directory(page, separator, layer) < 0)
            return -1;
    return 0;
}

static int page_append_option(struct page_options *page, const char *option) {
    char key[64];
    if (strncmp(option, "lowerdir=", 9) == 0)
        return page_append_layers(page, option + 9);
    if (strncmp(option, "upperdir=", 9) != 0 && strncmp(option, "workdir=", 8) != 0)
        return page_append(page, page->length > 0 ? "," : "", option);
    const char *equals = strchr(option, '=');
    snprintf(key, sizeof(key), "%s%.*s=", page->length > 0 ? "," : "", (int)(equals - option), option);
    return page_append_directory(page, key, equals + 1);
}

/* Mounts straight onto the target; returns a descriptor of the new mount for the attributes. */
static int mount_by_page(const struct mount_plan *plan, struct error *err) {
    struct page_options page = {.length = 0};
    int result = 0;
    for (size_t i = 0; result == 0 && i < plan->option_count; i++)
        if (!find_flag(plan->options[i]))
            result = page_append_option(&page, plan->options[i]);
    if (result == 0)
        result = mount(plan->source, plan->target, plan->type, 0, page.text);
    int number = errno;
    for (size_t i = 0; i < page.fd_count; i++)
        close(page.fds[i]);
    errno = number;
    if (result < 0)
        return fail(err, plan, "mount");
    int fd = open(plan->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && set_attributes(fd, plan, err) == 0)
        return fd;
    if (fd < 0)
        fail(err, plan, "open");
    else
        close(fd);
    umount2(plan->target, MNT_DETACH);
    return -1;
}

static int apply(const struct mount_plan *plan, struct error *err) {
    cleanup_fd int mount = is_bind(plan) ? clone_tree(plan, err) : make_file_system(plan, err);
    if (mount < 0 && err->number == EINVAL && strcmp(plan->type, "overlay") == 0) {
        struct error first = *err; /* a refusal that is not about the kernel's age is explained best here */
        mount = mount_by_page(plan, err);
        if (mount < 0)
            *err = first;
        return mount < 0 ? -1 : 0;
    }
    if (mount < 0 || set_attributes(mount, plan, err) < 0)
        return -1;
    if (syscall(SYS_move_mount, mount, "", AT_FDCWD, plan->target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return fail(err, plan, "attach");
    return 0;
}

static const char *find_lowerdir(const struct mount_plan *plan) {
    for (size_t i = 0; i < plan->option_count; i++)
        if (strncmp(plan->options[i], "lowerdir=", 9) == 0)
            return plan->options[i] + 9;
    return NULL;
}

/* The same plan with the layers' shifted places instead of the layers. */
static int apply_placed(const struct layers *layers, const struct mount_plan *plan, struct error *err) {
    size_t room = 10 + layers->count * (strlen(layers->directory) + 24);
    cleanup_free char *lowerdir = malloc(room);
    cleanup_free const char **options = calloc(plan->option_count, sizeof(char *));
    if (!lowerdir || !options)
        return fail(err, plan, "copy options");
    size_t used = (size_t)snprintf(lowerdir, room, "lowerdir=");
    for (size_t i = 0; i < layers->count; i++)
        used +=
            (size_t)snprintf(lowerdir + used, room - used, "%s%s/%zu", i ? ":" : "", layers->directory, i);
    for (size_t i = 0; i < plan->option_count; i++)
        options[i] = strncmp(plan->options[i], "lowerdir=", 9) == 0 ? lowerdir : plan->options[i];
    struct mount_plan placed = *plan;
    placed.options = options;
    return apply(&placed, err);
}

/* An overlay whose layers get other owners: see layers.h. */
static int apply_shifted(const struct document *doc, const struct mount_plan *plan, struct error *err) {
    struct layers layers;
    cleanup_free char *copy = strdup(find_lowerdir(plan));
    char *rest = copy;
    if (!copy)
        return fail(err, plan, "copy options");
    int result = layers_begin(&layers, doc, err);
    for (char *layer; result == 0 && (layer = layers_next(&rest));)
        result = layers_add(&layers, layer, err);
    if (result == 0)
        result = apply_placed(&layers, plan, err);
    layers_end(&layers);
    return result;
}

/* The mount that holds path stops passing on what is mounted in it; it may be no mount point itself. */
static int stop_propagation(const char *path, struct error *err) {
    cleanup_free char *copy = realpath(path, NULL);
    /* Not there yet: it is in another mount of the document, below a mount that passes nothing on by then. */
    if (!copy && errno == ENOENT)
        return 0;
    if (!copy)
        return error_errno(err, errno, "namespace", path, "find mount target %s", path);
    for (;;) {
        /* EINVAL: not a mount point; the nearest one above it is what holds the path. */
        if (mount(NULL, copy, NULL, MS_SLAVE, NULL) == 0)
            return 0;
        char *slash = strrchr(copy, '/');
        if (errno != EINVAL || !slash || !copy[1])
            return error_errno(err, errno, "namespace", path, "stop mount propagation at %s", copy);
        slash[slash == copy ? 1 : 0] = '\0';
    }
}

int mounts_unshare(const struct document *doc, struct error *err) {
    if (unshare(CLONE_NEWNS) < 0)
        return error_errno(err, errno, "namespace", "", "make a mount namespace");
    if (doc->uid_mapping_count > 0 && stop_propagation(doc->run_dir, err) < 0) /* see layers.h */
        return -1;
    for (size_t i = 0; i < doc->mount_count; i++)
        if (stop_propagation(doc->mounts[i].target, err) < 0)
            return -1;
    return 0;
}

int mounts_apply(const struct document *doc, struct error *err) {
    for (size_t i = 0; i < doc->mount_count; i++) {
        const struct mount_plan *plan = &doc->mounts[i];
        bool shifted = doc->uid_mapping_count > 0 && find_lowerdir(plan);
        if ((shifted ? apply_shifted(doc, plan, err) : apply(plan, err)) == 0)
            continue;
        while (i-- > 0)
            umount2(doc->mounts[i].target, MNT_DETACH);
        return -1;
    }
    return 0;
}

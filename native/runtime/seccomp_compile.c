/* One profile through libseccomp to BPF, with ENOSYS for system calls newer than the profile. See seccomp.h.
 */
#include "seccomp_filter.h"

#include "cleanup.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

const char *const seccomp_action_names[] = {
    "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO",  "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
    "SCMP_ACT_LOG",   "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",         NULL};
const char *const seccomp_operator_names[] = {"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
                                              "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ",
                                              "SCMP_CMP_NE", NULL};
const char *const seccomp_arch_names[] = {"SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",         "SCMP_ARCH_MIPS",
                                          "SCMP_ARCH_MIPS64",   "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",
                                          "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",
                                          "SCMP_ARCH_PPC64",    "SCMP_ARCH_PPC64LE",     "SCMP_ARCH_RISCV64",
                                          "SCMP_ARCH_S390",     "SCMP_ARCH_S390X",       "SCMP_ARCH_X32",
                                          "SCMP_ARCH_X86",      "SCMP_ARCH_X86_64",      NULL};
const char *const seccomp_flag_names[] = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                                          "SECCOMP_FILTER_FLAG_TSYNC",
                                          "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL};

static int bad(struct error *err, const char *what, const char *value) {
    return error_set(err, "invalid_argument", "seccomp", NULL, "seccomp: %s \"%.100s\"", what, value);
}

static int failed(struct error *err, int result, const char *what, const char *name) {
    return error_errno(err, -result, "seccomp", NULL, "seccomp: %s %s", what, name);
}

static int action_of(const char *name, uint32_t errno_value, uint32_t *action, struct error *err) {
    if (strcmp(name, "SCMP_ACT_ALLOW") == 0)
        *action = SCMP_ACT_ALLOW;
    else if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
        *action = SCMP_ACT_ERRNO(errno_value);
    else if (strcmp(name, "SCMP_ACT_KILL") == 0 || strcmp(name, "SCMP_ACT_KILL_THREAD") == 0)
        *action = SCMP_ACT_KILL_THREAD;
    else if (strcmp(name, "SCMP_ACT_KILL_PROCESS") == 0)
        *action = SCMP_ACT_KILL_PROCESS;
    else if (strcmp(name, "SCMP_ACT_TRAP") == 0)
        *action = SCMP_ACT_TRAP;
    else if (strcmp(name, "SCMP_ACT_TRACE") == 0)
        *action = SCMP_ACT_TRACE(errno_value);
    else if (strcmp(name, "SCMP_ACT_LOG") == 0)
        *action = SCMP_ACT_LOG;
    else if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
        *action = SCMP_ACT_NOTIFY;
    else
        return bad(err, "unknown action", name);
    return 0;
}

static int errno_of(const struct json_value *object, const char *key, uint32_t *value, struct error *err) {
    int64_t n = json_get_int(object, key, EPERM);
    if (n < 0 || n > 4095)
        return bad(err, "value out of range in", key);
    *value = (uint32_t)n;
    return 0;
}

static int operator_of(const char *name, enum scmp_compare *op) {
    static const enum scmp_compare values[] = {SCMP_CMP_EQ, SCMP_CMP_GE,        SCMP_CMP_GT, SCMP_CMP_LE,
                                               SCMP_CMP_LT, SCMP_CMP_MASKED_EQ, SCMP_CMP_NE};
    for (int i = 0; seccomp_operator_names[i]; i++) {
        if (strcmp(seccomp_operator_names[i], name) == 0) {
            *op = values[i];
            return 0;
        }
    }
    return -1;
}

/* "SCMP_ARCH_X86_64" → libseccomp's token. */
static int arch_of(const char *name, uint32_t *arch) {
    char lower[32];
    size_t i = 0;
    if (strncmp(name, "SCMP_ARCH_", 10) != 0)
        return -1;
    for (name += 10; *name && i < sizeof(lower) - 1; name++)
        lower[i++] = *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name;
    lower[i] = '\0';
    *arch = seccomp_arch_resolve_name(lower);
    return *arch ? 0 : -1;
}

enum { MAX_ARGS = 6, MAX_ARCHES = 24 };

static int read_conditions(const struct json_value *list, struct scmp_arg_cmp *out, unsigned *count,
                           bool *repeated, struct error *err) {
    unsigned seen = 0;
    *count = 0;
    *repeated = false;
    for (const struct json_value *v = json_first(list); v; v = v->next) {
        uint64_t index = 0, value = 0, two = 0;
        enum scmp_compare op;
        if (*count == MAX_ARGS * 2 || !json_to_uint64(json_get(v, "index"), &index) || index >= MAX_ARGS)
            return bad(err, "bad argument index in", "args");
        json_to_uint64(json_get(v, "value"), &value);
        json_to_uint64(json_get(v, "valueTwo"), &two);
        const char *name = json_get_string(v, "op", "");
        if (operator_of(name, &op) < 0)
            return bad(err, "unknown operator", name);
        *repeated = *repeated || (seen >> index & 1);
        seen |= 1u << index;
        /* For MASKED_EQ the spec's "value" is the mask and "valueTwo" the datum, in libseccomp's order too.
         */
        out[(*count)++] =
            (struct scmp_arg_cmp){.arg = (unsigned)index, .op = op, .datum_a = value, .datum_b = two};
    }
    return 0;
}

static int add_rule(scmp_filter_ctx ctx, uint32_t action, int number, const struct scmp_arg_cmp *conditions,
                    unsigned count, bool repeated) {
    if (count == 0)
        return seccomp_rule_add(ctx, action, number, 0);
    if (!repeated)
        return seccomp_rule_add_array(ctx, action, number, count, conditions);
    /* Two conditions on one argument: libseccomp cannot join them, the spec means "any of them". */
    for (unsigned i = 0; i < count; i++) {
        int result = seccomp_rule_add_array(ctx, action, number, 1, &conditions[i]);
        if (result < 0)
            return result;
    }
    return 0;
}

/*
 * Calls that stand between loading the filter and handing its listener over: they would wait for an answer
 * from a listener that nobody has yet. write is runc's way of doing that; a profile must mean the same under
 * both.
 */
static bool hands_listener_over(const char *call) {
    static const char *const calls[] = {"sendmsg", "recvmsg", "write"};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(call, calls[i]) == 0)
            return true;
    return false;
}

static int add_entry(scmp_filter_ctx ctx, const struct json_value *entry, uint32_t default_action,
                     struct seccomp_program *program, struct error *err) {
    struct scmp_arg_cmp conditions[MAX_ARGS * 2];
    uint32_t errno_value = EPERM, action = 0;
    unsigned count;
    bool repeated;
    if (errno_of(entry, "errnoRet", &errno_value, err) < 0 ||
        action_of(json_get_string(entry, "action", ""), errno_value, &action, err) < 0 ||
        read_conditions(json_get(entry, "args"), conditions, &count, &repeated, err) < 0)
        return -1;
    if (action == SCMP_ACT_NOTIFY)
        program->notify = true;
    if (action == default_action)
        return 0;
    const struct json_value *names = json_get(entry, "names");
    if (!names || names->type != JSON_ARRAY)
        return bad(err, "a rule has no", "names");
    for (const struct json_value *v = json_first(names); v; v = v->next) {
        if (v->type != JSON_STRING)
            return bad(err, "not a list of strings:", "names");
        if (action == SCMP_ACT_NOTIFY && hands_listener_over(v->string))
            return error_set(err, "invalid_argument", "seccomp", NULL,
                             "SCMP_ACT_NOTIFY cannot be used for the %s syscall", v->string);
        int number = seccomp_syscall_resolve_name(v->string);
        if (number == __NR_SCMP_ERROR)
            continue; /* newer or older than this libseccomp: the default action, or the ENOSYS prelude,
                         answers */
        int result = add_rule(ctx, action, number, conditions, count, repeated);
        if (result < 0)
            return failed(err, result, "add rule for", v->string);
    }
    return 0;
}

/* Per architecture, the highest system call number that the profile names: above it the answer is "no such
 * call". */
struct known {
    uint32_t arch; /* AUDIT_ARCH_*, as seccomp_data.arch has it */
    uint32_t highest;
};

static void highest_named(const struct json_value *profile, struct known *known) {
    for (const struct json_value *e = json_first(json_get(profile, "syscalls")); e; e = e->next) {
        for (const struct json_value *v = json_first(json_get(e, "names")); v; v = v->next) {
            int number =
                v->type == JSON_STRING ? seccomp_syscall_resolve_name_arch(known->arch, v->string) : -1;
            if (number >= 0 && (uint32_t)number > known->highest)
                known->highest = (uint32_t)number;
        }
    }
}

/*
 * In front of libseccomp's program: for each architecture, numbers above the highest known give ENOSYS, so
 * that libc falls back (EPERM would make it fail). x32's numbers (bit 30) are left to libseccomp, which
 * refuses them.
 */
static size_t prelude(struct sock_filter *out, const struct known *known, size_t arches) {
    size_t n = 0;
    out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    for (size_t i = 0; i < arches; i++) {
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, known[i].arch, 0, 5);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 2, 0);
        out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, known[i].highest, 0, 1);
        out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
        out[n++] =
            (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    }
    return n;
}

static int export_program(struct seccomp_program *program, scmp_filter_ctx ctx, const struct known *known,
                          size_t arches, struct error *err) {
    struct sock_filter head[1 + MAX_ARCHES * 6];
    struct stat st;
    size_t head_count = arches ? prelude(head, known, arches) : 0;
    cleanup_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
    int result = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
    if (result < 0)
        return failed(err, result, "export", "program");
    if (fstat(fd, &st) < 0)
        return failed(err, -errno, "export", "program");
    size_t count = head_count + (size_t)st.st_size / sizeof(struct sock_filter);
    if (count > BPF_MAXINSNS)
        return bad(err, "the program has too many instructions; the kernel takes", "4096");
    program->filter = malloc(count * sizeof(struct sock_filter));
    if (!program->filter)
        return failed(err, -ENOMEM, "export", "program");
    memcpy(program->filter, head, head_count * sizeof(struct sock_filter));
    if (pread(fd, program->filter + head_count, (size_t)st.st_size, 0) != st.st_size)
        return failed(err, -EIO, "export", "program");
    program->count = (unsigned short)count;
    return 0;
}

static int add_architectures(scmp_filter_ctx ctx, const struct json_value *list, struct known *known,
                             size_t *count, struct error *err) {
    *count = 0;
    known[(*count)++].arch = seccomp_arch_native();
    for (const struct json_value *v = json_first(list); v; v = v->next) {
        uint32_t arch;
        if (v->type != JSON_STRING || arch_of(v->string, &arch) < 0)
            return bad(err, "unknown architecture", v->type == JSON_STRING ? v->string : "?");
        int result = seccomp_arch_add(ctx, arch);
        if (result < 0 && result != -EEXIST)
            return failed(err, result, "add architecture", v->string);
        bool listed = arch == SCMP_ARCH_X32; /* same audit arch as x86_64 */
        for (size_t i = 0; i < *count; i++)
            listed = listed || known[i].arch == arch;
        if (!listed && *count < MAX_ARCHES)
            known[(*count)++].arch = arch;
    }
    return 0;
}

static int compile(struct seccomp_program *program, scmp_filter_ctx ctx, const struct json_value *profile,
                   uint32_t default_action, struct error *err) {
    struct known known[MAX_ARCHES] = {0};
    size_t arches;
    if (add_architectures(ctx, json_get(profile, "architectures"), known, &arches, err) < 0)
        return -1;
    for (const struct json_value *v = json_first(json_get(profile, "syscalls")); v; v = v->next)
        if (add_entry(ctx, v, default_action, program, err) < 0)
            return -1;
    bool lenient = default_action == SCMP_ACT_ALLOW || default_action == SCMP_ACT_LOG ||
                   default_action == SCMP_ACT_NOTIFY || default_action == SCMP_ACT_ERRNO(ENOSYS) ||
                   (default_action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE;
    for (size_t i = 0; !lenient && i < arches; i++)
        highest_named(profile, &known[i]);
    /* A binary tree instead of a chain: fewer instructions for every system call of the container. */
    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return export_program(program, ctx, known, lenient ? 0 : arches, err);
}

int seccomp_filter_compile(struct seccomp_program *program, const struct json_value *profile,
                           struct error *err) {
    uint32_t errno_value = EPERM, action = 0;
    if (errno_of(profile, "defaultErrnoRet", &errno_value, err) < 0 ||
        action_of(json_get_string(profile, "defaultAction", ""), errno_value, &action, err) < 0)
        return -1;
    if (action == SCMP_ACT_NOTIFY)
        return bad(err, "default action must not be", "SCMP_ACT_NOTIFY");
    scmp_filter_ctx ctx = seccomp_init(action);
    if (!ctx)
        return failed(err, -ENOMEM, "create", "filter");
    int result = compile(program, ctx, profile, action, err);
    seccomp_release(ctx);
    return result;
}

int seccomp_filter_read_flags(struct seccomp_program *program, const struct json_value *profile,
                              struct error *err) {
    static const unsigned values[] = {SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                                      SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
    const struct json_value *flags = json_get(profile, "flags");
    if (!flags) /* as runc: with Spectre's store bypass fixed in hardware and kernels, the penalty is not
                   asked for */
        program->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    for (const struct json_value *v = json_first(flags); v; v = v->next) {
        int found = -1;
        for (int i = 0; v->type == JSON_STRING && seccomp_flag_names[i]; i++)
            if (strcmp(seccomp_flag_names[i], v->string) == 0)
                found = i;
        if (found < 0)
            return bad(err,
                       "seccomp flags unknown or not supported:", v->type == JSON_STRING ? v->string : "?");
        program->flags |= values[found];
    }
    return 0;
}

const char *seccomp_filter_library_version(void) {
    static char text[32];
    const struct scmp_version *v = seccomp_version();
    snprintf(text, sizeof(text), "%u.%u.%u", v->major, v->minor, v->micro);
    return text;
}

/*
 * Device rules on cgroup v2: a BPF_PROG_TYPE_CGROUP_DEVICE program. The rules are checked from the last to
 * the first, and the first that speaks about the device and all the access asked for decides; no rule, no
 * access.
 */
#include "cgroup.h"

#include "cleanup.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { MAX_INSTRUCTIONS = 4096, PER_RULE = 12 };

struct program {
    struct bpf_insn code[MAX_INSTRUCTIONS];
    size_t count;
};

static void emit(struct program *p, uint8_t code, int dst, int src, int off, int imm) {
    p->code[p->count++] = (struct bpf_insn){.code = code,
                                            .dst_reg = (unsigned)dst & 15,
                                            .src_reg = (unsigned)src & 15,
                                            .off = (int16_t)off,
                                            .imm = imm};
}

/* r2 = type, r3 = access, r4 = major, r5 = minor of the struct bpf_cgroup_dev_ctx in r1. */
static void prologue(struct program *p) {
    const uint8_t load = BPF_LDX | BPF_MEM | BPF_W;
    emit(p, load, BPF_REG_2, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
    emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
    emit(p, load, BPF_REG_3, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
    emit(p, BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
    emit(p, load, BPF_REG_4, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
    emit(p, load, BPF_REG_5, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

static void verdict(struct program *p, bool allow) {
    emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allow);
    emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void add_rule(struct program *p, const struct device_rule *r) {
    int access = (r->mknod ? BPF_DEVCG_ACC_MKNOD : 0) | (r->read ? BPF_DEVCG_ACC_READ : 0) |
                 (r->write ? BPF_DEVCG_ACC_WRITE : 0);
    const int all = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
    size_t jumps[4], jump_count = 0;
    if (r->type != 'a') {
        jumps[jump_count++] = p->count;
        emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 0,
             r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    }
    if (access != all) {
        emit(p, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
        emit(p, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, access);
        jumps[jump_count++] = p->count;
        /* An allowing rule must cover all that is asked for; a denying one takes effect if any of it is. */
        if (r->allow)
            emit(p, BPF_JMP | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
        else
            emit(p, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 0, 0);
    }
    if (r->major >= 0) {
        jumps[jump_count++] = p->count;
        emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_4, 0, 0, (int)r->major);
    }
    if (r->minor >= 0) {
        jumps[jump_count++] = p->count;
        emit(p, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_5, 0, 0, (int)r->minor);
    }
    verdict(p, r->allow);
    for (size_t i = 0; i < jump_count; i++)
        p->code[jumps[i]].off = (int16_t)(p->count - jumps[i] - 1);
}

/*
 * A catch-all rule ends the walk: what was said before it is overruled. A later rule that allows only part of
 * an access does not undo an earlier one for the rest, which is how v1 adds rules up, so each bit combination
 * asked for is matched as a whole; mknod and read or write are never asked for together by the kernel.
 */
static int build(struct program *p, const struct device_rule *rules, size_t count, struct error *err) {
    p->count = 0;
    prologue(p);
    for (size_t i = count; i > 0; i--) {
        const struct device_rule *r = &rules[i - 1];
        if (p->count + PER_RULE + 4 > MAX_INSTRUCTIONS)
            return error_set(err, "invalid_argument", "cgroup", "devices", "too many device rules: %zu",
                             count);
        if (r->type == 'a' && r->major < 0 && r->minor < 0 && r->read && r->write && r->mknod) {
            verdict(p, r->allow);
            return 0;
        }
        add_rule(p, r);
    }
    verdict(p, false);
    return 0;
}

static int bpf(int command, union bpf_attr *attr) {
    return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(const struct program *p, char *log, size_t log_size) {
    union bpf_attr attr = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insns = (uint64_t)(uintptr_t)p->code,
        .insn_cnt = (uint32_t)p->count,
        .license = (uint64_t)(uintptr_t) "GPL",
        .log_buf = (uint64_t)(uintptr_t)log,
        .log_size = (uint32_t)log_size,
        .log_level = log ? 1 : 0,
    };
    return bpf(BPF_PROG_LOAD, &attr);
}

/* Kernels before 5.11 charge programs to RLIMIT_MEMLOCK; raising it may be refused, so it is tried only when
 * needed. */
static int load_program(const struct program *p, struct error *err) {
    char log[4096] = "";
    struct rlimit limit, unlimited = {RLIM_INFINITY, RLIM_INFINITY};
    int fd = load(p, NULL, 0);
    if (fd < 0 && errno == EPERM && getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
            fd = load(p, NULL, 0);
        int number = errno;
        setrlimit(RLIMIT_MEMLOCK, &limit);
        errno = number;
    }
    if (fd >= 0)
        return fd;
    int number = errno;
    load(p, log, sizeof(log));
    return error_errno(err, number, "cgroup", "devices", "load the device program (%.500s)", log);
}

/* The programs attached now; at most `room`. */
static int query(int dir, uint32_t *ids, uint32_t room, uint32_t *count) {
    union bpf_attr attr = {.query = {.target_fd = (uint32_t)dir,
                                     .attach_type = BPF_CGROUP_DEVICE,
                                     .prog_ids = (uint64_t)(uintptr_t)ids,
                                     .prog_cnt = room}};
    if (bpf(BPF_PROG_QUERY, &attr) < 0)
        return -1;
    *count = attr.query.prog_cnt;
    return 0;
}

static int program_by_id(uint32_t id) {
    union bpf_attr attr = {.prog_id = id};
    return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static int attach(int dir, int program, int replace) {
    union bpf_attr attr = {.target_fd = (uint32_t)dir,
                           .attach_bpf_fd = (uint32_t)program,
                           .attach_type = BPF_CGROUP_DEVICE,
                           .attach_flags = BPF_F_ALLOW_MULTI | (replace >= 0 ? BPF_F_REPLACE : 0u),
                           .replace_bpf_fd = replace >= 0 ? (uint32_t)replace : 0};
    return bpf(BPF_PROG_ATTACH, &attr);
}

static void detach(int dir, int program) {
    union bpf_attr attr = {
        .target_fd = (uint32_t)dir, .attach_bpf_fd = (uint32_t)program, .attach_type = BPF_CGROUP_DEVICE};
    bpf(BPF_PROG_DETACH, &attr);
}

int bpf_devices_attach(int dir, const struct device_rule *rules, size_t count, struct error *err) {
    static struct program program;
    uint32_t ids[32] = {0}, old_count = 0;
    if (build(&program, rules, count, err) < 0)
        return -1;
    cleanup_fd int fd = load_program(&program, err);
    if (fd < 0)
        return -1;
    if (query(dir, ids, 32, &old_count) < 0)
        old_count = 0;
    /* Exactly one old program is replaced in one step: at no moment is everything open, or closed. */
    cleanup_fd int old = old_count == 1 ? program_by_id(ids[0]) : -1;
    if (attach(dir, fd, old) < 0)
        return error_errno(err, errno, "cgroup", "devices", "attach the device program");
    for (uint32_t i = 0; old < 0 && i < old_count && i < 32; i++) {
        cleanup_fd int stale = program_by_id(ids[i]);
        if (stale >= 0)
            detach(dir, stale);
    }
    return 0;
}

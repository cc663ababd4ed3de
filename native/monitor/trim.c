/*
 * The memory of an idle monitor.
 *
 * With hundreds of containers the monitors' memory is what they cost, and nearly always all of them wait. So
 * one second after the last event a monitor gives everything back that can be had again: buffers, the stack
 * below it, the environment it was started with, and the mappings of its own text and constants. Those stay
 * in the page cache; coming back costs a few minor faults. To wait without its text a program has to stand on
 * one page of it: wait_alone is that page, and has a mapping of its own, because the kernel maps sixteen
 * pages around a fault, but never beyond the mapping (do_fault_around, mm/memory.c).
 *
 * What stays is private and dirty: a page each of data, heap, malloc's own, and two of stack.
 */
#include "monitor.h"

#include <link.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_DEPTH (256u * 1024) /* deeper than any path of the set-up has gone */
#define PAGE 4096u

struct range {
    uintptr_t start, length;
};

extern char **environ;

static uintptr_t page_down(uintptr_t address) {
    return address & ~(uintptr_t)(PAGE - 1);
}

/* Whole pages from `from` to `to` only. */
static void drop(uintptr_t from, uintptr_t to) {
    from = page_down(from + PAGE - 1);
    to = page_down(to);
    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

void trim_environment(void) {
    /* What a later call of the runtime ("delete") gets. */
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char *small[] = {path, NULL};
    char **old = environ, *last = NULL;
    for (char **entry = old; *entry; entry++)
        last = *entry > last ? *entry : last;
    environ = small;
    if (last) /* the strings of one environment follow each other, above everything else on the stack */
        drop((uintptr_t)old[0], (uintptr_t)last);
}

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)

static inline __attribute__((always_inline)) long raw_syscall(long number, long a, long b, long c, long d,
                                                              long e) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

/* Calls nothing: everything else of the text is unmapped (not: gone) while it waits. */
__attribute__((section(".text.wait_alone"), aligned(PAGE), noinline, no_stack_protector)) static void
wait_alone(const struct range *ranges, size_t count, struct pollfd *descriptor,
           const struct timespec *timeout) {
    for (size_t i = 0; i < count; i++)
        raw_syscall(SYS_madvise, (long)ranges[i].start, (long)ranges[i].length, MADV_DONTNEED, 0, 0);
    raw_syscall(SYS_ppoll, (long)descriptor, 1, (long)timeout, 0, 0);
}

extern const ElfW(Ehdr) __ehdr_start;

/* Our mappings that are never written, but for wait_alone's page; returns how many ranges. */
static size_t read_only_ranges(struct range ranges[8]) {
    const ElfW(Phdr) *header = (const ElfW(Phdr) *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    uintptr_t alone = (uintptr_t)wait_alone;
    size_t count = 0;
    for (size_t i = 0; i < __ehdr_start.e_phnum && count < 6; i++, header++) {
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W))
            continue;
        uintptr_t start = page_down(header->p_vaddr),
                  end = page_down(header->p_vaddr + header->p_memsz + PAGE - 1);
        if (alone >= start && alone < end) {
            if (alone > start)
                ranges[count++] = (struct range){start, alone - start};
            start = alone + PAGE;
        }
        if (start < end)
            ranges[count++] = (struct range){start, end - start};
    }
    return count;
}

static void wait_small(int fd, int timeout_ms) {
    struct range ranges[8];
    struct pollfd descriptor = {.fd = fd, .events = POLLIN};
    struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
    madvise((void *)(uintptr_t)wait_alone, PAGE, MADV_RANDOM); /* another flag, hence a mapping of its own */
    wait_alone(ranges, read_only_ranges(ranges), &descriptor, timeout_ms < 0 ? NULL : &timeout);
}

#else

static void wait_small(int fd, int timeout_ms) {
    struct pollfd descriptor = {.fd = fd, .events = POLLIN};
    poll(&descriptor, 1, timeout_ms);
}

#endif

void trim_and_wait(struct monitor *m, int timeout_ms) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    log_trim(&m->log);
    madvise(m->scratch, IO_CHUNK, MADV_DONTNEED);
    drop(here - STACK_DEPTH, here - PAGE); /* the page below ours is for the calls made from here */
    wait_small(m->loop.epoll_fd, timeout_ms);
}

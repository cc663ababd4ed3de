/*
 * The memory of an idle monitor.
 *
 * One second after the last event everything that can be had again is given back to the kernel: buffers, the
 * unused part of the stack, and the mappings of our own text and constants (they stay in the page cache, so
 * coming back costs a few minor faults). With hundreds of containers this is most of what a monitor costs.
 */
#include "monitor.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_DEPTH (256u * 1024) /* deeper than any path of the set-up has gone */
#define PAGE 4096u

void trim_memory(struct monitor *m) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    log_trim(&m->log);
    /* Below the red zone and this call's own needs nothing of the stack is in use. */
    uintptr_t top = (here - 2 * PAGE) & ~(uintptr_t)(PAGE - 1);
    madvise((void *)(top - STACK_DEPTH), STACK_DEPTH, MADV_DONTNEED);
}

/* Step timings; trace.h tells what they promise. */
#include "trace.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int trace_fd = -1;
static int64_t began, last;

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int trace_descriptor(void) {
    return trace_fd;
}

void trace_start(const char *file) {
    int fd = file ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : 2;
    trace_fd = fcntl(fd, F_DUPFD_CLOEXEC, 100); /* out of the way of the attach descriptors' numbers */
    if (file && fd >= 0)
        close(fd);
    began = last = now_us();
}

void trace_step(const char *name) {
    if (trace_fd < 0)
        return;
    int64_t now = now_us();
    dprintf(trace_fd, "trace %8lld us (+%lld) %s\n", (long long)(now - began), (long long)(now - last), name);
    last = now;
}

void trace_stop(void) {
    trace_fd = -1;
}

#include "copy.h"

#include "lib/cleanup.h"
#include "pack.h"
#include "tar_write.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

struct sender {
    const struct copy_plan *plan;
    int pipe;
    int result;
    struct error error;
};

static int send_all(const struct copy_plan *plan, struct packer *packer, struct error *err) {
    struct stat st;
    if (fstatat(plan->source, plan->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "copy", plan->name, "cannot stat \"%.256s\"", plan->name);
    if (plan->top && pack_entry(packer, plan->source, plan->name, plan->path, &st, err) < 0)
        return -1;
    if (plan->children && S_ISDIR(st.st_mode)) {
        cleanup_fd int fd = openat(plan->source, plan->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return error_errno(err, errno, "copy", plan->name, "cannot open \"%.256s\"", plan->name);
        if (pack_children(packer, fd, plan->path, 0, err) < 0)
            return -1;
    }
    return tar_end(packer->out, err);
}

static void *send_thread(void *argument) {
    struct sender *s = argument;
    struct packer packer = {0};
    struct input_summary summary;
    s->result = -1;
    packer.out = output_open(s->pipe, OUTPUT_NONE, 0, &s->error);
    if (packer.out) {
        s->result = send_all(s->plan, &packer, &s->error);
        if (s->result == 0)
            s->result = output_finish(packer.out, &summary, &s->error);
    }
    packer_close(&packer);
    output_close(packer.out);
    close(s->pipe);
    return NULL;
}

int copy_run(const struct copy_plan *plan, struct error *err) {
    int ends[2];
    pthread_t thread;
    struct sender sender = {.plan = plan};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno, "copy", NULL, "cannot make a pipe");
    sender.pipe = ends[1];
    if (pthread_create(&thread, NULL, send_thread, &sender) != 0) {
        close(ends[0]);
        close(ends[1]);
        return error_errno(err, EAGAIN, "copy", NULL, "cannot start a thread");
    }
    struct extract_result made;
    int result = extract_stream(ends[0], plan->target, plan->base, &plan->options, &made, err);
    close(ends[0]); /* a sender that is still writing gets EPIPE and ends */
    pthread_join(thread, NULL);
    if (sender.result < 0 && (result == 0 || sender.error.code[0] != 'c')) /* "cancelled" is our own doing */
        *err = sender.error;
    return sender.result < 0 ? -1 : result;
}

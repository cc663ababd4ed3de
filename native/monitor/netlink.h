/*
 * As much of netlink as a container's network needs: build a request, send it, read the kernel's verdict.
 * rtnetlink(7), netlink(7).
 */
#ifndef BERTH_MONITOR_NETLINK_H
#define BERTH_MONITOR_NETLINK_H

#include <stddef.h>
#include <stdint.h>

struct netlink {
    int fd;
    uint32_t sequence;
    char explanation[160]; /* the kernel's extended acknowledgement of the last failure, "" if none */
};

/* A request under construction. Attributes that do not fit are a programming error (abort). */
struct netlink_request {
    union {
        uint32_t align;
        char bytes[2048];
    };
    size_t length;
};

/* Opens a socket of this protocol in the calling thread's network namespace. 0, or -1 with errno. */
int netlink_open(struct netlink *netlink, int protocol);
void netlink_close(struct netlink *netlink);

/* Begins a request of this type with its fixed header; NLM_F_REQUEST and NLM_F_ACK are added. */
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const void *header,
                   size_t length);
void netlink_put(struct netlink_request *request, uint16_t type, const void *data, size_t length);
void netlink_put_string(struct netlink_request *request, uint16_t type, const char *text);
void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value);
/* Opens a nested attribute; returns what netlink_end needs. */
size_t netlink_nest(struct netlink_request *request, uint16_t type);
void netlink_end(struct netlink_request *request, size_t nest);
/* A fixed header inside a nested attribute (the veth peer's). */
void netlink_put_raw(struct netlink_request *request, const void *data, size_t length);

/* Sends and waits for the acknowledgement. 0, or -1 with the kernel's errno. */
int netlink_call(struct netlink *netlink, struct netlink_request *request);

/* Several messages in one request (nftables' transactions): begins one behind what is there; returns what
 * netlink_finish needs. No flag but NLM_F_REQUEST is added. */
size_t netlink_append(struct netlink_request *request, uint16_t type, uint16_t flags, const void *header,
                      size_t length);
void netlink_finish(struct netlink_request *request, size_t message);
/* Sends them; exactly one, the last that can fail, has NLM_F_ACK. 0, or -1 with the kernel's errno. */
int netlink_call_batch(struct netlink *netlink, struct netlink_request *request);

/* Index of the interface of this name in the socket's namespace; -1 with errno (ENODEV). */
int netlink_index(struct netlink *netlink, const char *name);

#endif

/* netlink requests; netlink.h tells what they promise. */
#include "netlink.h"

#include "cleanup.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

int netlink_open(struct netlink *netlink, int protocol) {
    int on = 1;
    *netlink = (struct netlink){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)};
    if (netlink->fd < 0)
        return -1;
    setsockopt(netlink->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    setsockopt(netlink->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    return 0;
}

void netlink_close(struct netlink *netlink) {
    fd_close(&netlink->fd);
}

static void *extend(struct netlink_request *request, size_t length) {
    size_t at = request->length;
    if (NLMSG_ALIGN(at + length) > sizeof(request->bytes))
        abort();
    memset(request->bytes + at, 0, NLMSG_ALIGN(length));
    request->length = at + NLMSG_ALIGN(length);
    return request->bytes + at;
}

size_t netlink_append(struct netlink_request *request, uint16_t type, uint16_t flags, const void *header,
                      size_t length) {
    size_t at = request->length;
    struct nlmsghdr *message = extend(request, sizeof(*message));
    message->nlmsg_type = type;
    message->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
    memcpy(extend(request, length), header, length);
    return at;
}

void netlink_finish(struct netlink_request *request, size_t message) {
    ((struct nlmsghdr *)(request->bytes + message))->nlmsg_len = (uint32_t)(request->length - message);
}

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const void *header,
                   size_t length) {
    request->length = 0;
    netlink_append(request, type, (uint16_t)(flags | NLM_F_ACK), header, length);
}

void netlink_put_raw(struct netlink_request *request, const void *data, size_t length) {
    memcpy(extend(request, length), data, length);
}

void netlink_put(struct netlink_request *request, uint16_t type, const void *data, size_t length) {
    struct rtattr *attribute = extend(request, RTA_LENGTH(length));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(length);
    memcpy(RTA_DATA(attribute), data, length);
}

void netlink_put_string(struct netlink_request *request, uint16_t type, const char *text) {
    netlink_put(request, type, text, strlen(text) + 1);
}

void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value) {
    netlink_put(request, type, &value, sizeof(value));
}

size_t netlink_nest(struct netlink_request *request, uint16_t type) {
    size_t at = request->length;
    struct rtattr *attribute = extend(request, RTA_LENGTH(0));
    attribute->rta_type = (unsigned short)(type | NLA_F_NESTED);
    return at;
}

void netlink_end(struct netlink_request *request, size_t nest) {
    struct rtattr *attribute = (struct rtattr *)(request->bytes + nest);
    attribute->rta_len = (unsigned short)(request->length - nest);
}

/* The text attribute behind an acknowledgement, if the kernel has sent one. */
static void read_explanation(struct netlink *netlink, const struct nlmsghdr *message) {
    size_t offset = NLMSG_ALIGN(sizeof(*message) + sizeof(struct nlmsgerr));
    netlink->explanation[0] = '\0';
    if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
        return;
    while (offset + sizeof(struct nlattr) <= message->nlmsg_len) {
        const struct nlattr *attribute = (const struct nlattr *)((const char *)message + offset);
        if (attribute->nla_len < NLA_HDRLEN || offset + attribute->nla_len > message->nlmsg_len)
            return;
        size_t length = attribute->nla_len - NLA_HDRLEN;
        if ((attribute->nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
            length = length < sizeof(netlink->explanation) ? length : sizeof(netlink->explanation) - 1;
            memcpy(netlink->explanation, (const char *)attribute + NLA_HDRLEN, length);
            netlink->explanation[length] = '\0';
        }
        offset += NLA_ALIGN(attribute->nla_len);
    }
}

/* Sends; reads until the first acknowledgement. *index, if asked for, is the interface of a link message on
 * the way. */
static int send_and_read(struct netlink *netlink, struct netlink_request *request, int *index) {
    union {
        struct nlmsghdr header;
        char bytes[16384];
    } reply;
    if (send(netlink->fd, request->bytes, request->length, 0) < 0)
        return -1;
    for (;;) {
        ssize_t got = recv(netlink->fd, &reply, sizeof(reply), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        size_t left = (size_t)got;
        for (struct nlmsghdr *part = &reply.header; NLMSG_OK(part, left); part = NLMSG_NEXT(part, left)) {
            if (part->nlmsg_seq != netlink->sequence)
                continue;
            if (part->nlmsg_type == RTM_NEWLINK && index)
                *index = ((struct ifinfomsg *)NLMSG_DATA(part))->ifi_index;
            if (part->nlmsg_type != NLMSG_ERROR)
                continue;
            read_explanation(netlink, part);
            int error = ((struct nlmsgerr *)NLMSG_DATA(part))->error;
            errno = -error;
            return error == 0 ? 0 : -1;
        }
    }
}

static int exchange(struct netlink *netlink, struct netlink_request *request, int *index) {
    netlink_finish(request, 0);
    ((struct nlmsghdr *)request->bytes)->nlmsg_seq = ++netlink->sequence;
    return send_and_read(netlink, request, index);
}

int netlink_call_batch(struct netlink *netlink, struct netlink_request *request) {
    netlink->sequence++;
    for (size_t at = 0; at < request->length;) {
        struct nlmsghdr *message = (struct nlmsghdr *)(request->bytes + at);
        message->nlmsg_seq = netlink->sequence;
        at += NLMSG_ALIGN(message->nlmsg_len);
    }
    return send_and_read(netlink, request, NULL);
}

int netlink_call(struct netlink *netlink, struct netlink_request *request) {
    return exchange(netlink, request, NULL);
}

int netlink_index(struct netlink *netlink, const char *name) {
    struct netlink_request request;
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    int index = -1;
    netlink_begin(&request, RTM_GETLINK, 0, &header, sizeof(header));
    netlink_put_string(&request, IFLA_IFNAME, name);
    if (exchange(netlink, &request, &index) < 0)
        return -1;
    if (index < 0)
        errno = ENODEV;
    return index;
}

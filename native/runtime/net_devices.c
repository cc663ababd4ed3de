#include "net_devices.h"

#include "cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ADDRESSES_MAX = 64, BUFFER = 8192 };

/* An address as the kernel gave it, to be set again after the move, which drops all. */
struct address {
    struct ifaddrmsg header;
    unsigned char local[16], broadcast[4];
    bool has_broadcast;
};

struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
    };
    char attributes[256];
};

static int net_error(int number, const char *name, const char *what, struct error *err) {
    return error_errno(err, number, "network device", name, "network device %s: %s", name, what);
}

static int open_route(struct error *err) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return fd >= 0 ? fd : error_errno(err, errno, "network device", NULL, "open a netlink socket");
}

static void add_attribute(struct request *r, unsigned short type, const void *data, size_t length) {
    struct rtattr *attribute = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(length);
    memcpy(RTA_DATA(attribute), data, length);
    r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

/* Sends a request and returns the kernel's verdict: 0 or -1 with errno. */
static int ask(int fd, struct request *r) {
    char buffer[BUFFER];
    r->header.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (send(fd, r, r->header.nlmsg_len, 0) < 0)
        return -1;
    ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
    struct nlmsghdr *answer = (struct nlmsghdr *)buffer;
    if (got < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || answer->nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
    return errno ? -1 : 0;
}

static void take_address(struct nlmsghdr *message, unsigned index, struct address *list, size_t *count) {
    struct ifaddrmsg *header = NLMSG_DATA(message);
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(*header)));
    if (header->ifa_index != index || header->ifa_scope != RT_SCOPE_UNIVERSE ||
        (header->ifa_flags & IFA_F_PERMANENT) == 0 || *count == ADDRESSES_MAX)
        return;
    struct address *a = &list[*count];
    *a = (struct address){.header = *header};
    bool has_local = false;
    for (struct rtattr *r = IFA_RTA(header); RTA_OK(r, left); r = RTA_NEXT(r, left)) {
        size_t length = RTA_PAYLOAD(r);
        if ((r->rta_type == IFA_LOCAL || (r->rta_type == IFA_ADDRESS && !has_local)) &&
            length <= sizeof(a->local)) {
            memcpy(a->local, RTA_DATA(r), length);
            has_local = has_local || r->rta_type == IFA_LOCAL;
        } else if (r->rta_type == IFA_BROADCAST && length == sizeof(a->broadcast)) {
            memcpy(a->broadcast, RTA_DATA(r), length);
            a->has_broadcast = true;
        }
    }
    ++*count;
}

/* The interface's permanent global addresses. */
static int list_addresses(int fd, unsigned index, struct address *list, size_t *count) {
    struct request r = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                                   .nlmsg_type = RTM_GETADDR,
                                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    char buffer[BUFFER * 4];
    *count = 0;
    if (send(fd, &r, r.header.nlmsg_len, 0) < 0)
        return -1;
    for (;;) {
        ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
        if (got <= 0)
            return -1;
        int left = (int)got;
        for (struct nlmsghdr *m = (struct nlmsghdr *)buffer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
            if (m->nlmsg_type == NLMSG_DONE)
                return 0;
            if (m->nlmsg_type == RTM_NEWADDR)
                take_address(m, index, list, count);
        }
    }
}

static int move_link(int fd, unsigned index, const char *name, int netns) {
    struct request r = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_NEWLINK},
        .link = {.ifi_index = (int)index}};
    add_attribute(&r, IFLA_NET_NS_FD, &netns, sizeof(netns));
    add_attribute(&r, IFLA_IFNAME, name, strlen(name) + 1);
    return ask(fd, &r);
}

static int add_address(int fd, unsigned index, const struct address *a) {
    struct request r = {.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                                   .nlmsg_type = RTM_NEWADDR,
                                   .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
                        .address = a->header};
    size_t length = a->header.ifa_family == AF_INET ? 4 : 16;
    r.address.ifa_index = index;
    r.address.ifa_flags = 0;
    add_attribute(&r, IFA_LOCAL, a->local, length);
    add_attribute(&r, IFA_ADDRESS, a->local, length);
    if (a->has_broadcast)
        add_attribute(&r, IFA_BROADCAST, a->broadcast, sizeof(a->broadcast));
    return ask(fd, &r);
}

static int set_up(int fd, unsigned index) {
    struct request r = {
        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)), .nlmsg_type = RTM_NEWLINK},
        .link = {.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP}};
    return ask(fd, &r);
}

/* In the container's network namespace: addresses back, then up. */
static int restore(const char *name, const struct address *list, size_t count, struct error *err) {
    cleanup_fd int fd = open_route(err);
    unsigned index = if_nametoindex(name);
    if (fd < 0 || index == 0)
        return fd < 0 ? -1 : net_error(errno, name, "find it after the move", err);
    for (size_t i = 0; i < count; i++)
        if (add_address(fd, index, &list[i]) < 0)
            return net_error(errno, name, "set its address again", err);
    return set_up(fd, index) < 0 ? net_error(errno, name, "bring it up", err) : 0;
}

static int move_one(const struct net_device_spec *device, int own, int target, struct error *err) {
    struct address list[ADDRESSES_MAX];
    size_t count;
    cleanup_fd int fd = open_route(err);
    unsigned index = if_nametoindex(device->host_name);
    if (fd < 0)
        return -1;
    if (index == 0)
        return net_error(errno, device->host_name, "it does not exist on the host", err);
    if (list_addresses(fd, index, list, &count) < 0)
        return net_error(errno, device->host_name, "list its addresses", err);
    if (move_link(fd, index, device->container_name, target) < 0)
        return net_error(errno, device->host_name, "move it into the container", err);
    if (setns(target, CLONE_NEWNET) < 0)
        return net_error(errno, device->host_name, "enter the container's network namespace", err);
    int result = restore(device->container_name, list, count, err);
    if (setns(own, CLONE_NEWNET) < 0)
        return net_error(errno, device->host_name, "return to the own network namespace", err);
    return result;
}

int net_devices_move(const struct spec *spec, int proc_fd, pid_t init, struct error *err) {
    char path[40];
    if (!spec->net_device_count)
        return 0;
    snprintf(path, sizeof(path), "%d/ns/net", init);
    cleanup_fd int target = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    cleanup_fd int own = openat(proc_fd, "self/ns/net", O_RDONLY | O_CLOEXEC);
    if (target < 0 || own < 0)
        return error_errno(err, errno, "network device", path, "open the container's network namespace");
    for (size_t i = 0; i < spec->net_device_count; i++)
        if (move_one(&spec->net_devices[i], own, target, err) < 0)
            return -1;
    return 0;
}

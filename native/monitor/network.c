/* Network attachments; network.h tells what they promise. */
#include "network.h"

#include "cleanup.h"
#include "name_server.h"
#include "netlink.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STEP "network"
#define LOOPBACK_INDEX 1 /* in every namespace */

struct namespaces {
    struct netlink host, inside;
    int inside_fd;
};

static int fail(struct error *err, const struct netlink *netlink, const struct attachment *attachment,
                const char *what) {
    int number = errno;
    const char *explanation = netlink ? netlink->explanation : "";
    return error_errno(err, number, STEP, attachment->host_name, "attach to bridge %s: %s%s%s%s",
                       attachment->bridge, what, *explanation ? " (" : "", explanation,
                       *explanation ? ")" : "");
}

static int delete_link(struct netlink *host, const char *name) {
    struct netlink_request request;
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
    netlink_begin(&request, RTM_DELLINK, 0, &header, sizeof(header));
    netlink_put_string(&request, IFLA_IFNAME, name);
    return netlink_call(host, &request);
}

/* One request makes both ends, each in its place, and sets ours up. */
static int make_pair(struct namespaces *ns, const struct attachment *attachment, int bridge) {
    struct netlink_request request;
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct ifinfomsg peer_header = {.ifi_family = AF_UNSPEC}; /* cannot be up before it has its peer */
    netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    netlink_put_string(&request, IFLA_IFNAME, attachment->host_name);
    netlink_put_u32(&request, IFLA_MASTER, (uint32_t)bridge);
    if (attachment->mtu)
        netlink_put_u32(&request, IFLA_MTU, attachment->mtu);
    size_t info = netlink_nest(&request, IFLA_LINKINFO);
    netlink_put_string(&request, IFLA_INFO_KIND, "veth");
    size_t data = netlink_nest(&request, IFLA_INFO_DATA);
    size_t peer = netlink_nest(&request, VETH_INFO_PEER);
    netlink_put_raw(&request, &peer_header, sizeof(peer_header));
    netlink_put_string(&request, IFLA_IFNAME, attachment->container_name);
    netlink_put_u32(&request, IFLA_NET_NS_FD, (uint32_t)ns->inside_fd);
    if (attachment->has_mac)
        netlink_put(&request, IFLA_ADDRESS, attachment->mac, sizeof(attachment->mac));
    if (attachment->mtu)
        netlink_put_u32(&request, IFLA_MTU, attachment->mtu);
    netlink_end(&request, peer);
    netlink_end(&request, data);
    netlink_end(&request, info);
    return netlink_call(&ns->host, &request);
}

/* Ports that are isolated reach the bridge and what is behind it, but not each other. */
static int isolate(struct netlink *host, int port) {
    struct netlink_request request;
    struct ifinfomsg header = {.ifi_family = AF_BRIDGE, .ifi_index = port};
    uint8_t on = 1;
    netlink_begin(&request, RTM_SETLINK, 0, &header, sizeof(header));
    size_t info = netlink_nest(&request, IFLA_PROTINFO);
    netlink_put(&request, IFLA_BRPORT_ISOLATED, &on, sizeof(on));
    netlink_end(&request, info);
    return netlink_call(host, &request);
}

static int add_address(struct netlink *inside, int index, const struct ip_address *address) {
    struct netlink_request request;
    size_t length = address->family == AF_INET ? 4 : 16;
    struct ifaddrmsg header = {.ifa_family = (uint8_t)address->family,
                               .ifa_prefixlen = address->prefix,
                               .ifa_index = (uint32_t)index};
    netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    netlink_put(&request, IFA_LOCAL, address->bytes, length);
    netlink_put(&request, IFA_ADDRESS, address->bytes, length);
    if (address->family == AF_INET6) {
        /* The address pool gives each address once: duplicate detection would only cost a second. */
        netlink_put_u32(&request, IFA_FLAGS, IFA_F_NODAD);
    } else if (address->prefix < 31) {
        uint8_t broadcast[4];
        for (unsigned i = 0; i < 4; i++) {
            unsigned host_bits = address->prefix >= 8 * (i + 1) ? 0
                                 : address->prefix <= 8 * i     ? 8
                                                                : 8 * (i + 1) - address->prefix;
            broadcast[i] = (uint8_t)(address->bytes[i] | ((1u << host_bits) - 1));
        }
        netlink_put(&request, IFA_BROADCAST, broadcast, sizeof(broadcast));
    }
    return netlink_call(inside, &request);
}

static int add_default_route(struct netlink *inside, int index, const struct ip_address *gateway) {
    struct netlink_request request;
    struct rtmsg header = {.rtm_family = (uint8_t)gateway->family,
                           .rtm_table = RT_TABLE_MAIN,
                           .rtm_protocol = RTPROT_BOOT,
                           .rtm_scope = RT_SCOPE_UNIVERSE,
                           .rtm_type = RTN_UNICAST};
    netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
    netlink_put(&request, RTA_GATEWAY, gateway->bytes, gateway->family == AF_INET ? 4 : 16);
    netlink_put_u32(&request, RTA_OIF, (uint32_t)index);
    return netlink_call(inside, &request);
}

static int set_up(struct netlink *inside, int index) {
    struct netlink_request request;
    struct ifinfomsg header = {
        .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    netlink_begin(&request, RTM_NEWLINK, 0, &header, sizeof(header));
    return netlink_call(inside, &request);
}

static int attach(struct namespaces *ns, const struct attachment *attachment, struct error *err) {
    int bridge = netlink_index(&ns->host, attachment->bridge);
    if (bridge < 0)
        return fail(err, NULL, attachment, "find the bridge");
    int made = make_pair(ns, attachment, bridge);
    if (made < 0 && errno == EEXIST && delete_link(&ns->host, attachment->host_name) == 0)
        made = make_pair(ns, attachment,
                         bridge); /* it was left by a monitor that was killed: the name is ours */
    if (made < 0)
        return fail(err, &ns->host, attachment, "make the veth pair");
    if (attachment->isolated) {
        int port = netlink_index(&ns->host, attachment->host_name);
        if (port < 0 || isolate(&ns->host, port) < 0)
            return fail(err, &ns->host, attachment, "isolate the port");
    }
    int index = netlink_index(&ns->inside, attachment->container_name);
    if (index < 0)
        return fail(err, NULL, attachment, "find the container's interface");
    if (set_up(&ns->inside, index) < 0)
        return fail(err, &ns->inside, attachment, "set the container's interface up");
    for (size_t i = 0; i < attachment->address_count; i++)
        if (add_address(&ns->inside, index, &attachment->addresses[i]) < 0)
            return fail(err, &ns->inside, attachment, "add an address");
    for (size_t i = 0; i < attachment->gateway_count; i++)
        if (add_default_route(&ns->inside, index, &attachment->gateways[i]) < 0)
            return fail(err, &ns->inside, attachment, "add the default route");
    return 0;
}

static bool is_own_namespace(int fd) {
    struct stat own, other;
    return stat("/proc/self/ns/net", &own) == 0 && fstat(fd, &other) == 0 && own.st_ino == other.st_ino &&
           own.st_dev == other.st_dev;
}

/* A socket belongs to the namespace it was made in, so a short visit is enough. */
static int open_inside(struct namespaces *ns, const struct ip_address *name_server, struct error *err) {
    cleanup_fd int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0 || setns(ns->inside_fd, CLONE_NEWNET) < 0)
        return error_errno(err, errno, STEP, "", "enter the container's network namespace");
    const char *what = "open a socket";
    int opened = netlink_open(&ns->inside, NETLINK_ROUTE);
    if (opened == 0 && name_server)
        opened = name_server_redirect(name_server->bytes, &what);
    int number = errno;
    if (setns(own, CLONE_NEWNET) < 0)
        abort(); /* in the wrong namespace nothing we could do would be right */
    if (opened < 0)
        return error_errno(err, number, STEP, "", "%s in the container's network namespace", what);
    return 0;
}

static int attach_all(const struct document *doc, struct namespaces *ns, struct error *err) {
    if (open_inside(ns, doc->has_name_server ? &doc->name_server : NULL, err) < 0)
        return -1;
    if (set_up(&ns->inside, LOOPBACK_INDEX) < 0)
        return error_errno(err, errno, STEP, "lo", "set the loopback interface up");
    if (doc->attachment_count > 0 && netlink_open(&ns->host, NETLINK_ROUTE) < 0)
        return error_errno(err, errno, STEP, "", "open a netlink socket");
    for (size_t i = 0; i < doc->attachment_count; i++) {
        if (attach(ns, &doc->attachments[i], err) == 0)
            continue;
        for (size_t made = 0; made <= i; made++)
            delete_link(&ns->host, doc->attachments[made].host_name);
        return -1;
    }
    return 0;
}

int network_attach(const struct document *doc, pid_t pid, struct error *err) {
    char path[64];
    struct namespaces ns = {.host = {.fd = -1}, .inside = {.fd = -1}};
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    cleanup_fd int inside_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (inside_fd < 0)
        return error_errno(err, errno, STEP, path, "open the container's network namespace");
    if (is_own_namespace(inside_fd)) {
        if (doc->attachment_count == 0)
            return 0;
        return error_set(
            err, "invalid_argument", STEP, "",
            "the container shares the host's network namespace, so it cannot be attached to bridge %s",
            doc->attachments[0].bridge);
    }
    ns.inside_fd = inside_fd;
    int result = attach_all(doc, &ns, err);
    netlink_close(&ns.host);
    netlink_close(&ns.inside);
    return result;
}

void network_detach(char *const *links, size_t count) {
    struct netlink host;
    if (count == 0 || netlink_open(&host, NETLINK_ROUTE) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        delete_link(&host, links[i]);
    netlink_close(&host);
}

/* 127.0.0.11; name_server.h tells why. Rules as in `nft`, in one transaction over nfnetlink. */
#include "name_server.h"

#include "cleanup.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The same name as in agent/src/networks/name-server.ts, which moves the rules of a running container. */
#define TABLE "berth_names"
#define LOOPBACK_INDEX 1 /* in every namespace */
#define PRIORITY_RAW (-300)
#define PRIORITY_DNAT (-100)
#define PRIORITY_SNAT 100

/* Where the kernel finds what a rule compares: header, offset, and the bytes that must be there. */
struct match {
    uint32_t base, offset, length;
    uint8_t value[4];
};

static void put_be32(struct netlink_request *request, uint16_t type, uint32_t value) {
    netlink_put_u32(request, type, htonl(value));
}

static size_t begin(struct netlink_request *batch, uint16_t message, uint16_t flags) {
    struct nfgenmsg header = {.nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0};
    uint16_t type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message);
    return netlink_append(batch, type, flags, &header, sizeof(header));
}

static void mark(struct netlink_request *batch, uint16_t type) {
    struct nfgenmsg header = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
    netlink_finish(batch, netlink_append(batch, type, 0, &header, sizeof(header)));
}

static void add_table(struct netlink_request *batch) {
    size_t at = begin(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    netlink_put_string(batch, NFTA_TABLE_NAME, TABLE);
    netlink_finish(batch, at);
}

static void add_chain(struct netlink_request *batch, const char *name, const char *type, uint32_t hook,
                      int priority) {
    size_t at = begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    netlink_put_string(batch, NFTA_CHAIN_TABLE, TABLE);
    netlink_put_string(batch, NFTA_CHAIN_NAME, name);
    size_t nest = netlink_nest(batch, NFTA_CHAIN_HOOK);
    put_be32(batch, NFTA_HOOK_HOOKNUM, hook);
    put_be32(batch, NFTA_HOOK_PRIORITY, (uint32_t)priority);
    netlink_end(batch, nest);
    netlink_put_string(batch, NFTA_CHAIN_TYPE, type);
    netlink_finish(batch, at);
}

struct rule {
    size_t at, expressions;
};

static struct rule begin_rule(struct netlink_request *batch, const char *chain, uint16_t flags) {
    struct rule rule = {.at = begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND | flags)};
    netlink_put_string(batch, NFTA_RULE_TABLE, TABLE);
    netlink_put_string(batch, NFTA_RULE_CHAIN, chain);
    rule.expressions = netlink_nest(batch, NFTA_RULE_EXPRESSIONS);
    return rule;
}

static void end_rule(struct netlink_request *batch, struct rule rule) {
    netlink_end(batch, rule.expressions);
    netlink_finish(batch, rule.at);
}

struct expression {
    size_t element, data;
};

static struct expression begin_expression(struct netlink_request *batch, const char *name) {
    struct expression expression = {.element = netlink_nest(batch, NFTA_LIST_ELEM)};
    netlink_put_string(batch, NFTA_EXPR_NAME, name);
    expression.data = netlink_nest(batch, NFTA_EXPR_DATA);
    return expression;
}

static void end_expression(struct netlink_request *batch, struct expression expression) {
    netlink_end(batch, expression.data);
    netlink_end(batch, expression.element);
}

static void put_value(struct netlink_request *batch, uint16_t type, const void *bytes, size_t length) {
    size_t nest = netlink_nest(batch, type);
    netlink_put(batch, NFTA_DATA_VALUE, bytes, length);
    netlink_end(batch, nest);
}

/* Register 1 against a value. */
static void compare(struct netlink_request *batch, uint32_t operation, const void *value, size_t length) {
    struct expression cmp = begin_expression(batch, "cmp");
    put_be32(batch, NFTA_CMP_SREG, NFT_REG_1);
    put_be32(batch, NFTA_CMP_OP, operation);
    put_value(batch, NFTA_CMP_DATA, value, length);
    end_expression(batch, cmp);
}

static void add_match(struct netlink_request *batch, const struct match *match) {
    struct expression load = begin_expression(batch, "payload");
    put_be32(batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
    put_be32(batch, NFTA_PAYLOAD_BASE, match->base);
    put_be32(batch, NFTA_PAYLOAD_OFFSET, match->offset);
    put_be32(batch, NFTA_PAYLOAD_LEN, match->length);
    end_expression(batch, load);
    compare(batch, NFT_CMP_EQ, match->value, match->length);
}

static const struct match to_name_server = {NFT_PAYLOAD_NETWORK_HEADER, 16, 4, {127, 0, 0, 11}};
static const struct match to_port_53 = {NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, {0, 53}};
static const struct match from_loopback = {NFT_PAYLOAD_NETWORK_HEADER, 12, 1, {127}};
static const struct match to_loopback = {NFT_PAYLOAD_NETWORK_HEADER, 16, 1, {127}};

/* Loopback sources may leave from here on, so nothing that claims a loopback destination may come in. */
static void add_guard(struct netlink_request *batch) {
    uint32_t loopback = LOOPBACK_INDEX;
    struct rule rule = begin_rule(batch, "guard", 0);
    struct expression meta = begin_expression(batch, "meta");
    put_be32(batch, NFTA_META_DREG, NFT_REG_1);
    put_be32(batch, NFTA_META_KEY, NFT_META_IIF);
    end_expression(batch, meta);
    compare(batch, NFT_CMP_NEQ, &loopback, sizeof(loopback));
    add_match(batch, &to_loopback);
    struct expression verdict = begin_expression(batch, "immediate");
    put_be32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t data = netlink_nest(batch, NFTA_IMMEDIATE_DATA);
    size_t code = netlink_nest(batch, NFTA_DATA_VERDICT);
    put_be32(batch, NFTA_VERDICT_CODE, NF_DROP);
    netlink_end(batch, code);
    netlink_end(batch, data);
    end_expression(batch, verdict);
    end_rule(batch, rule);
}

static void add_destination(struct netlink_request *batch, const uint8_t server[4]) {
    struct rule rule = begin_rule(batch, "output", 0);
    add_match(batch, &to_name_server);
    add_match(batch, &to_port_53);
    struct expression address = begin_expression(batch, "immediate");
    put_be32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_1);
    put_value(batch, NFTA_IMMEDIATE_DATA, server, 4);
    end_expression(batch, address);
    struct expression nat = begin_expression(batch, "nat");
    put_be32(batch, NFTA_NAT_TYPE, NFT_NAT_DNAT);
    put_be32(batch, NFTA_NAT_FAMILY, NFPROTO_IPV4);
    put_be32(batch, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
    end_expression(batch, nat);
    end_rule(batch, rule);
}

static void add_source(struct netlink_request *batch, const uint8_t server[4]) {
    struct match to_server = {
        NFT_PAYLOAD_NETWORK_HEADER, 16, 4, {server[0], server[1], server[2], server[3]}};
    struct rule rule = begin_rule(batch, "source", NLM_F_ACK);
    add_match(batch, &from_loopback);
    add_match(batch, &to_server);
    end_expression(batch, begin_expression(batch, "masq"));
    end_rule(batch, rule);
}

/* The source that the kernel chooses for 127.0.0.11 is 127.0.0.1, which no other interface would send. */
static int allow_loopback_source(void) {
    cleanup_fd int fd = open("/proc/sys/net/ipv4/conf/all/route_localnet", O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "1", 1) == 1 ? 0 : -1;
}

int name_server_redirect(const uint8_t server[4], const char **what) {
    struct netlink netlink;
    struct netlink_request batch = {.length = 0};
    *what = "let loopback addresses be routed";
    if (allow_loopback_source() < 0)
        return -1;
    *what = "open a socket to nftables";
    if (netlink_open(&netlink, NETLINK_NETFILTER) < 0)
        return -1;
    mark(&batch, NFNL_MSG_BATCH_BEGIN);
    add_table(&batch);
    add_chain(&batch, "guard", "filter", NF_INET_PRE_ROUTING, PRIORITY_RAW);
    add_chain(&batch, "output", "nat", NF_INET_LOCAL_OUT, PRIORITY_DNAT);
    add_chain(&batch, "source", "nat", NF_INET_POST_ROUTING, PRIORITY_SNAT);
    add_guard(&batch);
    add_destination(&batch, server);
    add_source(&batch, server);
    mark(&batch, NFNL_MSG_BATCH_END);
    *what = "write the rules of the name server's address";
    int result = netlink_call_batch(&netlink, &batch), number = errno;
    netlink_close(&netlink);
    errno = number;
    return result;
}

/*
 * The document that the agent writes to our standard input, as plain C data.
 *
 * document_parse checks everything that can be checked without touching the system (types, ranges, absolute
 * paths, addresses), so that the steps after it only meet errors of the machine. Unknown members are ignored:
 * an older monitor may be given a newer agent's document. See native/README.md for the members.
 */
#ifndef BERTH_MONITOR_DOCUMENT_H
#define BERTH_MONITOR_DOCUMENT_H

#include "error.h"
#include "json.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DOCUMENT_MAX_ATTACH_FDS 16
#define DOCUMENT_MAX_REPLAY (64u << 20)

enum stdin_mode { STDIN_OPEN, STDIN_ONCE, STDIN_CLOSED };

/* An IPv4 or IPv6 address; prefix is the network length ("/16"), or the full length when none was written. */
struct ip_address {
    int family; /* AF_INET, AF_INET6 */
    uint8_t bytes[16];
    uint8_t prefix;
};

struct mount_plan {
    const char *type, *source, *target;
    const char **options;
    size_t option_count;
};

struct id_mapping {
    uint32_t container_id, host_id, size;
};

struct attachment {
    const char *bridge, *host_name, *container_name;
    bool has_mac;
    uint8_t mac[6];
    struct ip_address *addresses, *gateways;
    size_t address_count, gateway_count;
    uint32_t mtu;  /* 0: the kernel's default */
    bool isolated; /* from the other isolated ports of the bridge */
};

struct port_plan {
    bool udp;
    struct ip_address host_ip, container_ip;
    const char *host_ip_text; /* as written, for messages */
    uint16_t host_port, container_port;
};

struct document {
    bool exec;
    const char *id, *container_id;
    const char *runtime_path, *runtime_root;
    const char **runtime_args;
    size_t runtime_arg_count;
    const char *bundle, *state_dir, *run_dir, *cgroup; /* cgroup may be NULL */
    const char *process_file;                          /* kind exec only */
    struct mount_plan *mounts;
    size_t mount_count;
    struct id_mapping *uid_mappings, *gid_mappings;
    size_t uid_mapping_count, gid_mapping_count;
    bool terminal;
    uint16_t cols, rows;
    enum stdin_mode stdin_mode;
    const char *log_dir; /* NULL: no log */
    uint64_t log_max_size;
    uint32_t log_max_files;
    uint32_t replay_bytes;
    int attach_fds[DOCUMENT_MAX_ATTACH_FDS];
    size_t attach_fd_count;
    struct attachment *attachments;
    size_t attachment_count;
    struct port_plan *ports;
    size_t port_count;
    bool has_name_server;
    struct ip_address name_server; /* IPv4: whom 127.0.0.11 inside stands for */
    bool delete_on_exit;
    struct json_doc json; /* owns every string above */
};

/* Reads fd to its end and parses. On failure (step "document", code invalid_argument) doc is empty. */
int document_read(struct document *doc, int fd, struct error *err);

/* The same from an already parsed JSON document, which doc owns afterwards, also on failure. */
int document_from_json(struct document *doc, struct json_doc *json, struct error *err);

/* Parses "10.0.0.1", "10.0.0.1/16", "fd00::1/64". Returns false if it is none of these. */
bool ip_address_parse(const char *text, struct ip_address *out);

/*
 * One published port as in network.ports of the document, from a frame: there "containerIp" may be "", and
 * then container_ip.family is 0. The texts of `out` belong to the JSON document. Step "document", code
 * invalid_argument.
 */
int port_plan_read(const struct json_value *value, struct port_plan *out, struct error *err);

/* Fills a socket address from an address and a port (host order); returns its length. */
socklen_t ip_address_to_sockaddr(const struct ip_address *address, uint16_t port,
                                 struct sockaddr_storage *out);

/* Releases everything that doc owns. */
void document_free(struct document *doc);

#endif

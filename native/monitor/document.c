/* The document's reader: JSON to struct document. Pure but for reading the descriptor. */
#include "document.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define STEP "document"

/* Parser state: the place ("network.attachments[0].mac") is named in every message. */
struct context {
    struct document *doc;
    struct error *err;
};

static int refuse(struct context *c, const char *place, const char *what) {
    return error_set(c->err, "invalid_argument", STEP, "", "monitor document: \"%s\" %s", place, what);
}

static int read_string(struct context *c, const struct json_value *object, const char *key,
                       const char **out) {
    const struct json_value *value = json_get(object, key);
    if (!value || value->type != JSON_STRING || value->count == 0)
        return refuse(c, key, "must be a string that is not empty");
    *out = value->string;
    return 0;
}

static int read_path(struct context *c, const struct json_value *object, const char *key, const char **out) {
    if (read_string(c, object, key, out) < 0)
        return -1;
    return **out == '/' ? 0 : refuse(c, key, "must be an absolute path");
}

/* An integer within [low, high]; absent means `otherwise`. */
static int read_number(struct context *c, const struct json_value *object, const char *key, int64_t low,
                       int64_t high, int64_t otherwise, int64_t *out) {
    const struct json_value *value = json_get(object, key);
    *out = otherwise;
    if (!value)
        return 0;
    if (!json_to_int64(value, out) || *out < low || *out > high)
        return error_set(c->err, "invalid_argument", STEP, "",
                         "monitor document: \"%s\" must be an integer from %lld to %lld", key, (long long)low,
                         (long long)high);
    return 0;
}

/* The array `key` of object (absent: none) and room for `size` bytes for each of its elements. */
static int read_array(struct context *c, const struct json_value *object, const char *key, size_t size,
                      const struct json_value **first, void **room) {
    const struct json_value *value = json_get(object, key);
    *first = NULL;
    *room = NULL;
    if (!value)
        return 0;
    if (value->type != JSON_ARRAY)
        return refuse(c, key, "must be an array");
    if (value->count == 0)
        return 0;
    *room = calloc(value->count, size);
    if (!*room)
        return error_set(c->err, "resource_exhausted", STEP, "", "monitor document: out of memory");
    *first = json_first(value);
    return 0;
}

static int read_strings(struct context *c, const struct json_value *object, const char *key,
                        const char ***out, size_t *count) {
    const struct json_value *value;
    void *room;
    if (read_array(c, object, key, sizeof(char *), &value, &room) < 0)
        return -1;
    *out = room;
    for (; value; value = value->next) {
        if (value->type != JSON_STRING)
            return refuse(c, key, "must hold strings only");
        (*out)[(*count)++] = value->string;
    }
    return 0;
}

static int read_runtime(struct context *c, const struct json_value *root) {
    const struct json_value *runtime = json_get(root, "runtime");
    if (read_path(c, runtime, "path", &c->doc->runtime_path) < 0 ||
        read_path(c, runtime, "root", &c->doc->runtime_root) < 0)
        return error_wrap(c->err, "runtime");
    return read_strings(c, runtime, "args", &c->doc->runtime_args, &c->doc->runtime_arg_count);
}

static int read_mappings(struct context *c, const struct json_value *idmap, const char *key,
                         struct id_mapping **out, size_t *count) {
    const struct json_value *value;
    void *room;
    if (read_array(c, idmap, key, sizeof(**out), &value, &room) < 0)
        return -1;
    *out = room;
    if (!value)
        return refuse(c, key, "must hold at least one mapping");
    for (; value; value = value->next) {
        int64_t container_id, host_id, size;
        if (read_number(c, value, "containerID", 0, UINT32_MAX - 1, -1, &container_id) < 0 ||
            read_number(c, value, "hostID", 0, UINT32_MAX - 1, -1, &host_id) < 0 ||
            read_number(c, value, "size", 1, UINT32_MAX, -1, &size) < 0)
            return -1;
        if (container_id < 0 || host_id < 0 || size < 0)
            return refuse(c, key, "must hold objects with containerID, hostID and size");
        (*out)[(*count)++] = (struct id_mapping){(uint32_t)container_id, (uint32_t)host_id, (uint32_t)size};
    }
    return 0;
}

static int read_rootfs(struct context *c, const struct json_value *root) {
    const struct json_value *rootfs = json_get(root, "rootfs"), *value;
    struct document *doc = c->doc;
    void *room;
    if (read_array(c, rootfs, "mounts", sizeof(*doc->mounts), &value, &room) < 0)
        return -1;
    doc->mounts = room;
    for (; value; value = value->next) {
        struct mount_plan *mount = &doc->mounts[doc->mount_count++];
        if (read_string(c, value, "type", &mount->type) < 0 ||
            read_string(c, value, "source", &mount->source) < 0 ||
            read_path(c, value, "target", &mount->target) < 0 ||
            read_strings(c, value, "options", &mount->options, &mount->option_count) < 0)
            return error_wrap(c->err, "rootfs.mounts");
    }
    const struct json_value *idmap = json_get(rootfs, "idmap");
    if (!idmap)
        return 0;
    if (read_mappings(c, idmap, "uidMappings", &doc->uid_mappings, &doc->uid_mapping_count) < 0 ||
        read_mappings(c, idmap, "gidMappings", &doc->gid_mappings, &doc->gid_mapping_count) < 0)
        return error_wrap(c->err, "rootfs.idmap");
    return 0;
}

static int read_stdio(struct context *c, const struct json_value *root) {
    const struct json_value *terminal = json_get(root, "terminal");
    struct document *doc = c->doc;
    int64_t cols, rows;
    if (terminal) {
        if (terminal->type != JSON_OBJECT)
            return refuse(c, "terminal", "must be null or an object with cols and rows");
        if (read_number(c, terminal, "cols", 0, UINT16_MAX, 80, &cols) < 0 ||
            read_number(c, terminal, "rows", 0, UINT16_MAX, 24, &rows) < 0)
            return -1;
        doc->terminal = true;
        doc->cols = (uint16_t)cols;
        doc->rows = (uint16_t)rows;
    }
    const char *mode = json_get_string(root, "stdin", "closed");
    if (strcmp(mode, "open") == 0)
        doc->stdin_mode = STDIN_OPEN;
    else if (strcmp(mode, "once") == 0)
        doc->stdin_mode = STDIN_ONCE;
    else if (strcmp(mode, "closed") == 0)
        doc->stdin_mode = STDIN_CLOSED;
    else
        return refuse(c, "stdin", "must be \"open\", \"once\" or \"closed\"");
    return 0;
}

static int read_log(struct context *c, const struct json_value *root) {
    const struct json_value *log = json_get(root, "log");
    int64_t size, files, replay;
    if (read_number(c, root, "replayBytes", 0, DOCUMENT_MAX_REPLAY, 0, &replay) < 0)
        return -1;
    c->doc->replay_bytes = (uint32_t)replay;
    if (!log)
        return 0;
    if (read_path(c, log, "dir", &c->doc->log_dir) < 0 ||
        read_number(c, log, "maxSizeBytes", 0, INT64_MAX, 0, &size) < 0 ||
        read_number(c, log, "maxFiles", 1, 1000000, 1, &files) < 0)
        return error_wrap(c->err, "log");
    c->doc->log_max_size = (uint64_t)size;
    c->doc->log_max_files = (uint32_t)files;
    return 0;
}

static int read_attach_fds(struct context *c, const struct json_value *root) {
    const struct json_value *array = json_get(root, "attachFds");
    if (array && array->type != JSON_ARRAY)
        return refuse(c, "attachFds", "must be an array");
    for (const struct json_value *value = json_first(array); value; value = value->next) {
        int64_t fd;
        if (!json_to_int64(value, &fd) || fd < 3 || fd > INT32_MAX)
            return refuse(c, "attachFds", "must hold descriptors from 3 on");
        if (c->doc->attach_fd_count == DOCUMENT_MAX_ATTACH_FDS)
            return refuse(c, "attachFds", "has too many descriptors");
        c->doc->attach_fds[c->doc->attach_fd_count++] = (int)fd;
    }
    return 0;
}

bool ip_address_parse(const char *text, struct ip_address *out) {
    char host[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length >= sizeof(host))
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    memset(out, 0, sizeof(*out));
    out->family = strchr(host, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(out->family, host, out->bytes) != 1)
        return false;
    unsigned full = out->family == AF_INET ? 32 : 128, prefix = full;
    if (slash) {
        const char *digit = slash + 1;
        if (!*digit)
            return false;
        for (prefix = 0; *digit; digit++) {
            if (*digit < '0' || *digit > '9' || prefix > full)
                return false;
            prefix = prefix * 10 + (unsigned)(*digit - '0');
        }
        if (prefix > full)
            return false;
    }
    out->prefix = (uint8_t)prefix;
    return true;
}

socklen_t ip_address_to_sockaddr(const struct ip_address *address, uint16_t port,
                                 struct sockaddr_storage *out) {
    memset(out, 0, sizeof(*out));
    if (address->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, address->bytes, 4);
        return sizeof(*in);
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, address->bytes, 16);
    return sizeof(*in6);
}

static int read_addresses(struct context *c, const struct json_value *object, const char *key,
                          struct ip_address **out, size_t *count) {
    const struct json_value *value;
    void *room;
    if (read_array(c, object, key, sizeof(**out), &value, &room) < 0)
        return -1;
    *out = room;
    for (; value; value = value->next)
        if (value->type != JSON_STRING || !ip_address_parse(value->string, &(*out)[(*count)++]))
            return refuse(c, key, "must hold IP addresses");
    return 0;
}

static int read_interface_name(struct context *c, const struct json_value *object, const char *key,
                               const char **out) {
    if (read_string(c, object, key, out) < 0)
        return -1;
    if (strlen(*out) >= IFNAMSIZ || strchr(*out, '/') || !strcmp(*out, ".") || !strcmp(*out, ".."))
        return refuse(c, key, "must be an interface name of at most 15 bytes");
    return 0;
}

static bool parse_mac(const char *text, uint8_t mac[6]) {
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++, text += 3) {
        const char *high = strchr(digits, text[0] | 0x20), *low = strchr(digits, text[1] | 0x20);
        if (!high || !low || !*high || !*low || text[2] != (i < 5 ? ':' : '\0'))
            return false;
        mac[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static int read_attachment(struct context *c, const struct json_value *value, struct attachment *out) {
    int64_t mtu;
    if (read_interface_name(c, value, "bridge", &out->bridge) < 0 ||
        read_interface_name(c, value, "hostName", &out->host_name) < 0 ||
        read_interface_name(c, value, "containerName", &out->container_name) < 0 ||
        read_addresses(c, value, "addresses", &out->addresses, &out->address_count) < 0 ||
        read_addresses(c, value, "gateways", &out->gateways, &out->gateway_count) < 0 ||
        read_number(c, value, "mtu", 0, 65535, 0, &mtu) < 0)
        return -1;
    out->mtu = (uint32_t)mtu;
    out->isolated = json_get_bool(value, "isolated", false);
    const char *mac = json_get_string(value, "mac", NULL);
    if (mac && !parse_mac(mac, out->mac))
        return refuse(c, "mac", "must look like 02:42:ac:11:00:02");
    out->has_mac = mac != NULL;
    return 0;
}

/* Without a document it is a frame's, which may give a port back by an empty address. */
static int read_port(struct context *c, const struct json_value *value, struct port_plan *out) {
    int64_t host_port, container_port;
    const char *proto;
    if (read_string(c, value, "proto", &proto) < 0 ||
        read_string(c, value, "hostIp", &out->host_ip_text) < 0 ||
        read_number(c, value, "hostPort", 1, 65535, 0, &host_port) < 0 ||
        read_number(c, value, "containerPort", 1, 65535, 0, &container_port) < 0)
        return -1;
    if (!host_port || !container_port)
        return refuse(c, "hostPort and containerPort", "must be given");
    out->udp = strcmp(proto, "udp") == 0;
    if (!out->udp && strcmp(proto, "tcp") != 0)
        return refuse(c, "proto", "must be \"tcp\" or \"udp\"");
    if (!ip_address_parse(out->host_ip_text, &out->host_ip))
        return refuse(c, "hostIp", "must be an IP address");
    out->host_port = (uint16_t)host_port;
    out->container_port = (uint16_t)container_port;
    const char *container_ip = json_get_string(value, "containerIp", NULL);
    if (container_ip && !*container_ip && !c->doc)
        return 0;
    if (!container_ip || !ip_address_parse(container_ip, &out->container_ip))
        return refuse(c, "containerIp", "must be an IP address");
    return 0;
}

int port_plan_read(const struct json_value *value, struct port_plan *out, struct error *err) {
    struct context context = {.err = err};
    *out = (struct port_plan){0};
    return read_port(&context, value, out);
}

static int read_network(struct context *c, const struct json_value *root) {
    const struct json_value *network = json_get(root, "network"), *value;
    struct document *doc = c->doc;
    void *room;
    if (read_array(c, network, "attachments", sizeof(*doc->attachments), &value, &room) < 0)
        return -1;
    doc->attachments = room;
    for (; value; value = value->next)
        if (read_attachment(c, value, &doc->attachments[doc->attachment_count++]) < 0)
            return error_wrap(c->err, "network.attachments");
    if (read_array(c, network, "ports", sizeof(*doc->ports), &value, &room) < 0)
        return -1;
    doc->ports = room;
    for (; value; value = value->next)
        if (read_port(c, value, &doc->ports[doc->port_count++]) < 0)
            return error_wrap(c->err, "network.ports");
    const char *name_server = json_get_string(network, "nameServer", NULL);
    doc->has_name_server = name_server != NULL;
    if (name_server &&
        (!ip_address_parse(name_server, &doc->name_server) || doc->name_server.family != AF_INET))
        return refuse(c, "network.nameServer", "must be an IPv4 address");
    return 0;
}

static int read_identity(struct context *c, const struct json_value *root) {
    struct document *doc = c->doc;
    const char *kind;
    if (json_get_int(root, "version", -1) != 1)
        return refuse(c, "version", "must be 1; the agent and the monitor are of different releases");
    if (read_string(c, root, "kind", &kind) < 0 || read_string(c, root, "id", &doc->id) < 0)
        return -1;
    doc->exec = strcmp(kind, "exec") == 0;
    if (!doc->exec && strcmp(kind, "container") != 0)
        return refuse(c, "kind", "must be \"container\" or \"exec\"");
    doc->container_id = json_get_string(root, "containerId", doc->exec ? "" : doc->id);
    if (!*doc->container_id || *doc->container_id == '-' || *doc->id == '-' || strchr(doc->id, '/') ||
        strchr(doc->container_id, '/'))
        return refuse(c, "id and containerId", "must be identifiers");
    if (read_path(c, root, "stateDir", &doc->state_dir) < 0 ||
        read_path(c, root, "runDir", &doc->run_dir) < 0)
        return -1;
    doc->cgroup = json_get_string(root, "cgroup", NULL);
    if (doc->exec)
        return read_path(c, json_get(root, "exec"), "processFile", &doc->process_file);
    doc->delete_on_exit = json_get_bool(root, "deleteOnExit", false);
    return read_path(c, root, "bundle", &doc->bundle);
}

int document_from_json(struct document *doc, struct json_doc *json, struct error *err) {
    struct context c = {doc, err};
    memset(doc, 0, sizeof(*doc));
    doc->json = *json;
    memset(json, 0, sizeof(*json));
    const struct json_value *root = doc->json.root;
    if ((!root || root->type != JSON_OBJECT ? refuse(&c, "document", "must be an object")
                                            : read_identity(&c, root)) < 0 ||
        read_runtime(&c, root) < 0 || read_stdio(&c, root) < 0 || read_log(&c, root) < 0 ||
        read_attach_fds(&c, root) < 0 ||
        (!doc->exec && (read_rootfs(&c, root) < 0 || read_network(&c, root) < 0))) {
        document_free(doc);
        return -1;
    }
    return 0;
}

int document_read(struct document *doc, int fd, struct error *err) {
    struct json_doc json = {0};
    memset(doc, 0, sizeof(*doc));
    if (json_read_fd(&json, fd, "monitor document", err) < 0)
        return -1;
    return document_from_json(doc, &json, err);
}

void document_free(struct document *doc) {
    for (size_t i = 0; i < doc->mount_count; i++)
        free(doc->mounts[i].options);
    for (size_t i = 0; i < doc->attachment_count; i++) {
        free(doc->attachments[i].addresses);
        free(doc->attachments[i].gateways);
    }
    free(doc->runtime_args);
    free(doc->mounts);
    free(doc->uid_mappings);
    free(doc->gid_mappings);
    free(doc->attachments);
    free(doc->ports);
    json_free(&doc->json);
    memset(doc, 0, sizeof(*doc));
}

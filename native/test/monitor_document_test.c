/* Unit tests of monitor/document.c: what is read, and that each wrong member is named. */
#include "monitor/document.h"

#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define HEAD                                                                                                 \
    "{\"version\":1,\"kind\":\"container\",\"id\":\"abc\",\"containerId\":\"abc\","                          \
    "\"runtime\":{\"path\":\"/r\",\"root\":\"/run/r\",\"args\":[\"--x\"]},"                                  \
    "\"bundle\":\"/b\",\"stateDir\":\"/s\",\"runDir\":\"/d\""

static int parse(struct document *doc, const char *text, struct error *err) {
    struct json_doc json = {0};
    char *copy = check_memory(malloc(strlen(text) + 1));
    strcpy(copy, text);
    memset(err, 0, sizeof(*err));
    memset(doc, 0, sizeof(*doc));
    if (json_parse(&json, copy, strlen(copy), "test", err) < 0) {
        free(copy);
        return -1;
    }
    json.text = copy;
    return document_from_json(doc, &json, err);
}

static void reads_everything(void) {
    struct document doc;
    struct error err;
    const char *text =
        HEAD ",\"cgroup\":\"/"
             "c\",\"rootfs\":{\"mounts\":[{\"type\":\"overlay\",\"source\":\"overlay\",\"target\":\"/t\","
             "\"options\":[\"lowerdir=/a:/"
             "b\",\"ro\"]}],\"idmap\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,"
             "\"size\":65536}],\"gidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536}]}},"
             "\"terminal\":{\"cols\":80,\"rows\":24},\"stdin\":\"once\",\"log\":{\"dir\":\"/"
             "l\",\"maxSizeBytes\":5,\"maxFiles\":3},"
             "\"replayBytes\":7,\"attachFds\":[3,4],\"network\":{\"attachments\":[{\"bridge\":\"br\","
             "\"hostName\":\"h\","
             "\"containerName\":\"eth0\",\"mac\":\"02:42:AC:11:00:fe\",\"addresses\":[\"10.0.0.2/"
             "16\",\"fd00::2/64\"],"
             "\"gateways\":[\"10.0.0.1\"],\"mtu\":1500}],\"ports\":[{\"proto\":\"udp\",\"hostIp\":\"::\","
             "\"hostPort\":53,"
             "\"containerIp\":\"10.0.0.2\",\"containerPort\":53}]},\"deleteOnExit\":true,\"unknown\":{}}";
    CHECK(parse(&doc, text, &err) == 0);
    CHECK(!doc.exec && doc.terminal && doc.cols == 80 && doc.rows == 24 && doc.delete_on_exit);
    CHECK(doc.stdin_mode == STDIN_ONCE && doc.replay_bytes == 7 && doc.attach_fd_count == 2 &&
          doc.attach_fds[1] == 4);
    CHECK(doc.mount_count == 1 && doc.mounts[0].option_count == 2);
    CHECK_STRING(doc.mount_count ? doc.mounts[0].options[1] : NULL, "ro");
    CHECK_STRING(doc.runtime_args[0], "--x");
    CHECK(doc.uid_mapping_count == 1 && doc.uid_mappings[0].host_id == 100000 && doc.gid_mapping_count == 1);
    CHECK(doc.log_max_size == 5 && doc.log_max_files == 3);
    CHECK(doc.attachment_count == 1 && doc.attachments[0].mac[5] == 0xfe && doc.attachments[0].mtu == 1500);
    CHECK(doc.attachments[0].address_count == 2 && doc.attachments[0].addresses[1].prefix == 64);
    CHECK(doc.port_count == 1 && doc.ports[0].udp && doc.ports[0].host_ip.family == AF_INET6);
    document_free(&doc);
}

static void has_defaults(void) {
    struct document doc;
    struct error err;
    CHECK(parse(&doc, HEAD "}", &err) == 0);
    CHECK(!doc.terminal && doc.stdin_mode == STDIN_CLOSED && !doc.log_dir && doc.mount_count == 0 &&
          !doc.delete_on_exit);
    document_free(&doc);
    CHECK(parse(&doc,
                "{\"version\":1,\"kind\":\"exec\",\"id\":\"e\",\"containerId\":\"c\",\"runtime\":{\"path\":"
                "\"/r\","
                "\"root\":\"/run\"},\"stateDir\":\"/s\",\"runDir\":\"/d\",\"exec\":{\"processFile\":\"/p\"}}",
                &err) == 0);
    CHECK(doc.exec);
    CHECK_STRING(doc.process_file, "/p");
    document_free(&doc);
}

static void names_what_is_wrong(void) {
    static const struct {
        const char *rest, *name;
    } cases[] = {
        {",\"version\":2}", "version"},
        {",\"kind\":\"pod\"}", "kind"},
        {",\"id\":\"\"}", "id"},
        {",\"id\":\"a/b\"}", "id"},
        {",\"id\":\"--help\"}", "id"},
        {",\"runDir\":\"d\"}", "runDir"},
        {",\"stateDir\":5}", "stateDir"},
        {",\"bundle\":null}", "bundle"},
        {",\"runtime\":{\"path\":\"r\"}}", "path"},
        {",\"runtime\":{\"path\":\"/r\",\"root\":\"/r\",\"args\":[1]}}", "args"},
        {",\"terminal\":true}", "terminal"},
        {",\"terminal\":{\"cols\":70000}}", "cols"},
        {",\"stdin\":\"half\"}", "stdin"},
        {",\"log\":{\"dir\":\"l\"}}", "dir"},
        {",\"log\":{\"dir\":\"/l\",\"maxFiles\":0}}", "maxFiles"},
        {",\"log\":{\"dir\":\"/l\",\"maxSizeBytes\":-1}}", "maxSizeBytes"},
        {",\"replayBytes\":1e12}", "replayBytes"},
        {",\"attachFds\":{}}", "attachFds"},
        {",\"attachFds\":[2]}", "attachFds"},
        {",\"attachFds\":[3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]}", "attachFds"},
        {",\"rootfs\":{\"mounts\":5}}", "mounts"},
        {",\"rootfs\":{\"mounts\":[{}]}}", "type"},
        {",\"rootfs\":{\"mounts\":[{\"type\":\"a\",\"source\":\"b\",\"target\":\"c\"}]}}", "target"},
        {",\"rootfs\":{\"idmap\":{\"uidMappings\":[]}}}", "uidMappings"},
        {",\"rootfs\":{\"idmap\":{\"uidMappings\":[{\"hostID\":0,\"size\":1}]}}}", "uidMappings"},
        {",\"rootfs\":{\"idmap\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":0}]}}}", "size"},
        {",\"network\":{\"attachments\":[{\"bridge\":\"a-name-that-is-too-long\"}]}}", "bridge"},
        {",\"network\":{\"nameServer\":\"fd00::1\"}}", "network.nameServer"},
        {",\"network\":{\"attachments\":[{\"bridge\":\"b\",\"hostName\":\"a/b\"}]}}", "hostName"},
        {",\"network\":{\"attachments\":[{\"bridge\":\"b\",\"hostName\":\"h\",\"containerName\":\"c\","
         "\"addresses\":[\"10.0.0.1/33\"]}]}}",
         "addresses"},
        {",\"network\":{\"attachments\":[{\"bridge\":\"b\",\"hostName\":\"h\",\"containerName\":\"c\","
         "\"mac\":\"02:42:ac:11:00\"}]}}",
         "mac"},
        {",\"network\":{\"ports\":[{\"proto\":\"sctp\",\"hostIp\":\"::\",\"containerIp\":\"::\",\"hostPort\":"
         "1,\"containerPort\":1}]}}",
         "proto"},
        {",\"network\":{\"ports\":[{\"proto\":\"tcp\",\"hostIp\":\"x\",\"containerIp\":\"::\",\"hostPort\":1,"
         "\"containerPort\":1}]}}",
         "hostIp"},
        {",\"network\":{\"ports\":[{\"proto\":\"tcp\",\"hostIp\":\"::\",\"containerIp\":\"::\",\"hostPort\":"
         "0,\"containerPort\":1}]}}",
         "hostPort"},
        {",\"network\":{\"ports\":[{\"proto\":\"tcp\",\"hostIp\":\"::\",\"containerIp\":\"\",\"hostPort\":"
         "1,\"containerPort\":1}]}}",
         "containerIp"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[2048], quoted[64];
        struct document doc;
        struct error err;
        snprintf(text, sizeof(text), "%s%s", HEAD, cases[i].rest);
        snprintf(quoted, sizeof(quoted), "\"%s", cases[i].name);
        CHECK(parse(&doc, text, &err) < 0);
        CHECK_STRING(err.code, "invalid_argument");
        if (!strstr(err.message, quoted))
            CHECK_STRING(err.message, cases[i].name);
    }
    struct document doc;
    struct error err;
    CHECK(parse(&doc, "[]", &err) < 0 && parse(&doc, "null", &err) < 0 && parse(&doc, "{", &err) < 0);
}

static void reads_addresses(void) {
    struct ip_address ip;
    struct sockaddr_storage address;
    CHECK(ip_address_parse("10.1.2.3", &ip) && ip.family == AF_INET && ip.prefix == 32);
    CHECK(ip_address_parse("10.1.2.3/0", &ip) && ip.prefix == 0);
    CHECK(ip_address_parse("::1", &ip) && ip.family == AF_INET6 && ip.prefix == 128);
    static const char *const bad[] = {"",
                                      "10.1.2",
                                      "10.1.2.3/",
                                      "10.1.2.3/33",
                                      "10.1.2.3/x",
                                      "::1/129",
                                      "a::b::c",
                                      "10.1.2.3/4294967297",
                                      "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!ip_address_parse(bad[i], &ip));
    CHECK(ip_address_parse("10.1.2.3", &ip));
    CHECK(ip_address_to_sockaddr(&ip, 80, &address) == sizeof(struct sockaddr_in));
    CHECK(((struct sockaddr_in *)&address)->sin_port == htons(80));
}

int main(void) {
    reads_everything();
    has_defaults();
    names_what_is_wrong();
    reads_addresses();
    return check_status("monitor_document_test");
}

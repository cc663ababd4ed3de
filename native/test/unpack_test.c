/* Pure parts of berth-unpack: cleaning paths, the table of inodes, detecting compressions, the ring between
 * threads. */
#include "unit.h"

#include "unpack/decode.h"
#include "unpack/inode_table.h"
#include "unpack/options.h"
#include "unpack/ring.h"
#include "unpack/sha256.h"
#include "unpack/tree.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static bool splits(const char *name, const char *parent, const char *last) {
    struct tree_path path;
    struct error err;
    if (tree_split(name, &path, &err) < 0)
        return false;
    char *joined = tree_path_join(&path);
    bool same = strcmp(path.parent, parent) == 0 && strcmp(path.name, last) == 0 &&
                strlen(joined) == strlen(parent) + strlen(last) + (*parent ? 1 : 0);
    free(joined);
    tree_path_free(&path);
    return same;
}

static void test_paths(void) {
    struct tree_path path;
    struct error err;
    CHECK(splits("a/b/c", "a/b", "c"));
    CHECK(splits("/a", "", "a"));
    CHECK(splits("./a//b/./c/", "a/b", "c"));
    CHECK(splits("a/../b", "", "b"));
    CHECK(splits("a/b/../../c/d", "c", "d"));
    CHECK(splits("", "", ""));
    CHECK(splits("./", "", ""));
    CHECK(splits("/", "", ""));
    CHECK(splits("...", "", "..."));
    CHECK(splits("a/..b/.c", "a/..b", ".c"));
    CHECK(!splits("..", "", ""));
    CHECK(!splits("/..", "", ""));
    CHECK(!splits("a/../..", "", ""));
    CHECK(tree_split("a/../../x", &path, &err) < 0 && strcmp(err.code, "invalid_argument") == 0);
    CHECK(tree_split_asked("../../x/..", &path, &err) == 0 && *path.name == '\0' && *path.parent == '\0');
    tree_path_free(&path);
}

static void test_inodes(void) {
    struct inode_table table = {0};
    int failed = 0;
    char path[32];
    for (ino_t inode = 1; inode <= 5000; inode++) {
        snprintf(path, sizeof(path), "p%lu", (unsigned long)inode);
        CHECK(inode_table_seen(&table, 7, inode, path, &failed) == NULL);
    }
    CHECK(strcmp(inode_table_seen(&table, 7, 4321, "later", &failed), "p4321") == 0);
    CHECK(inode_table_seen(&table, 8, 4321, "elsewhere", &failed) == NULL);
    CHECK(!failed && table.used == 5001);
    inode_table_free(&table);
}

static void test_detection(void) {
    CHECK(decode_detect((const uint8_t *)"\x1f\x8b", 2) == COMPRESSION_GZIP);
    CHECK(decode_detect((const uint8_t *)"\x28\xb5\x2f\xfd", 4) == COMPRESSION_ZSTD);
    CHECK(decode_detect((const uint8_t *)"\x5e\x2a\x4d\x18", 4) == COMPRESSION_ZSTD);
    CHECK(decode_detect((const uint8_t *)"BZh9", 4) == COMPRESSION_BZIP2);
    CHECK(decode_detect((const uint8_t *)"\xfd"
                                         "7zXZ\0",
                        6) == COMPRESSION_XZ);
    CHECK(decode_detect((const uint8_t *)"BZhello", 7) == COMPRESSION_NONE);
    CHECK(decode_detect((const uint8_t *)"", 0) == COMPRESSION_NONE);
}

static void test_options(void) {
    const char *text = NULL;
    uint64_t number = 0, octal = 0;
    bool flag = false, given = false;
    struct option_list list = {0};
    struct error err;
    const struct option_spec specs[] = {
        {"text", OPTION_TEXT, &text, NULL},    {"number", OPTION_NUMBER, &number, &given},
        {"octal", OPTION_OCTAL, &octal, NULL}, {"flag", OPTION_FLAG, &flag, NULL},
        {"list", OPTION_LIST, &list, NULL},    {0}};
    char *good[] = {"--text",  "a=b", "--number=18446744073709551615",
                    "--octal", "755", "--flag",
                    "--list",  "x",   "--list=y"};
    CHECK(options_parse(specs, 9, good, &err) == 0);
    CHECK(strcmp(text, "a=b") == 0 && number == UINT64_MAX && octal == 0755 && flag && given &&
          list.count == 2);
    char *bad[][1] = {{"--unknown"}, {"word"},        {"--"},        {"--text"},
                      {"--flag=1"},  {"--number=-1"}, {"--number="}, {"--number=99999999999999999999"},
                      {"--octal=8"}, {"--tex=1"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        CHECK(options_parse(specs, 1, bad[i], &err) < 0 && strcmp(err.code, "invalid_argument") == 0);
    free(list.values);
}

#define RING_TOTAL 1000

static void *consume(void *argument) {
    struct ring *ring = argument;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int next;
    pthread_mutex_lock(&lock);
    int consumer = next++;
    pthread_mutex_unlock(&lock);
    size_t length;
    const uint8_t *block;
    uintptr_t seen = 0;
    while ((block = ring_peek(ring, consumer, &length))) {
        if (length != sizeof(int) || *(const int *)(const void *)block != (int)seen)
            return (void *)UINTPTR_MAX;
        seen++;
        ring_release(ring, consumer);
    }
    return (void *)seen;
}

static void test_ring(void) {
    struct ring ring;
    pthread_t threads[2];
    CHECK(ring_init(&ring, 4096, 2) == 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, consume, &ring);
    for (int i = 0; i < RING_TOTAL; i++) {
        uint8_t *block = ring_reserve(&ring);
        memcpy(block, &i, sizeof(i));
        ring_commit(&ring, sizeof(i));
    }
    ring_end(&ring);
    for (int i = 0; i < 2; i++) {
        void *seen;
        pthread_join(threads[i], &seen);
        CHECK((uintptr_t)seen == RING_TOTAL);
    }
    ring_cancel(&ring);
    CHECK(ring_reserve(&ring) == NULL);
    ring_free(&ring);
}

static void test_digest(void) {
    SHA256_CTX context;
    char text[DIGEST_TEXT_SIZE];
    SHA256_Init(&context);
    SHA256_Update(&context, "abc", 3);
    sha256_text(&context, text);
    CHECK(strcmp(text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == 0);
}

int main(void) {
    test_paths();
    test_inodes();
    test_detection();
    test_options();
    test_ring();
    test_digest();
    return check_status("unpack_test");
}

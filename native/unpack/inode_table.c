#include "inode_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct inode_table *table, dev_t device, ino_t inode) {
    uint64_t mixed = ((uint64_t)inode ^ ((uint64_t)device << 32)) * 0x9e3779b97f4a7c15u;
    size_t at = (size_t)(mixed >> 20) & (table->capacity - 1);
    while (table->slots[at].path && (table->slots[at].inode != inode || table->slots[at].device != device))
        at = (at + 1) & (table->capacity - 1);
    return at;
}

static int grow(struct inode_table *table) {
    struct inode_table larger = {.capacity = table->capacity ? table->capacity * 2 : 256};
    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (!larger.slots)
        return -1;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i].path)
            larger.slots[slot_of(&larger, table->slots[i].device, table->slots[i].inode)] = table->slots[i];
    larger.used = table->used;
    free(table->slots);
    *table = larger;
    return 0;
}

const char *inode_table_seen(struct inode_table *table, dev_t device, ino_t inode, const char *path,
                             int *failed) {
    if (table->used * 2 >= table->capacity && grow(table) < 0) {
        *failed = 1;
        return NULL;
    }
    struct inode_slot *slot = &table->slots[slot_of(table, device, inode)];
    if (slot->path)
        return slot->path;
    slot->path = strdup(path);
    if (!slot->path) {
        *failed = 1;
        return NULL;
    }
    slot->device = device;
    slot->inode = inode;
    table->used++;
    return NULL;
}

void inode_table_free(struct inode_table *table) {
    for (size_t i = 0; i < table->capacity; i++)
        free(table->slots[i].path);
    free(table->slots);
    *table = (struct inode_table){0};
}

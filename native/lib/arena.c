#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16384 };

struct arena_block {
    struct arena_block *previous;
    size_t used, capacity;
    _Alignas(16) unsigned char bytes[];
};

static void *out_of_memory(void) {
    fputs("out of memory\n", stderr);
    exit(1);
}

void *arena_alloc(struct arena *arena, size_t size) {
    struct arena_block *block = arena->blocks;
    if (size > SIZE_MAX / 2)
        return out_of_memory();
    size = (size + 15) & ~(size_t)15;
    if (!block || block->capacity - block->used < size) {
        size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        block = calloc(1, sizeof(*block) + capacity);
        if (!block)
            return out_of_memory();
        block->capacity = capacity;
        block->previous = arena->blocks;
        arena->blocks = block;
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    return memory;
}

char *arena_strndup(struct arena *arena, const char *string, size_t n) {
    char *copy = arena_alloc(arena, n + 1);
    memcpy(copy, string, n);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *string) {
    return arena_strndup(arena, string, strlen(string));
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = arena_alloc(arena, (size_t)(length < 0 ? 0 : length) + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

void arena_free(struct arena *arena) {
    for (struct arena_block *block = arena->blocks, *previous; block; block = previous) {
        previous = block->previous;
        free(block);
    }
    arena->blocks = NULL;
}

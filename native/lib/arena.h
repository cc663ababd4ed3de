/*
 * A bump arena: many small allocations with one lifetime, released together. Memory is zeroed. Used for what
 * is derived from a parsed document and lives as long as it.
 */
#ifndef BERTH_LIB_ARENA_H
#define BERTH_LIB_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
};

/* Zeroed memory, aligned for any type. Ends the process (exit status 1, one line on stderr) if memory has run
 * out. */
void *arena_alloc(struct arena *arena, size_t size);

/* Copies of a string, of its first n bytes, of a formatted text. */
char *arena_strdup(struct arena *arena, const char *string);
char *arena_strndup(struct arena *arena, const char *string, size_t n);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((nonnull, format(printf, 2, 3)));

/* Releases everything; the arena can be used again. */
void arena_free(struct arena *arena);

#define arena_array(arena, type, count) ((type *)arena_alloc((arena), (count) * sizeof(type)))

#endif

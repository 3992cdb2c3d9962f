// The C door to hnswlib's graph. Rust opens it in src/ffi.rs and nowhere else.
//
// Every function is noexcept. Those that can fail return a status and, with CUTOVER_FAILED, write a NUL-terminated
// sentence of at most `message_len` bytes. Nodes are numbered from 0 in the order in which they were placed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define CUTOVER_NOEXCEPT noexcept
#else
#define CUTOVER_NOEXCEPT
#endif

typedef enum cutover_status {
  CUTOVER_OK = 0,
  CUTOVER_OUT_OF_MEMORY = 1,
  CUTOVER_FAILED = 2,
} cutover_status;

// The distance of two rows of floats; never NaN. `context` is what cutover_builder_new was given.
typedef float (*cutover_distance)(const void* a, const void* b, const void* context);

typedef struct cutover_builder cutover_builder;

// On success stores an owned builder in *out (free it with cutover_builder_free); on failure stores nothing.
// `context` must outlive the builder.
cutover_status cutover_builder_new(size_t capacity, size_t dimensions, size_t m, size_t ef_construction,
                                   cutover_distance distance, const void* context, cutover_builder** out,
                                   char* message, size_t message_len) CUTOVER_NOEXCEPT;

// Copies `row` (of `dimensions` floats) in as the next node, unlinked, on levels 0..=level. Not thread-safe.
cutover_status cutover_builder_place(cutover_builder* builder, const float* row, uint32_t level, char* message,
                                     size_t message_len) CUTOVER_NOEXCEPT;

// Links a placed node, once. Several threads may link different nodes at a time, once all nodes are placed.
cutover_status cutover_builder_insert(cutover_builder* builder, uint32_t node, char* message,
                                      size_t message_len) CUTOVER_NOEXCEPT;

// The node from which every search starts; meaningless before the first insertion.
uint32_t cutover_builder_entry(const cutover_builder* builder) CUTOVER_NOEXCEPT;

// The links of a node at a level it is on: `*count` of them, in memory the builder owns, with room for 2m at level 0
// and m above. Null when there is no such node or level. Not while nodes are inserted.
uint32_t* cutover_builder_links(cutover_builder* builder, uint32_t node, uint32_t level,
                                size_t* count) CUTOVER_NOEXCEPT;

// Stores in *out the node closest to a placed one among those that a search from the entry point finds; the node itself
// only when the search finds nothing else.
cutover_status cutover_builder_closest(cutover_builder* builder, uint32_t node, uint32_t* out, char* message,
                                       size_t message_len) CUTOVER_NOEXCEPT;

// Appends a link at level 0 when the node has room; returns whether it had. Not while nodes are inserted.
int cutover_builder_append(cutover_builder* builder, uint32_t node, uint32_t to) CUTOVER_NOEXCEPT;

void cutover_builder_free(cutover_builder* builder) CUTOVER_NOEXCEPT;

#ifdef __cplusplus
}
#endif

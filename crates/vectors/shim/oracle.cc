// hnswlib as it comes: its own addPoint, its own searchKnn. Tests and benchmarks measure ours against it; the addon is
// built without this file.
//
// Every function is noexcept. Those that can fail return a status and, with CUTOVER_FAILED, write a NUL-terminated
// sentence of at most `message_len` bytes. Rust declares them in src/oracle.rs and nowhere else.

#include <memory>
#include <queue>
#include <utility>

#include <hnswlib.h>

#include "space.h"
#include "status.h"

struct cutover_oracle {
  cutover_oracle(size_t capacity, size_t dimensions, size_t m, size_t ef_construction, size_t seed,
                 cutover_distance distance, const void* context)
      : space(dimensions, distance, context), graph(&space, capacity, m, ef_construction, seed) {}
  cutover::Space space;
  hnswlib::HierarchicalNSW<float> graph;
};

extern "C" {

// On success stores an owned index in *out (free it with cutover_oracle_free); on failure stores nothing.
// `context` must outlive the index.
cutover_status cutover_oracle_new(size_t capacity, size_t dimensions, size_t m, size_t ef_construction, size_t seed,
                                  cutover_distance distance, const void* context, cutover_oracle** out, char* message,
                                  size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] {
    *out = std::make_unique<cutover_oracle>(capacity, dimensions, m, ef_construction, seed, distance, context)
               .release();
  });
}

// Copies the row in and links it. Not thread-safe here: one generator draws all levels.
cutover_status cutover_oracle_add(cutover_oracle* oracle, const float* row, size_t label, char* message,
                                  size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] { oracle->graph.addPoint(row, label); });
}

// Writes the labels of the nearest at most `k` rows, farthest first, and how many they are.
cutover_status cutover_oracle_search(cutover_oracle* oracle, const float* query, size_t k, size_t ef, size_t* labels,
                                     size_t* found, char* message, size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] {
    oracle->graph.setEf(ef);
    auto nearest = oracle->graph.searchKnn(query, k);
    *found = nearest.size();
    for (size_t i = 0; !nearest.empty(); ++i, nearest.pop()) labels[i] = nearest.top().second;
  });
}

// How many links the row with this label has on level 0; 0 when there is none.
size_t cutover_oracle_degree(cutover_oracle* oracle, size_t label) noexcept {
  if (label >= oracle->graph.cur_element_count) return 0;
  return oracle->graph.getListCount(oracle->graph.get_linklist0(static_cast<hnswlib::tableint>(label)));
}

// Marks the row with this label as deleted.
cutover_status cutover_oracle_delete(cutover_oracle* oracle, size_t label, char* message,
                                     size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] { oracle->graph.markDelete(label); });
}

// Writes the index to a file, as hnswlib does. `path` is NUL-terminated.
cutover_status cutover_oracle_save(cutover_oracle* oracle, const char* path, char* message,
                                   size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] { oracle->graph.saveIndex(path); });
}

void cutover_oracle_free(cutover_oracle* oracle) noexcept { delete oracle; }

}  // extern "C"

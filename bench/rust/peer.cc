// C++ hnswlib behind a C door: cosine as it does it, an inner product of rows that the caller made unit vectors.
//
// Nothing here catches: a benchmark that fails may end.

#include <atomic>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <hnswlib.h>

struct Peer {
  Peer(size_t capacity, size_t dimensions, size_t m, size_t ef_construction)
      : space(dimensions), graph(&space, capacity, m, ef_construction, 100), dimensions(dimensions) {}
  Peer(size_t dimensions, const char* path) : space(dimensions), graph(&space, path), dimensions(dimensions) {}
  hnswlib::InnerProductSpace space;
  hnswlib::HierarchicalNSW<float> graph;
  size_t dimensions;
};

extern "C" {

// Links `count` unit rows, labelled by their number, on so many threads; the first goes in alone, as hnswlib asks.
Peer* peer_build(const float* rows, size_t count, size_t dimensions, size_t m, size_t ef_construction, size_t threads) {
  auto peer = std::make_unique<Peer>(count, dimensions, m, ef_construction);
  peer->graph.addPoint(rows, 0);
  std::atomic<size_t> next{1};
  std::vector<std::thread> workers;
  for (size_t i = 0; i < threads; ++i)
    workers.emplace_back([&] {
      for (size_t row; (row = next.fetch_add(1)) < count;) peer->graph.addPoint(rows + row * dimensions, row);
    });
  for (auto& worker : workers) worker.join();
  return peer.release();
}

Peer* peer_load(const char* path, size_t dimensions) { return new Peer(dimensions, path); }

void peer_save(Peer* peer, const char* path) { peer->graph.saveIndex(path); }

// Writes the labels of the nearest at most `k` rows, farthest first, and returns how many they are.
size_t peer_search(Peer* peer, const float* query, size_t k, size_t ef, uint32_t* labels) {
  peer->graph.setEf(ef);
  auto nearest = peer->graph.searchKnn(query, k);
  size_t found = 0;
  for (; !nearest.empty(); nearest.pop()) labels[found++] = static_cast<uint32_t>(nearest.top().second);
  return found;
}

void peer_free(Peer* peer) { delete peer; }

}  // extern "C"

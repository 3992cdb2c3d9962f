// Our way into hnswlib's graph: its memory, its neighbour heuristic and its linking; our insertion.
//
// hnswlib's own addPoint draws levels from a generator that threads share without a lock, keeps a map from labels that
// we have no use for, and links a node's upper levels before its level 0, where another thread can then enter it and
// find a dead end. Here levels are given, and a node is searched for on all its levels before it is linked on any,
// from the bottom up: whoever can reach it on a level can walk down from it.

#include "shim.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <queue>
#include <stdexcept>
#include <utility>
#include <vector>

#include <hnswlib.h>

#include "space.h"
#include "status.h"

namespace {

using Graph = hnswlib::HierarchicalNSW<float>;
using Node = hnswlib::tableint;
using Candidates =
    std::priority_queue<std::pair<float, Node>, std::vector<std::pair<float, Node>>, Graph::CompareByFirst>;

// hnswlib prefetches one link beyond the list it reads; upper lists are allocated with room for that.
constexpr size_t kPrefetchSlack = 64;

}  // namespace

struct cutover_builder {
  cutover_builder(size_t capacity, size_t dimensions, size_t m, size_t ef_construction, cutover_distance distance,
                  const void* context)
      : space(dimensions, distance, context), graph(&space, capacity, m, ef_construction) {}

  void place(const float* row, uint32_t level) {
    const size_t count = graph.cur_element_count;
    if (count >= graph.max_elements_) throw std::out_of_range("more rows than the builder was made for");
    const Node node = static_cast<Node>(count);
    std::memset(graph.get_linklist0(node), 0, graph.size_data_per_element_);
    std::memcpy(graph.getDataByInternalId(node), row, graph.data_size_);
    if (level > 0) {
      // hnswlib's destructor frees what it finds here with free(), for nodes above level 0.
      void* lists = std::calloc(1, graph.size_links_per_element_ * level + kPrefetchSlack);
      if (lists == nullptr) throw std::bad_alloc();
      graph.linkLists_[node] = static_cast<char*>(lists);
    }
    graph.element_levels_[node] = static_cast<int>(level);
    graph.cur_element_count = count + 1;
  }

  void insert(uint32_t id) {
    if (id >= graph.cur_element_count) throw std::out_of_range("a node that was not placed");
    const Node node = id;
    const void* data = graph.getDataByInternalId(node);
    const int level = graph.element_levels_[node];

    std::unique_lock<std::mutex> top_lock(graph.global);
    const int top = graph.maxlevel_;
    const Node entry = graph.enterpoint_node_;
    // Whoever raises the top keeps the lock, so that nobody starts from an entry point about to be replaced.
    if (level <= top) top_lock.unlock();

    if (top >= 0) {
      const int highest = std::min(level, top);
      Node nearest = descend(data, entry, top, highest);
      std::vector<Candidates> found(static_cast<size_t>(highest) + 1);
      for (int at = highest; at >= 0; --at) {
        found[at] = graph.searchBaseLayer(nearest, data, at);
        if (at > 0) nearest = closest(found[at]);
      }
      // "Update" makes hnswlib take the node's own lock while it writes the node's list, which addPoint held throughout.
      for (int at = 0; at <= highest; ++at) graph.mutuallyConnectNewElement(data, node, found[at], at, true);
    }
    if (level > top) {
      graph.enterpoint_node_ = node;
      graph.maxlevel_ = level;
    }
  }

  // Walks greedily from `node` on each level above `floor`.
  Node descend(const void* data, Node node, int top, int floor) {
    float nearest = graph.fstdistfunc_(data, graph.getDataByInternalId(node), graph.dist_func_param_);
    for (int level = top; level > floor; --level) {
      for (bool moved = true; moved;) {
        moved = false;
        std::unique_lock<std::mutex> lock(graph.link_list_locks_[node]);
        const hnswlib::linklistsizeint* list = graph.get_linklist(node, level);
        const size_t count = graph.getListCount(const_cast<hnswlib::linklistsizeint*>(list));
        for (size_t i = 1; i <= count; ++i) {
          const Node other = list[i];
          const float distance = graph.fstdistfunc_(data, graph.getDataByInternalId(other), graph.dist_func_param_);
          if (distance < nearest) {
            nearest = distance;
            node = other;
            moved = true;
          }
        }
      }
    }
    return node;
  }

  static Node closest(Candidates candidates) {
    while (candidates.size() > 1) candidates.pop();
    return candidates.top().second;
  }

  Node closest_found(uint32_t node) {
    if (node >= graph.cur_element_count) throw std::out_of_range("a node that was not placed");
    const void* data = graph.getDataByInternalId(node);
    const Node start = descend(data, graph.enterpoint_node_, graph.maxlevel_, 0);
    Candidates found = graph.searchBaseLayer(start, data, 0);
    Node best = found.top().second;
    for (; !found.empty(); found.pop()) {
      if (found.top().second != node) best = found.top().second;
    }
    return best;
  }

  hnswlib::linklistsizeint* list(uint32_t node, uint32_t level) {
    if (node >= graph.cur_element_count || level > static_cast<uint32_t>(graph.element_levels_[node])) return nullptr;
    return graph.get_linklist_at_level(node, static_cast<int>(level));
  }

  cutover::Space space;
  Graph graph;
};

extern "C" {

cutover_status cutover_builder_new(size_t capacity, size_t dimensions, size_t m, size_t ef_construction,
                                   cutover_distance distance, const void* context, cutover_builder** out,
                                   char* message, size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] {
    *out = std::make_unique<cutover_builder>(capacity, dimensions, m, ef_construction, distance, context).release();
  });
}

cutover_status cutover_builder_place(cutover_builder* builder, const float* row, uint32_t level, char* message,
                                     size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] { builder->place(row, level); });
}

cutover_status cutover_builder_insert(cutover_builder* builder, uint32_t node, char* message,
                                      size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] { builder->insert(node); });
}

uint32_t cutover_builder_entry(const cutover_builder* builder) noexcept { return builder->graph.enterpoint_node_; }

uint32_t* cutover_builder_links(cutover_builder* builder, uint32_t node, uint32_t level, size_t* count) noexcept {
  hnswlib::linklistsizeint* list = builder->list(node, level);
  if (list == nullptr) return nullptr;
  *count = builder->graph.getListCount(list);
  return list + 1;
}

cutover_status cutover_builder_closest(cutover_builder* builder, uint32_t node, uint32_t* out, char* message,
                                       size_t message_len) noexcept {
  return cutover::guarded(message, message_len, [&] { *out = builder->closest_found(node); });
}

int cutover_builder_append(cutover_builder* builder, uint32_t node, uint32_t to) noexcept {
  hnswlib::linklistsizeint* list = builder->list(node, 0);
  if (list == nullptr) return 0;
  const unsigned short count = builder->graph.getListCount(list);
  if (count >= builder->graph.maxM0_) return 0;
  list[count + 1] = to;
  builder->graph.setListCount(list, count + 1);
  return 1;
}

void cutover_builder_free(cutover_builder* builder) noexcept { delete builder; }

}  // extern "C"

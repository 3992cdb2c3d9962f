// hnswlib's notion of a space, over rows of floats and a distance function of ours.
#pragma once

#include <cstddef>

#include <hnswlib.h>

// The distance of two rows of floats; never NaN. `context` is what the index was made with.
typedef float (*cutover_distance)(const void* a, const void* b, const void* context);

namespace cutover {

class Space final : public hnswlib::SpaceInterface<float> {
 public:
  Space(size_t dimensions, cutover_distance distance, const void* context)
      : bytes_(dimensions * sizeof(float)), distance_(distance), context_(context) {}
  size_t get_data_size() override { return bytes_; }
  hnswlib::DISTFUNC<float> get_dist_func() override { return distance_; }
  void* get_dist_func_param() override { return const_cast<void*>(context_); }

 private:
  size_t bytes_;
  cutover_distance distance_;
  const void* context_;
};

}  // namespace cutover

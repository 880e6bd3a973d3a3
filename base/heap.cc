#include "base/heap.h"

#include <malloc.h>

namespace weir {
namespace {

constexpr int kKeptAtEnd = 1024 * 1024;
constexpr std::size_t kBlockHeader = 8;
// Between blocks that come and go in mixed sizes some stay free that fit nobody: with one arena 2
// to 6 % of the heap, of which this share is charged to those who use it.
constexpr std::size_t kGapShare = 32;

}  // namespace

void set_up_heap() {
  // Memory that one worker frees must serve the next request of any: an arena for each thread
  // keeps what its own thread does not need.
  mallopt(M_ARENA_MAX, 1);
  // Set, it stays: by default it grows to the largest block freed, and large bodies then leave
  // holes in the heap that small ones cut up.
  mallopt(M_MMAP_THRESHOLD, kMappedBlockBytes);
  // What is free at the heap's end is kept up to here rather than given back and asked for again
  // with every request.
  mallopt(M_TRIM_THRESHOLD, kKeptAtEnd);
}

std::size_t heap_bytes(const void* block) {
  if (block == nullptr) return 0;
  const std::size_t bytes = malloc_usable_size(const_cast<void*>(block)) + kBlockHeader;
  return bytes >= kMappedBlockBytes ? bytes : bytes + bytes / kGapShare;
}

}  // namespace weir

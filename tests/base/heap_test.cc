#include "base/heap.h"

#include <gtest/gtest.h>

#include <memory>

namespace weir {
namespace {

TEST(HeapBytes, AreAtLeastWhatWasAskedFor) {
  // Little more for a small block, next to nothing more for a mapping of its own.
  EXPECT_EQ(heap_bytes(nullptr), 0U);
  for (const std::size_t size : {1UL, 100UL, 5000UL, kMappedBlockBytes, 10 * kMappedBlockBytes}) {
    const std::unique_ptr<char[]> block = std::make_unique<char[]>(size);
    EXPECT_GE(heap_bytes(block.get()), size);
    EXPECT_LE(heap_bytes(block.get()), size + size / 31 + 4200);
  }
}

}  // namespace
}  // namespace weir

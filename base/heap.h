// The heap that the process lives in: how it is set up, and what a block of it really occupies.
// Why so: docs/decisions/0004-entries-as-records.md.
#pragma once

#include <cstddef>

namespace weir {

// Blocks from this size on are mappings of their own and leave no gap when they go.
inline constexpr std::size_t kMappedBlockBytes = 128 * 1024;

// Once, at the very start of the program, before any thread.
void set_up_heap();

// The bytes that a block got from operator new or malloc keeps from others: its own, what the
// allocator adds, and its share of the gaps that churn leaves between blocks. 0 for null.
std::size_t heap_bytes(const void* block);

}  // namespace weir

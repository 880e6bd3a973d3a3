// Bytes of a file that lie in memory by now, to be sent from where they lie. Borrowed: whoever
// gives it keeps the file open until the bytes were sent, or are wanted no more.
#pragma once

#include <cstdint>

namespace weir {

struct FileRange {
  int descriptor = -1;
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;  // 0: there is none
};

}  // namespace weir

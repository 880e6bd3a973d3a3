// Lines for people, to a descriptor that may be a pipe. Who reads it may be slow, or hang: a line
// that would have to wait for him is left out, and before the next one stands how many were. Where
// nobody reads at all, or the descriptor is closed, lines go nowhere. One thread at a time; SIGPIPE
// is ignored.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

class LineWriter {
 public:
  explicit LineWriter(int descriptor) : descriptor_(descriptor) {}

  // `line` has its line end. May take a tenth of a second the first time that it has to wait.
  void write(std::string_view line);

 private:
  bool put(std::string_view bytes, int patience_ms);

  const int descriptor_;
  std::uint64_t missing_ = 0;  // lines, since the last one that was written
  bool is_cut_ = false;        // what was written last has no line end
};

}  // namespace weir

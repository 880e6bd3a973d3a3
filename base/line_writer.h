// Lines for people, to a descriptor that may be a pipe. Who reads it may be slow, or hang: nobody
// waits for him but a thread of this object. Lines that find no room meanwhile are left out, and
// before the next one stands how many were. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace weir {

class LineWriter {
 public:
  // No more than `most_waiting` bytes wait to be written.
  LineWriter(int descriptor, std::size_t most_waiting);
  // Waits a second at most until all is written.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` has its line end.
  void write(std::string_view line);

 private:
  struct State;
  const std::shared_ptr<State> state_;  // the thread's as well, which may outlive this
};

}  // namespace weir

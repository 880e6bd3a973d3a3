// How much the kernel may hold of what the peer has not taken yet (TCP_NOTSENT_LOWAT). Every
// connection begins narrow: a thousand readers that never read must not hold gigabytes of socket
// memory, which is charged to the same container. One that keeps making room at once is given
// more, so that a large body leaves in few system calls, until it has let the kernel wait. What was
// handed over by then, at most the wide allowance, stays there until it is read or times out.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

class UnsentAllowance {
 public:
  // What listening sockets hand down to those they accept.
  static constexpr int kNarrowBytes = 256 * 1024;
  static constexpr int kWideBytes = 1024 * 1024;
  // Room made this soon, at least 2.5 MB/s, is that of a peer who reads as fast as it can.
  static constexpr std::int64_t kQuickMs = 50;
  static constexpr std::int64_t kSlowMs = 1000;

  // To be told of each write: of `offered` bytes the socket took `taken`. Returns the allowance
  // to set from now on, 0 for no change. `now` gives milliseconds and is only asked when needed.
  template <typename Now>
  int after_write(std::size_t offered, std::size_t taken, const Now& now) {
    const bool was_full = full_;
    full_ = taken < offered;
    if (!was_full && !full_) return 0;
    const std::int64_t now_ms = now();
    int change = 0;
    if (was_full) {
      if (taken == 0) return 0;  // still full, since then
      change = room_made_after(now_ms - full_since_ms_);
    }
    full_since_ms_ = now_ms;
    return change;
  }

 private:
  int room_made_after(std::int64_t waited_ms) {
    if (!wide_ && waited_ms <= kQuickMs) {
      wide_ = true;
      return kWideBytes;
    }
    if (wide_ && waited_ms >= kSlowMs) {
      wide_ = false;
      return kNarrowBytes;
    }
    return 0;
  }

  bool full_ = false;  // the last write was cut short
  bool wide_ = false;
  std::int64_t full_since_ms_ = 0;
};

}  // namespace weir

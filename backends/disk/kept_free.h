// What of max_size is kept free for the files that others put beside the segments: they tell how
// much that is before they write them. Any thread; it may outlive the disk.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace weir::backends::disk {

// So much at most.
constexpr std::uint64_t most_kept_free(std::uint64_t max_size) {
  constexpr std::uint64_t kShare = 8;
  constexpr std::uint64_t kLeast = std::uint64_t{192} * 1024;
  constexpr std::uint64_t kMost = std::uint64_t{128} << 20U;
  return std::clamp(max_size / kShare, kLeast, kMost);
}

class KeptFree {
 public:
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // The segments are to leave so much from now on. Does not wait until they do.
  void set(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const bool more = bytes > bytes_.exchange(bytes, std::memory_order_relaxed);
    if (more && make_room_) make_room_();
  }

  // Has segments removed where there is too little now. It must not call this object. Null: there
  // is nobody any more who could.
  void on_more(std::function<void()> make_room) {
    const std::lock_guard lock(mutex_);
    make_room_ = std::move(make_room);
  }

 private:
  std::atomic<std::uint64_t> bytes_{0};
  std::mutex mutex_;
  std::function<void()> make_room_;  // guarded by mutex_
};

}  // namespace weir::backends::disk

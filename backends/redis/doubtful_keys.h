// Objects, by hashes of their names, of which it is not known what the server has: a write or a
// removal may not have happened. What stands there may be older than what was served since, so it
// is not read until a later write or removal is confirmed. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "base/hash.h"

namespace weir::backends::redis {

class DoubtfulKeys {
 public:
  // Beyond that nothing is believed any more, until forget_all().
  static constexpr std::size_t kMost = 65'536;

  // True: there are too many since this one.
  bool add(const Hash128& key) {
    const std::lock_guard lock(mutex_);
    ++doubts_;
    if (all_.load(std::memory_order_relaxed)) return false;
    const bool fits = keys_.size() < kMost || keys_.contains(key);
    if (fits) {
      keys_[key] = doubts_;
    } else {
      all_.store(true, std::memory_order_relaxed);
      keys_.clear();
    }
    count_.store(keys_.size(), std::memory_order_relaxed);
    return !fits;
  }
  // To be asked before a change is sent, and said with confirm().
  std::uint64_t now() const { return doubts_.load(std::memory_order_relaxed); }
  // A change that was sent then has been made: what stands there is known, unless another one has
  // become doubtful since.
  void confirm(const Hash128& key, std::uint64_t then) {
    if (count_.load(std::memory_order_relaxed) == 0) return;
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(key);
    if (found != keys_.end() && found->second <= then) keys_.erase(found);
    count_.store(keys_.size(), std::memory_order_relaxed);
  }
  bool has(const Hash128& key) const {
    if (all_.load(std::memory_order_relaxed)) return true;
    if (count_.load(std::memory_order_relaxed) == 0) return false;
    const std::lock_guard lock(mutex_);
    return keys_.contains(key);
  }
  // More were doubtful than could be remembered.
  bool all() const { return all_.load(std::memory_order_relaxed); }
  // Nothing that is there counts any more, or everything has been removed.
  void forget_all() {
    const std::lock_guard lock(mutex_);
    keys_.clear();
    count_.store(0, std::memory_order_relaxed);
    all_.store(false, std::memory_order_relaxed);
  }

 private:
  struct Hasher {
    std::size_t operator()(const Hash128& hash) const { return hash.low; }
  };

  mutable std::mutex mutex_;
  std::atomic<std::uint64_t> doubts_{0};                     // so far; written under mutex_
  std::unordered_map<Hash128, std::uint64_t, Hasher> keys_;  // guarded by mutex_: the last of each
  std::atomic<std::size_t> count_{0};                        // of them
  std::atomic<bool> all_{false};
};

}  // namespace weir::backends::redis

// Counts the stores and erasures that have begun and that have ended, by groups of keys, so that
// a look-up knows whether any touched its key while it was under way. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "cachekeys/key.h"

namespace weir::backends {

class Changes {
  struct Group {
    std::atomic<std::uint64_t> begun{0};
    std::atomic<std::uint64_t> ended{0};
  };

 public:
  // One change of a key, from construction to destruction.
  class Change {
   public:
    Change(Changes& changes, keys::KeyView key) : group_(changes.group(key)) { ++group_.begun; }
    ~Change() { ++group_.ended; }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    Group& group_;
  };

  // A number that differs after the next change began; empty while one is under way.
  std::optional<std::uint64_t> quiet_since(keys::KeyView key) {
    Group& group = this->group(key);
    const std::uint64_t ended = group.ended.load();  // first: it never passes the other
    const std::uint64_t begun = group.begun.load();
    return begun == ended ? std::optional(begun) : std::nullopt;
  }
  bool still_quiet(keys::KeyView key, std::optional<std::uint64_t> since) {
    return since && group(key).begun.load() == *since;
  }
  // A change of every key.
  template <class Apply>
  void change_all(Apply apply) {
    for (Group& group : groups_) ++group.begun;
    apply();
    for (Group& group : groups_) ++group.ended;
  }

 private:
  Group& group(keys::KeyView key) { return groups_[key.hash.low % groups_.size()]; }

  std::array<Group, 256> groups_{};
};

}  // namespace weir::backends

// A slow backend for tests: keeps entries in a map and answers look-ups later, on the caller's
// loop; by itself, or in hold() mode when the test says so. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace weir::backends::testing {

class ScriptedBackend final : public Backend {
 public:
  explicit ScriptedBackend(std::uint64_t max_object_size = 1024 * 1024)
      : max_object_size_(max_object_size) {}

  // From now on look-ups wait for release().
  void hold() { holding_ = true; }
  // Posts the answers of the look-ups waiting, as they were found when asked.
  void release();
  // Look-ups that wait and were not dropped.
  std::size_t waiting() const;
  bool contains(std::string_view key) const;

  const std::string& name() const override { return name_; }
  Lookup lookup(keys::KeyView key, EventLoop& loop, LookupWaiter& waiter) override;
  void store(EntryRef entry) override;
  void erase(keys::KeyView key) override;
  void clear() override;
  EntryRef lookup_now(keys::KeyView) override { return nullptr; }
  std::uint64_t max_object_size() const override { return max_object_size_; }
  std::int64_t default_expire_s() const override { return 77; }
  BackendStats stats() const override;

 private:
  struct Question;
  class Handle;
  static void post_answer(std::shared_ptr<Question> question);

  const std::string name_ = "scripted";
  const std::uint64_t max_object_size_;
  std::atomic<bool> holding_{false};
  mutable std::mutex mutex_;
  std::map<std::string, EntryRef, std::less<>> entries_;  // guarded by mutex_
  std::vector<std::shared_ptr<Question>> held_;           // guarded by mutex_
  BackendStats stats_;                                    // guarded by mutex_
};

}  // namespace weir::backends::testing

// Tells on Weir's own log what goes wrong again and again, without filling it: once in ten seconds,
// with the number of those that were left out. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

namespace weir::flow {

class FailureLog {
 public:
  // `what` opens each line; a literal.
  explicit FailureLog(std::string_view what) : what_(what) {}

  void say(std::string_view why, std::int64_t now_ms);

 private:
  const std::string_view what_;
  std::mutex mutex_;
  bool any_ = false;          // guarded by mutex_
  std::int64_t last_ms_ = 0;  // guarded by mutex_
  std::uint64_t unsaid_ = 0;  // guarded by mutex_
};

}  // namespace weir::flow

#include "proxy/flow/failure_log.h"

#include <utility>

#include "base/log.h"

namespace weir::flow {
namespace {

constexpr std::int64_t kEveryMs = 10'000;
constexpr std::size_t kMostBytes = 300;

}  // namespace

void FailureLog::say(std::string_view why, std::int64_t now_ms) {
  std::uint64_t unsaid = 0;
  {
    const std::lock_guard lock(mutex_);
    if (any_ && now_ms - last_ms_ < kEveryMs) {
      ++unsaid_;
      return;
    }
    any_ = true;
    last_ms_ = now_ms;
    unsaid = std::exchange(unsaid_, 0);
  }
  if (unsaid == 0) {
    log_warn("{}: {}", what_, quote(why, kMostBytes));
  } else {
    log_warn("{}: {} ({} more since the last of these lines)", what_, quote(why, kMostBytes),
             unsaid);
  }
}

}  // namespace weir::flow

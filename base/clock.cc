#include "base/clock.h"

#include <ctime>

namespace weir {
namespace {

std::int64_t read_ms(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::int64_t{ts.tv_sec} * 1000 + ts.tv_nsec / 1'000'000;
}

class SystemClock final : public Clock {
 public:
  std::int64_t now_ms() const override { return offset_ms_ + read_ms(CLOCK_BOOTTIME); }
  std::int64_t wall_s() const override { return read_ms(CLOCK_REALTIME) / 1000; }

 private:
  const std::int64_t offset_ms_ = read_ms(CLOCK_REALTIME) - read_ms(CLOCK_BOOTTIME);
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace weir

#include "base/clock.h"

#include <ctime>

namespace weir {
namespace {

std::int64_t read_us(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000 + ts.tv_nsec / 1000;
}

class SystemClock final : public Clock {
 public:
  std::int64_t now_us() const override { return offset_us_ + read_us(CLOCK_BOOTTIME); }
  std::int64_t wall_ms() const override { return read_us(CLOCK_REALTIME) / 1000; }

 private:
  const std::int64_t offset_us_ = read_us(CLOCK_REALTIME) - read_us(CLOCK_BOOTTIME);
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace weir

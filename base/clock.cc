#include "base/clock.h"

#include <ctime>
#include <fstream>
#include <string>

namespace weir {
namespace {

std::int64_t read_us(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::int64_t{ts.tv_sec} * 1'000'000 + ts.tv_nsec / 1000;
}

// A UUID as the kernel spells it; its digits, packed.
std::array<char, 16> read_boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string digits;
  for (char c = 0; file.get(c);) {
    if (c >= '0' && c <= '9') digits.push_back(static_cast<char>(c - '0'));
    if (c >= 'a' && c <= 'f') digits.push_back(static_cast<char>(c - 'a' + 10));
  }
  std::array<char, 16> out{};
  if (digits.size() != 2 * out.size()) return out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<char>(digits[2 * i] << 4U | digits[2 * i + 1]);
  }
  return out;
}

class SystemClock final : public Clock {
 public:
  std::int64_t now_us() const override { return offset_us_ + read_us(CLOCK_BOOTTIME); }
  std::int64_t wall_ms() const override { return read_us(CLOCK_REALTIME) / 1000; }
  SinceBoot since_boot() const override { return {boot_id_, read_us(CLOCK_BOOTTIME) / 1000}; }

 private:
  const std::array<char, 16> boot_id_ = read_boot_id();
  const std::int64_t offset_us_ = read_us(CLOCK_REALTIME) - read_us(CLOCK_BOOTTIME);
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace weir

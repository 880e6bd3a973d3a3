#include "tests/e2e/fixture.h"

namespace weir::test {

void E2e::TearDown() {
  origin_.stop();  // nothing in flight is left for the drain to wait for
  if (!weir_) return;
  if (weir_->running()) {
    EXPECT_EQ(weir_->stop(), 0) << weir_->log_text();
  }
}

std::string E2e::config(std::string_view yaml) const {
  const std::string text = "\n" + std::string(yaml);
  const auto silent_on = [&](std::string_view key) {
    return text.find("\n" + std::string(key) + ":") == std::string::npos;
  };
  std::string head;
  if (silent_on("listen")) head += "listen: 127.0.0.1:0\n";
  if (silent_on("admin")) head += "admin: off\n";
  if (silent_on("workers")) head += "workers: 2\n";
  if (silent_on("upstream")) head += "upstream: " + origin_.url() + "\n";
  return head + std::string(yaml);
}

WeirProcess& E2e::start(std::string_view yaml, Launch launch) {
  launch.yaml = config(yaml);
  weir_ = std::make_unique<WeirProcess>(launch);
  return *weir_;
}

Response E2e::get(std::string_view target, const Fields& fields) const {
  return client().get(target, fields);
}

CacheStatus E2e::status_of(std::string_view target, const Fields& fields) const {
  return cache_status(get(target, fields));
}

void E2e::await_all_taken() const {
  if (!eventually([&] { return waiting_at_port(weir_->port()) == 0; }))
    throw TimedOut("weir leaves bytes unread");
}

std::string patterned(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 12345;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace weir::test

// What the end-to-end tests stand on: an origin, and the real binary in front of it with the test's
// configuration. Stopping it must be clean, or the test fails.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "tests/support/cache_status.h"
#include "tests/support/client.h"
#include "tests/support/origin.h"
#include "tests/support/weir_process.h"

namespace weir::test {

// One route over everything, cached for a minute.
inline constexpr std::string_view kCacheAll =
    "routes:\n"
    "  - { name: all, match: /**, cache: { duration: 60 } }\n";

class E2e : public testing::Test {
 protected:
  void TearDown() override;

  // `yaml` with `listen`, `admin`, `workers` and `upstream` added where it is silent.
  std::string config(std::string_view yaml) const;
  // Starts the binary with config(yaml); `launch` says what else.
  WeirProcess& start(std::string_view yaml, Launch launch = {.yaml = ""});
  WeirProcess& weir() { return *weir_; }

  Client client(int receive_buffer = 0) const { return Client(weir_->port(), receive_buffer); }
  // One request on a connection of its own.
  Response get(std::string_view target, const Fields& fields = {}) const;
  // Its Cache-Status.
  CacheStatus status_of(std::string_view target, const Fields& fields = {}) const;
  // Waits until Weir has accepted every connection and read every byte that was sent to it.
  void await_all_taken() const;

  Origin origin_;

 private:
  std::unique_ptr<WeirProcess> weir_;
};

// What an answer of a cacheable kind looks like here.
inline Reply cacheable(std::string body, std::string cache_control = "max-age=60") {
  return Reply(200)
      .header("Content-Type", "text/plain")
      .header("Cache-Control", std::move(cache_control))
      .body(std::move(body));
}

// Bytes that differ from place to place, so that a misplaced one is seen.
std::string patterned(std::size_t size);

}  // namespace weir::test

// A flight between readers and a producer that the test plays, on a loop turned by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/flow/flight.h"

namespace weir::flow {

using Status = front::BodySource::Status;

// Counts what it is told; the loop is turned by hand.
class Listener final : public Wakeable {
 public:
  void wake() override { ++wakes; }
  int wakes = 0;
  Life<Wakeable> life{*this};
};

class FlightTest : public testing::Test {
 protected:
  // Runs what was posted.
  void turn() {
    loop_.post([this] { loop_.stop(); });
    loop_.run();
  }
  Waker waker(Listener& listener) { return {loop_, listener.life.watch()}; }
  static std::shared_ptr<const FlightHead> head(std::uint64_t length = 0) {
    auto out = std::make_shared<FlightHead>();
    out->response.status = 200;
    if (length > 0) {
      out->response.framing = http::Framing::Length;
      out->response.content_length = length;
    }
    return out;
  }
  // Reads what there is and takes it.
  static std::string take(FlightReader& reader, Status* last = nullptr) {
    std::string out;
    while (true) {
      std::array<iovec, 4> parts;
      const front::BodySource::Pull pull = reader.pull(parts);
      if (last) *last = pull.status;
      if (pull.status != Status::Data) return out;
      for (std::size_t i = 0; i < pull.parts; ++i) {
        out.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
      }
      reader.consume(pull.bytes);
      if (pull.last) {
        if (last) *last = Status::End;
        return out;
      }
    }
  }

  static constexpr std::size_t kBlockBytes = 64 * 1024;
  void fill_window() {
    const std::string block(kBlockBytes, 'x');
    do {
      flight_->append(block, true);
    } while (!flight_->window_full());
  }

  EventLoop loop_;
  FillBudget budget_{64 * 1024 * 1024};
  Ref<Flight> flight_ = make_ref<Flight>(budget_, 0);
};

}  // namespace weir::flow

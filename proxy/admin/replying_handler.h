// What the handlers of the admin address, and of PURGE, have in common: each replies once, now or
// later. One loop; one exchange at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/life.h"
#include "base/net/loop_door.h"
#include "proxy/admin/calls.h"
#include "proxy/front/exchange.h"

namespace weir::admin {

// Sends a reply's body.
class ReplyBody final : public front::BodySource {
 public:
  void reset(std::string text) {
    text_ = std::move(text);
    sent_ = 0;
  }
  Pull pull(std::span<iovec> parts) override;
  void consume(std::size_t bytes) override { sent_ += bytes; }

 private:
  std::string text_;
  std::size_t sent_ = 0;
};

class ReplyingHandler : public front::Handler, public Asking {
 public:
  explicit ReplyingHandler(std::shared_ptr<LoopDoor> door) : door_(std::move(door)) {}

  // ---- front::Handler ----
  bool holds_up_others() const override { return false; }
  void response_cut() override {}
  bool waits_for_place() const override { return false; }
  void finished() override;

  // ---- Asking ----
  void answered(Reply reply) override;

 protected:
  // Who goes on after start() has the exchange keep its request.
  void begin(front::Exchange& exchange);
  front::Exchange& exchange() { return *exchange_; }
  const http::RequestHead& request() const { return exchange_->request(); }
  Asker asker() { return {door_, life_.watch()}; }
  const std::shared_ptr<LoopDoor>& door() const { return door_; }
  // `allow`: of a 405, what Allow says.
  void send(Reply reply, std::string_view allow = {});

 private:
  const std::shared_ptr<LoopDoor> door_;
  Life<Asking> life_{*this};
  front::Exchange* exchange_ = nullptr;
  ReplyBody body_;
};

}  // namespace weir::admin

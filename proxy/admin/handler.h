// The admin address's side of an exchange: who may ask, which call it is, its body whole, its
// reply. One loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/life.h"
#include "base/net/loop_door.h"
#include "proxy/admin/access.h"
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

// What both kinds of handlers do: they reply, now or later. One exchange at a time.
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
  void begin(front::Exchange& exchange);
  front::Exchange& exchange() { return *exchange_; }
  const http::RequestHead& request() const { return exchange_->request(); }
  Asker asker() { return {door_, life_.watch()}; }
  // `allow`: of a 405, what Allow says.
  void send(Reply reply, std::string_view allow = {});

 private:
  const std::shared_ptr<LoopDoor> door_;
  Life<Asking> life_{*this};
  front::Exchange* exchange_ = nullptr;
  ReplyBody body_;
};

// What the calls of all workers share. Immutable; any thread.
struct Admin {
  Access access;
  std::vector<Call> calls;
};

class AdminHandler final : public ReplyingHandler {
 public:
  AdminHandler(const Admin& admin, flow::WorkerContext& worker, std::shared_ptr<LoopDoor> door)
      : ReplyingHandler(std::move(door)), admin_(admin), worker_(worker) {}

  void start(front::Exchange& exchange) override;
  void request_body_ready() override;

 private:
  const Call* find_call() const;
  void refuse_unknown();

  const Admin& admin_;
  flow::WorkerContext& worker_;
  const Call* call_ = nullptr;
  std::string read_;
};

// PURGE on the main address, for those in purge_allow.
class PurgeHandler final : public ReplyingHandler {
 public:
  PurgeHandler(flow::WorkerContext& worker, std::shared_ptr<LoopDoor> door)
      : ReplyingHandler(std::move(door)), worker_(worker) {}

  void start(front::Exchange& exchange) override;
  void request_body_ready() override {}

 private:
  flow::WorkerContext& worker_;
};

// Make one for each exchange: these are few. On the loop's thread, or before the loop runs; what
// they are given outlives them.
class AdminHandlers final : public front::HandlerFactory {
 public:
  AdminHandlers(const Admin& admin, flow::WorkerContext& worker)
      : admin_(admin), worker_(worker), door_(std::make_shared<LoopDoor>(worker.loop)) {}
  ~AdminHandlers() override { door_->close(); }

  front::Handler* acquire() override { return new AdminHandler(admin_, worker_, door_); }
  void release(front::Handler* handler) override { delete handler; }

 private:
  const Admin& admin_;
  flow::WorkerContext& worker_;
  const std::shared_ptr<LoopDoor> door_;
};

class PurgeHandlers final : public front::HandlerFactory {
 public:
  explicit PurgeHandlers(flow::WorkerContext& worker)
      : worker_(worker), door_(std::make_shared<LoopDoor>(worker.loop)) {}
  ~PurgeHandlers() override { door_->close(); }

  front::Handler* acquire() override { return new PurgeHandler(worker_, door_); }
  void release(front::Handler* handler) override { delete handler; }

 private:
  flow::WorkerContext& worker_;
  const std::shared_ptr<LoopDoor> door_;
};

}  // namespace weir::admin

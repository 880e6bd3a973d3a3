// The admin address's side of an exchange: who may ask, which call it is, its body whole, its
// reply. One loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/admin/access.h"
#include "proxy/admin/calls.h"
#include "proxy/admin/keys_handler.h"
#include "proxy/admin/replying_handler.h"

namespace weir::admin {

// What the calls of all workers share. Any thread.
struct Admin {
  Access access;
  std::vector<Call> calls;
  values::LeaseTable& leases;  // outlives it
};

class AdminHandler final : public ReplyingHandler {
 public:
  AdminHandler(std::shared_ptr<const Admin> admin, flow::WorkerContext& worker,
               std::shared_ptr<LoopDoor> door)
      : ReplyingHandler(std::move(door)), admin_(std::move(admin)), worker_(worker) {}

  void start(front::Exchange& exchange) override;
  void request_body_ready() override;
  bool waits_in_line() const override { return value_handler_ && value_handler_->waits_in_line(); }
  void finished() override;

 private:
  const Call* find_call() const;
  void refuse_unknown();

  const std::shared_ptr<const Admin> admin_;  // as it was when the request began
  flow::WorkerContext& worker_;
  const Call* call_ = nullptr;
  std::string body_;
  // Of a request to the low-level cache, which is its affair alone.
  std::unique_ptr<KeysHandler> value_handler_;
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

// Make one for each exchange: these are few. On the loop's thread, or before the loop runs;
// `worker` outlives them.
class AdminHandlers final : public front::HandlerFactory {
 public:
  AdminHandlers(std::shared_ptr<const Admin> admin, flow::WorkerContext& worker)
      : admin_(std::move(admin)), worker_(worker), door_(std::make_shared<LoopDoor>(worker.loop)) {}
  ~AdminHandlers() override { door_->close(); }

  // Of requests that begin from now on.
  void use(std::shared_ptr<const Admin> admin) { admin_ = std::move(admin); }

  front::Handler* acquire() override { return new AdminHandler(admin_, worker_, door_); }
  void release(front::Handler* handler) override { delete handler; }

 private:
  std::shared_ptr<const Admin> admin_;
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

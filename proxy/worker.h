// One worker: a thread with a loop, its listeners, its clients, its fetches. Made and started by
// the Sidecar; drain() and stop() are for its thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/net/event_loop.h"
#include "base/net/listener.h"
#include "proxy/admin/handler.h"
#include "proxy/flow/fill.h"
#include "proxy/flow/site.h"
#include "proxy/flow/transaction.h"
#include "proxy/front/server.h"
#include "proxy/upstream/fetcher.h"

namespace weir {

struct WorkerOptions {
  std::shared_ptr<const flow::Site> site;
  flow::SharedTables* tables = nullptr;
  front::ServerOptions server;
  // The admin address's, where there is one.
  const admin::Admin* admin = nullptr;
  front::ServerOptions admin_server = {};
  bool takes_purges = false;  // PURGE on the main address
};

class Worker {
 public:
  explicit Worker(WorkerOptions options);
  // Ends the thread; cuts what is still open.
  ~Worker();

  EventLoop& loop() { return loop_; }
  // Before start().
  void add_listener(Fd socket);
  void add_admin_listener(Fd socket);
  void start();

  // Safe to call from other threads: takes no more clients, lets the present ones finish, then
  // calls `done` on its own thread. The admin address is there until the end.
  void drain(std::function<void()> done);
  // The same way: ends the clients who have been answered, and then calls `done`.
  void end_answered(std::function<void()> done);

 private:
  EventLoop loop_;
  metrics::LoopCounts& counts_;
  std::unique_ptr<upstream::Fetcher> fetcher_;
  flow::Fills fills_;
  flow::WorkerContext context_;
  flow::TransactionPool transactions_;
  std::unique_ptr<admin::PurgeHandlers> purges_;
  front::Server server_;
  std::unique_ptr<admin::AdminHandlers> admin_calls_;  // null: there is no admin address
  std::unique_ptr<front::Server> admin_server_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<Listener> admin_listener_;
  std::thread thread_;
};

}  // namespace weir

// One worker: a thread with a loop, its listeners, its clients, its fetches. Made and started by
// the Sidecar; what it goes by may be replaced while it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/net/event_loop.h"
#include "base/net/listener.h"
#include "base/net/timer.h"
#include "proxy/admin/handler.h"
#include "proxy/flow/fill.h"
#include "proxy/flow/site.h"
#include "proxy/flow/transaction.h"
#include "proxy/front/server.h"

namespace weir {

// What a worker goes by: what one configuration means to it.
struct WorkerSetup {
  std::shared_ptr<const flow::Site> site;
  front::ServerOptions server;
  bool takes_purges = false;  // PURGE on the main address
  // The admin address's, where there is one.
  std::shared_ptr<const admin::Admin> admin;
  front::ServerOptions admin_server = {};
};

// A listening socket of the worker's own.
struct Door {
  std::uint64_t address = 0;  // which of the process's addresses it listens on
  bool is_admin = false;
  Fd socket;
};

struct WorkerChange {
  WorkerSetup setup;
  std::vector<Door> opened;
  std::vector<std::uint64_t> closed;  // addresses
};

class Worker {
 public:
  Worker(WorkerSetup setup, flow::SharedTables& tables);
  // Ends the thread; cuts what is still open.
  ~Worker();

  // Before start().
  void add_door(Door door);
  void start();

  // The following are safe to call from other threads, and call `done` on the worker's own.

  // Goes by another setup, for requests that begin from now on; those that run keep what they began
  // with. A closed address takes whom the kernel has accepted already; its clients stay, but those
  // of the admin address, whose running requests are its last.
  void use(WorkerChange change, std::function<void()> done);
  // Takes no more clients, lets the present ones finish. The admin address is still there.
  void drain(std::function<void()> done);
  // The same for the admin address.
  void drain_admin(std::function<void()> done);
  // Ends the clients who have been answered.
  void end_answered(std::function<void()> done);

 private:
  // A listener of the main address.
  struct MainDoor {
    std::uint64_t address;
    std::unique_ptr<Listener> listener;
  };
  class AdminDoor;

  void use_here(WorkerSetup setup);
  void end_old_fetchers();
  void close_doors(const std::vector<std::uint64_t>& addresses);
  void close_admin();
  void admin_left(const AdminDoor& door);
  void stop_here();

  EventLoop loop_;
  metrics::LoopCounts& counts_;
  flow::Fills fills_;
  flow::WorkerContext context_;
  flow::TransactionPool transactions_;
  admin::PurgeHandlers purges_;
  front::Server server_;
  std::vector<MainDoor> doors_;
  // Of the admin address: what is needed to open it, it itself, and those that are going.
  std::shared_ptr<const admin::Admin> admin_setup_;
  front::ServerOptions admin_options_;
  std::unique_ptr<AdminDoor> admin_;
  std::vector<std::unique_ptr<AdminDoor>> leaving_;
  std::function<void()> admin_drained_;
  // Of apps that are no longer configured, until nothing uses them and their end holds up nobody.
  std::vector<std::shared_ptr<upstream::Fetcher>> old_fetchers_;
  Timer look_at_old_;
  std::thread thread_;
};

}  // namespace weir

#include "proxy/worker.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream/wire_fetcher.h"

namespace weir {
namespace {

constexpr std::int64_t kLookAtOld_ms = 1'000;

// The options of the main address with what is this worker's own.
front::ServerOptions options_of(WorkerSetup& setup, metrics::LoopCounts& counts,
                                admin::PurgeHandlers& purges) {
  front::ServerOptions out = std::move(setup.server);
  out.counts = &counts;
  out.purges = setup.takes_purges ? &purges : nullptr;
  return out;
}

std::unique_ptr<Listener> listener_for(EventLoop& loop, Fd socket, front::Server& server) {
  return std::make_unique<Listener>(
      loop, std::move(socket),
      [&server](Fd fd, const SocketAddress& peer) { server.accept(std::move(fd), peer); });
}

}  // namespace

// The admin address as it is open on this loop.
class Worker::AdminDoor {
 public:
  AdminDoor(flow::WorkerContext& context, const std::shared_ptr<const admin::Admin>& admin,
            const front::ServerOptions& options, Door door)
      : address(door.address),
        calls(admin, context),
        server(context.loop, options, calls),
        listener_(listener_for(context.loop, std::move(door.socket), server)) {}

  void drain(std::function<void()> left) {
    listener_->close_after_drain();
    server.drain(std::move(left));
  }
  void cut() {
    listener_ = nullptr;
    server.close_all();
  }

  const std::uint64_t address;
  admin::AdminHandlers calls;
  front::Server server;

 private:
  std::unique_ptr<Listener> listener_;
};

Worker::Worker(WorkerSetup setup, flow::SharedTables& tables)
    : counts_(tables.counts.add_loop()),
      fills_(loop_, tables),
      context_{loop_, tables, fills_,
               flow::LoopSite::make(setup.site, loop_, counts_,
                                    upstream::make_fetcher(loop_, setup.site->upstreams))},
      transactions_(context_),
      purges_(context_),
      server_(loop_, options_of(setup, counts_, purges_), transactions_),
      admin_setup_(std::move(setup.admin)),
      admin_options_(std::move(setup.admin_server)),
      look_at_old_(loop_, [this] { end_old_fetchers(); }) {}

Worker::~Worker() {
  if (!thread_.joinable()) return;
  loop_.post([this] { stop_here(); });
  thread_.join();
}

void Worker::stop_here() {
  doors_.clear();
  server_.close_all();
  if (admin_) admin_->cut();
  for (const auto& door : leaving_) door->cut();
  // Stores end on their own thread, and these hold on to them.
  fills_.stop();
  context_.looks.stop();
  context_.site = nullptr;
  // Behind the end of the site, which is posted as well.
  loop_.post([this] {
    look_at_old_.stop();
    old_fetchers_.clear();
    loop_.stop();
  });
}

void Worker::add_door(Door door) {
  if (door.is_admin) {
    admin_ = std::make_unique<AdminDoor>(context_, admin_setup_, admin_options_, std::move(door));
    return;
  }
  MainDoor& opened = doors_.emplace_back();
  opened.address = door.address;
  opened.listener = listener_for(loop_, std::move(door.socket), server_);
}

void Worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

// ---- another setup ----

void Worker::use(WorkerChange change, std::function<void()> done) {
  loop_.post([this, change = std::move(change), done = std::move(done)]() mutable {
    use_here(std::move(change.setup));
    close_doors(change.closed);
    for (Door& door : change.opened) add_door(std::move(door));
    done();
  });
}

// Connections to the app are kept where the app has not changed.
void Worker::use_here(WorkerSetup setup) {
  std::shared_ptr<upstream::Fetcher> app = context_.site->fetcher;
  if (setup.site->upstreams != context_.site->site->upstreams) {
    old_fetchers_.push_back(std::move(app));
    look_at_old_.start(kLookAtOld_ms);
    app = upstream::make_fetcher(loop_, setup.site->upstreams);
  }
  context_.site = flow::LoopSite::make(setup.site, loop_, counts_, std::move(app));
  server_.use(options_of(setup, counts_, purges_));
  admin_setup_ = std::move(setup.admin);
  admin_options_ = std::move(setup.admin_server);
  if (!admin_ || !admin_setup_) return;
  admin_->calls.use(admin_setup_);
  admin_->server.use(admin_options_);
}

void Worker::end_old_fetchers() {
  std::erase_if(old_fetchers_,
                [](const auto& old) { return old.use_count() == 1 && old->is_quiet(); });
  if (!old_fetchers_.empty()) look_at_old_.start(kLookAtOld_ms);
}

void Worker::close_doors(const std::vector<std::uint64_t>& addresses) {
  const auto is_closed = [&](std::uint64_t address) {
    return std::ranges::find(addresses, address) != addresses.end();
  };
  for (const MainDoor& door : doors_) {
    if (is_closed(door.address)) door.listener->close_after_drain();
  }
  std::erase_if(doors_, [&](const MainDoor& door) { return is_closed(door.address); });
  if (admin_ && is_closed(admin_->address)) close_admin();
}

void Worker::close_admin() {
  AdminDoor& door = *leaving_.emplace_back(std::move(admin_));
  // Outside of the server's call.
  door.drain([this, &door] { loop_.post([this, &door] { admin_left(door); }); });
}

void Worker::admin_left(const AdminDoor& door) {
  std::erase_if(leaving_, [&](const auto& leaving) { return leaving.get() == &door; });
  if (leaving_.empty() && admin_drained_) std::exchange(admin_drained_, nullptr)();
}

// ---- its end ----

void Worker::end_answered(std::function<void()> done) {
  loop_.post([this, done = std::move(done)] {
    server_.end_answered();
    done();
  });
}

void Worker::drain(std::function<void()> done) {
  loop_.post([this, done = std::move(done)]() mutable {
    // Clients whose connection the kernel has accepted already are not turned away.
    for (const MainDoor& door : doors_) door.listener->close_after_drain();
    server_.drain(std::move(done));
  });
}

void Worker::drain_admin(std::function<void()> done) {
  loop_.post([this, done = std::move(done)]() mutable {
    if (admin_) close_admin();
    if (leaving_.empty()) return done();
    admin_drained_ = std::move(done);
  });
}

}  // namespace weir

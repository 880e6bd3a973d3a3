#include "proxy/worker.h"

#include "proxy/upstream/wire_fetcher.h"

namespace weir {
namespace {

std::unique_ptr<admin::PurgeHandlers> purges_of(const WorkerOptions& options,
                                                flow::WorkerContext& context) {
  if (!options.takes_purges) return nullptr;
  return std::make_unique<admin::PurgeHandlers>(context);
}

// The options of the main address with what is this worker's own.
front::ServerOptions own(front::ServerOptions options, metrics::LoopCounts& counts,
                         front::HandlerFactory* purges) {
  options.counts = &counts;
  options.purges = purges;
  return options;
}

std::unique_ptr<Listener> listener_for(EventLoop& loop, Fd socket, front::Server& server) {
  return std::make_unique<Listener>(
      loop, std::move(socket),
      [&server](Fd fd, const SocketAddress& peer) { server.accept(std::move(fd), peer); });
}

}  // namespace

Worker::Worker(WorkerOptions options)
    : counts_(options.tables->counts.add_loop()),
      fetcher_(upstream::make_fetcher(loop_, options.site->upstreams)),
      fills_(loop_, *options.tables, *fetcher_),
      context_{loop_, *options.tables, fills_,
               std::make_shared<flow::LoopSite>(std::move(options.site), loop_, counts_)},
      transactions_(context_),
      purges_(purges_of(options, context_)),
      server_(loop_, own(std::move(options.server), counts_, purges_.get()), transactions_) {
  if (!options.admin) return;
  admin_calls_ = std::make_unique<admin::AdminHandlers>(*options.admin, context_);
  admin_server_ =
      std::make_unique<front::Server>(loop_, std::move(options.admin_server), *admin_calls_);
}

Worker::~Worker() {
  if (thread_.joinable()) {
    loop_.post([this] {
      listeners_.clear();
      admin_listener_ = nullptr;
      server_.close_all();
      if (admin_server_) admin_server_->close_all();
      // Stores end on their own thread, and these hold on to them.
      fills_.stop();
      context_.site = nullptr;
    });
    loop_.stop();
    thread_.join();
  }
}

void Worker::add_listener(Fd socket) {
  listeners_.push_back(listener_for(loop_, std::move(socket), server_));
}

void Worker::add_admin_listener(Fd socket) {
  admin_listener_ = listener_for(loop_, std::move(socket), *admin_server_);
}

void Worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

void Worker::end_answered(std::function<void()> done) {
  loop_.post([this, done = std::move(done)] {
    server_.end_answered();
    done();
  });
}

void Worker::drain(std::function<void()> done) {
  loop_.post([this, done = std::move(done)]() mutable {
    // Clients whose connection the kernel has accepted already are not turned away.
    for (const auto& listener : listeners_) listener->close_after_drain();
    server_.drain(std::move(done));
  });
}

}  // namespace weir

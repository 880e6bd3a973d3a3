#include "proxy/worker.h"

#include "proxy/upstream/wire_fetcher.h"

namespace weir {

Worker::Worker(WorkerOptions options)
    : fetcher_(upstream::make_fetcher(loop_, std::move(options.upstreams))),
      fills_(loop_, *options.tables, *fetcher_),
      context_{loop_, *options.tables, fills_,
               std::make_shared<flow::LoopSite>(std::move(options.site), loop_)},
      transactions_(context_),
      server_(loop_, std::move(options.server), transactions_) {}

Worker::~Worker() {
  if (thread_.joinable()) {
    loop_.post([this] {
      listeners_.clear();
      server_.close_all();
      // Stores end on their own thread, and these hold on to them.
      fills_.stop();
      context_.site = nullptr;
    });
    loop_.stop();
    thread_.join();
  }
}

void Worker::add_listener(Fd socket) {
  listeners_.push_back(std::make_unique<Listener>(
      loop_, std::move(socket),
      [this](Fd fd, const SocketAddress& peer) { server_.accept(std::move(fd), peer); }));
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

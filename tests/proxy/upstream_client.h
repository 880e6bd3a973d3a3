// The proxy's side of the upstream tests: a loop on a thread of its own, a fetcher on it, and a
// sink that writes down what it is told.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/net/event_loop.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/upstream/wire_fetcher.h"

namespace weir::upstream::test {

// A request's body in pieces, given by the test. Loop thread only.
class PiecedBody final : public RequestBody {
 public:
  Read read(char* buffer, std::size_t capacity) override;
  bool gathered() override { return ended || failed || waiting.size() + refill >= enough; }
  std::size_t enough = 0;  // bytes that are enough to be sent on
  std::string waiting;     // bytes to be read
  bool ended = false;      // nothing follows `waiting`
  bool failed = false;
  std::size_t refill = 0;  // bytes of 'x' still to come, made up as they are read
  std::size_t taken = 0;
  std::function<void()> on_read;
};

// Everything that a fetch told. Hooks run on the loop; the rest is read after await_end().
class Recorder final : public FetchSink {
 public:
  void on_informational(http::ResponseHead&& head) override;
  void on_head(http::ResponseHead&& head) override;
  void on_body(std::string_view bytes) override;
  void on_end(FetchEnd&& end) override;

  // Blocks; fails the test and throws when the fetch does not end.
  const FetchEnd& await_end();
  // Blocks until `condition`, looked at after each call, holds.
  void await(const std::function<bool()>& condition);

  std::vector<int> informational;
  std::optional<http::ResponseHead> head;
  std::string body;
  std::size_t body_bytes = 0;
  bool keep_body = true;
  std::unique_ptr<Fetch> fetch;
  std::function<void()> informational_hook;
  std::function<void()> head_hook;
  std::function<void(std::string_view)> body_hook;
  std::function<void()> end_hook;

 private:
  void told();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<FetchEnd> end_;
  std::uint64_t calls_ = 0;
};

class Client {
 public:
  explicit Client(conf::Upstream config);
  // Another loop of the same process.
  explicit Client(std::shared_ptr<UpstreamPool> pool);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Runs on the loop and waits for it.
  void on_loop(const std::function<void()>& action);
  void start(Recorder& recorder, FetchRequest request);
  // Starts, waits for the end and lets go.
  const FetchEnd& fetch(Recorder& recorder, FetchRequest request);
  WireFetcher& fetcher() { return *fetcher_; }
  std::uint64_t wakeups();  // of the fetcher so far
  EventLoop& loop() { return loop_; }
  UpstreamPool& pool() { return *pool_; }
  std::shared_ptr<UpstreamPool> shared_pool() { return pool_; }

 private:
  EventLoop loop_;
  std::shared_ptr<UpstreamPool> pool_;
  std::unique_ptr<WireFetcher> fetcher_;
  std::thread thread_;
};

conf::Upstream upstream_of(std::vector<conf::UpstreamUrl> urls);
FetchRequest get(std::string target = "/");
FetchRequest request_of(std::string method, std::string target = "/");
// Asks for an upgrade.
FetchRequest websocket();
FetchRequest post(RequestBody& body, std::optional<std::uint64_t> length);

}  // namespace weir::upstream::test

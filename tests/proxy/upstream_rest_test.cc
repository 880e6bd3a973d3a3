// Connections after answers without a body, on a clock by hand: an app may send a body all the
// same, a moment later, so they rest before they serve again.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/net/event_loop.h"
#include "proxy/upstream/curl_global.h"
#include "proxy/upstream/wire_fetcher.h"
#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

constexpr std::string_view kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

// Stands still until the test moves it, or moves by itself whenever it is read.
class HandClock final : public Clock {
 public:
  std::int64_t now_us() const override { return now_us_ += tick_us_; }
  std::int64_t wall_ms() const override { return now_us_ / 1000; }
  SinceBoot since_boot() const override { return {{}, now_us_ / 1000}; }
  void advance(std::int64_t ms) { now_us_ += ms * 1000; }
  void tick(std::int64_t ms) { tick_us_ = ms * 1000; }

 private:
  mutable std::int64_t now_us_ = 1'700'000'000'000'000;
  std::int64_t tick_us_ = 0;
};

class Rest : public testing::Test {
 protected:
  void open(App::Play play) {
    init_curl();
    app_.emplace(std::move(play));
    conf::Upstream config = upstream_of({app_->url()});
    // No test here is about time-outs, whatever its clock does.
    config.connect_timeout_ms = config.first_byte_timeout_ms = 86'400'000;
    pool_ = std::make_shared<UpstreamPool>(config);
    fetcher_ = std::make_unique<WireFetcher>(loop_, pool_, pool_->connections());
  }
  ~Rest() override { fetcher_.reset(); }

  void turn_until(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      loop_.turn();
      std::this_thread::yield();
    }
  }
  // Time goes by on the loop's clock alone.
  std::string answer(FetchRequest request) {
    Recorder recorder;
    bool ended = false;
    recorder.end_hook = [&] { ended = true; };
    recorder.fetch = fetcher_->start(std::move(request), recorder);
    turn_until([&] { return ended; });
    EXPECT_EQ(recorder.await_end().result, FetchResult::Complete) << recorder.await_end().message;
    recorder.fetch.reset();
    return recorder.body;
  }

  HandClock clock_;
  EventLoop loop_{clock_};
  std::optional<App> app_;
  std::shared_ptr<UpstreamPool> pool_;
  std::unique_ptr<WireFetcher> fetcher_;
};

TEST_F(Rest, ServesAgainWhenItIsOver) {
  // Shows the time of 5 ms, for every kind of answer without a body, and that a request within it
  // gets another connection.
  const std::pair<const char*, std::string> cases[] = {
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"},
      {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"GET", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"},
      {"GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"},
      {"GET", std::string(kNoContent)}};
  for (const auto& [method, bytes] : cases) {
    SCOPED_TRACE(bytes);
    open(App::repeat(bytes));
    answer(request_of(method));
    EXPECT_EQ(app_->connections(), 1);
    clock_.advance(4);
    answer(request_of(method));
    EXPECT_EQ(app_->connections(), 2);
    for (int i = 0; i < 20; ++i) {
      clock_.advance(5);
      answer(request_of(method));
    }
    EXPECT_EQ(app_->connections(), 2);
    fetcher_.reset();
  }
}

TEST_F(Rest, IsLongerWhereConnectingTakesLonger) {
  // Shows that an app far away gets at least twice the time that it took to connect.
  open(App::repeat(std::string(kNoContent)));
  clock_.tick(40);
  answer(get());
  clock_.tick(0);
  clock_.advance(79);
  answer(get());
  EXPECT_EQ(app_->connections(), 2);
}

TEST_F(Rest, IsNoneAfterABody) {
  // Shows that answers with a body leave a connection that serves at once.
  open(App::repeat(ok("x")));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(answer(get()), "x");
  EXPECT_EQ(app_->connections(), 1);
}

TEST_F(Rest, EndsWithWhateverTheAppSays) {
  // Shows that a body which comes within the rest reaches nobody, also when no poll has told of it
  // before time was over: a request waits for one.
  std::promise<void> answered;
  std::promise<void> poisoned;
  open([&](AppConnection& connection) {
    while (!connection.read_head().empty()) {
      connection.send(connection.number() == 0 ? std::string(kNoContent) : ok("good"));
      if (connection.number() > 0) continue;
      answered.get_future().wait();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL");
      poisoned.set_value();
    }
  });
  answer(get());
  answered.set_value();
  poisoned.get_future().wait();
  clock_.advance(1'000);
  EXPECT_EQ(answer(get()), "good");
  EXPECT_EQ(app_->connections(), 2);
}

TEST_F(Rest, IsMeasuredUpToTheLastPoll) {
  // Shows that a request that came before the rest was over gets another connection, though it is
  // over by the time that the request is sent: nobody has looked since.
  open(App::repeat(std::string(kNoContent)));
  answer(get());
  Recorder recorder;
  bool ended = false;
  recorder.end_hook = [&] { ended = true; };
  recorder.fetch = fetcher_->start(get(), recorder);
  clock_.advance(100);
  turn_until([&] { return ended; });
  recorder.fetch.reset();
  EXPECT_EQ(app_->connections(), 2);
}

}  // namespace
}  // namespace weir::upstream::test

// Names of addresses, and a resolver that does not answer.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <condition_variable>
#include <cstring>
#include <mutex>

#include "tests/proxy/upstream_client.h"

namespace {

constexpr const char* kSlowName = "slow.weir.test";

// Where look-ups of kSlowName wait; bounded, so that a failing test ends.
struct Resolver {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int inside = 0;

  void look_up() {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(20), [this] { return open; });
    --inside;
    changed.notify_all();
  }
  void await_inside(int count) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(20), [&] { return inside == count; });
    EXPECT_EQ(inside, count);
  }
  void let_go() {
    {
      const std::lock_guard lock(mutex);
      open = true;
      changed.notify_all();
    }
    await_inside(0);
  }
};

Resolver resolver;

}  // namespace

// In the place of the C library's, for this program and the libraries that it loads.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node != nullptr && std::strcmp(node, kSlowName) == 0) {
    resolver.look_up();
    return EAI_AGAIN;
  }
  return real(node, service, hints, found);
}

namespace weir::upstream::test {
namespace {

TEST(Names, AResolverThatDoesNotAnswerHoldsUpNobody) {
  // Shows that neither a time-out nor a client that leaves waits for the look-up, which cannot be
  // stopped: the loop goes on at once.
  conf::UpstreamUrl url;
  url.host = kSlowName;
  url.port = 1;
  url.text = "http://slow.weir.test:1";
  conf::Upstream config = upstream_of({url});
  config.connect_timeout_ms = 20;
  Client client(config);
  Recorder timed_out;
  EXPECT_EQ(client.fetch(timed_out, get()).result, FetchResult::Timeout);
  Recorder dropped;
  client.start(dropped, get());
  resolver.await_inside(2);
  client.on_loop([&] { dropped.fetch.reset(); });
  {
    const std::lock_guard lock(resolver.mutex);
    EXPECT_EQ(resolver.inside, 2) << "both were given up while their look-ups were under way";
  }
  resolver.let_go();
}

}  // namespace
}  // namespace weir::upstream::test

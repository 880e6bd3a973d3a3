// Names of addresses, and a resolver that does not answer.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace {

constexpr const char* kSlowName = "slow.weir.test";
constexpr const char* kManyName = "many.weir.test";

// What kManyName stands for, in this order. Set while nobody looks it up.
std::vector<std::string> many_addresses;

// Where look-ups of kSlowName wait; bounded, so that a failing test ends.
struct Resolver {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  bool good = false;  // what it says in the end
  int inside = 0;
  int asked = 0;

  bool look_up() {
    std::unique_lock lock(mutex);
    ++inside;
    ++asked;
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(20), [this] { return open; });
    --inside;
    changed.notify_all();
    return good;
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
  void reset(bool good_now) {
    const std::lock_guard lock(mutex);
    open = false;
    good = good_now;
    asked = 0;
  }
  int times_asked() {
    const std::lock_guard lock(mutex);
    return asked;
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
    if (!resolver.look_up()) return EAI_AGAIN;
    return real("127.0.0.1", service, hints, found);
  }
  if (node != nullptr && std::strcmp(node, kManyName) == 0) {
    for (const std::string& address : many_addresses) {
      if (const int failed = real(address.c_str(), service, hints, found)) return failed;
      while (*found != nullptr) found = &(*found)->ai_next;
    }
    return 0;
  }
  return real(node, service, hints, found);
}

namespace weir::upstream::test {
namespace {

using testing::HasSubstr;

conf::UpstreamUrl named(const char* name, std::uint16_t port) {
  conf::UpstreamUrl url;
  url.host = name;
  url.port = port;
  url.text = std::string("http://") + name;
  return url;
}

conf::UpstreamUrl slowly_named(std::uint16_t port) {
  return named(kSlowName, port);
}

TEST(Names, AResolverThatDoesNotAnswerHoldsUpNobody) {
  // Shows that neither a time-out nor a client that leaves waits for the look-up, which cannot be
  // stopped: the loop goes on at once. Nor do their look-ups pile up.
  resolver.reset(false);
  conf::Upstream config = upstream_of({slowly_named(1)});
  config.connect_timeout_ms = 20;
  Client client(config);
  // For longer than libcurl itself is given.
  for (int i = 0; i < 20; ++i) {
    Recorder timed_out;
    EXPECT_EQ(client.fetch(timed_out, get()).result, FetchResult::Timeout);
    Recorder dropped;
    client.start(dropped, get());
    client.on_loop([&] { dropped.fetch.reset(); });
  }
  resolver.await_inside(1);
  EXPECT_EQ(resolver.times_asked(), 1) << "was still under way when all of them were given up";
  resolver.let_go();
}

TEST(Names, OneLookUpServesAllWhoWait) {
  // Shows it for one that goes well and one that does not, and also when its asker has gone.
  for (const bool good : {true, false}) {
    for (const bool asker_leaves : {false, true}) {
      resolver.reset(good);
      App app(App::repeat(ok("hello")));
      Client client(upstream_of({slowly_named(app.port())}));
      Recorder asker;
      client.start(asker, get());
      resolver.await_inside(1);
      Recorder waits[3];
      Recorder leaves;
      for (Recorder& recorder : waits) client.start(recorder, get());
      client.start(leaves, get());
      client.on_loop([&] {
        leaves.fetch.reset();
        if (asker_leaves) asker.fetch.reset();
      });
      // Several turns, so that all of them stand at the gate.
      for (int turn = 0; turn < 5; ++turn) client.on_loop([] {});
      resolver.let_go();
      for (Recorder& recorder : waits) {
        const FetchEnd& end = recorder.await_end();
        EXPECT_EQ(end.result, good ? FetchResult::Complete : FetchResult::Refused) << end.message;
        EXPECT_THAT(end.message, HasSubstr(good ? "" : "Could not resolve host: slow.weir.test"));
      }
      if (!asker_leaves) asker.await_end();
      EXPECT_EQ(resolver.times_asked(), 1);
      EXPECT_EQ(app.connections(), !good ? 0 : asker_leaves ? 3 : 4);
    }
  }
}

TEST(Names, EachPortIsLookedUpByItself) {
  // Shows that two addresses of one name do not wait for each other, and ask once each.
  resolver.reset(true);
  App first(App::repeat(ok("hello")));
  App second(App::repeat(ok("hello")));
  Client client(upstream_of({slowly_named(first.port()), slowly_named(second.port())}));
  Recorder recorders[8];
  for (Recorder& recorder : recorders) client.start(recorder, get());
  resolver.await_inside(2);
  for (int turn = 0; turn < 5; ++turn) client.on_loop([] {});
  resolver.let_go();
  for (Recorder& recorder : recorders) {
    const FetchEnd& end = recorder.await_end();
    EXPECT_EQ(end.result, FetchResult::Complete) << end.message;
  }
  EXPECT_EQ(resolver.times_asked(), 2);
}

TEST(Names, AllAddressesOfANameAreTried) {
  // Shows that a living address is found behind any number of refusing ones, for each kind of
  // request, and that only refusals are told at once, not after the time to connect.
  const std::pair<std::vector<std::string>, bool> cases[] = {
      {{"127.0.0.2", "127.0.0.1"}, true},
      {{"127.0.0.2", "127.0.0.3", "127.0.0.1"}, true},
      {{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"}, true},
      {{"127.0.0.2", "127.0.0.3", "127.0.0.4"}, false}};
  for (const auto& [addresses, good] : cases) {
    many_addresses = addresses;
    App app(App::once(ok("hello")));
    conf::Upstream config = upstream_of({named(kManyName, app.port())});
    config.connect_timeout_ms = 15'000;
    config.first_byte_timeout_ms = 15'000;
    Client client(config);
    std::array requests{get(), request_of("POST"), websocket()};
    for (FetchRequest& request : requests) {
      Recorder recorder;
      const FetchEnd& end = client.fetch(recorder, std::move(request));
      EXPECT_EQ(end.result, good ? FetchResult::Complete : FetchResult::Refused) << end.message;
    }
  }
}

TEST(Names, ASilentAddressDoesNotTakeAllTheTime) {
  // Shows that connect_timeout is shared by the addresses of a name.
  App app(App::once(ok("hello")));
  const FullListener silent("127.0.0.2", app.port());
  many_addresses = {"127.0.0.2", "127.0.0.3", "127.0.0.1"};
  conf::Upstream config = upstream_of({named(kManyName, app.port())});
  config.connect_timeout_ms = 1000;
  Client client(config);
  Recorder recorder;
  const FetchEnd& end = client.fetch(recorder, get());
  EXPECT_EQ(end.result, FetchResult::Complete) << end.message;
}

TEST(Names, ALookUpUnderWayOutlivesItsLoop) {
  // Shows that neither the asker's nor an abandoned look-up is waited for at the end.
  resolver.reset(true);
  for (const bool asker_leaves : {false, true}) {
    Recorder asker;
    Client client(upstream_of({slowly_named(1)}));
    client.start(asker, get());
    resolver.await_inside(asker_leaves ? 2 : 1);
    if (asker_leaves) client.on_loop([&] { asker.fetch.reset(); });
  }
  resolver.let_go();
}

}  // namespace
}  // namespace weir::upstream::test

// One fetch for many clients: who waits, who shares, and what never is shared.
#include <set>

#include "tests/e2e/crowd_fixture.h"

namespace weir::test {
namespace {

class Flight : public Crowd {
 protected:
  // Answers 1, 2, 3, …, the first behind `first`, all others behind `others`.
  void number_answers(const std::string& path, const Gate& first, const Gate& others,
                      const std::string& control, int status = 200) {
    auto calls = std::make_shared<std::atomic<int>>(0);
    origin_.on(path, [=](const Request&) {
      const int number = ++*calls;
      return Reply(status)
          .header("Cache-Control", control)
          .gate_head(number == 1 ? first : others)
          .body(std::to_string(number));
    });
  }
};

TEST_F(Flight, AHundredMissesReachTheAppOnce) {
  // All of them parked on one fetch, all answered by it.
  const Gate gate;
  origin_.on("/a", cacheable("one for all").gate_head(gate));
  start(kCacheAll);
  std::vector<Client> all = crowd(100);
  all_ask(all, "/a");
  gate.await_arrivals(1);
  gate.open();
  int collapsed = 0;
  for (Client& one : all) {
    const Response response = one.read();
    EXPECT_EQ(response.body, "one for all");
    EXPECT_TRUE(response.complete);
    collapsed += cache_status(response).collapsed ? 1 : 0;
  }
  EXPECT_GT(collapsed, 50);
  EXPECT_LT(collapsed, 100) << "somebody led";
  EXPECT_EQ(origin_.hits("/a"), 1);
  EXPECT_TRUE(status_of("/a").hit);
}

TEST_F(Flight, AHundredPrivateOnesReachItAHundredTimesAtOnce) {
  // The first answer says private: the other 99 go to the app together, not one after another.
  const Gate first;
  const Gate others;
  number_answers("/a", first, others, "private");
  start(kCacheAll);
  std::vector<Client> all = crowd(100);
  all_ask(all, "/a");
  first.await_arrivals(1);
  EXPECT_EQ(origin_.hits("/a"), 1);
  first.open();
  others.await_arrivals(99);
  others.open();
  std::set<std::string> bodies;
  for (Client& one : all) bodies.insert(one.read().body);
  EXPECT_EQ(bodies.size(), 100U) << "everybody has an answer of their own";
  EXPECT_EQ(origin_.hits("/a"), 100);
}

TEST_F(Flight, ARefusalIsRemembered) {
  // Nobody waits again for what is known not to be shared; the reason stays the same.
  const Gate first;
  const Gate others;
  number_answers("/a", first, others, "no-store");
  start(kCacheAll);
  first.open();
  EXPECT_EQ(status_of("/a").detail, "no-store");
  std::vector<Client> all = crowd(20);
  all_ask(all, "/a");
  others.await_arrivals(20);
  others.open();
  for (Client& one : all) EXPECT_EQ(cache_status(one.read()).detail, "no-store");
}

TEST_F(Flight, FollowersGetBytesBeforeTheEnd) {
  // A shared answer is streamed to every reader as it comes, also to one who comes in the middle.
  const Gate middle;
  origin_.on("/a", Reply(200)
                       .header("Cache-Control", "max-age=60")
                       .length(10)
                       .part("first")
                       .gate(middle)
                       .part("after"));
  start(kCacheAll);
  std::vector<Client> all = crowd(10);
  all_ask(all, "/a");
  for (Client& one : all) {
    EXPECT_EQ(one.read_head().status, 200);
    EXPECT_EQ(one.read_some(5), "first");
  }
  Client late = client();
  late.send(Client::message("GET", "/a"));
  EXPECT_EQ(late.read_head().status, 200);
  EXPECT_EQ(late.read_some(5), "first");
  middle.open();
  for (Client& one : all) EXPECT_EQ(one.read_some(5), "after");
  EXPECT_EQ(late.read_some(5), "after");
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(Flight, TheFetchOutlivesItsFirstClient) {
  // The leader hangs up; its followers are served to the end and the answer is stored.
  const Gate head;
  const Gate middle;
  origin_.on("/a", Reply(200)
                       .header("Cache-Control", "max-age=60")
                       .gate_head(head)
                       .length(10)
                       .part("first")
                       .gate(middle)
                       .part("after"));
  start(kCacheAll);
  Client leader = client();
  leader.send(Client::message("GET", "/a"));
  head.await_arrivals(1);
  std::vector<Client> followers = crowd(5);
  all_ask(followers, "/a");
  leader.reset();
  head.open();
  middle.open();
  for (Client& one : followers) EXPECT_EQ(one.read().body, "firstafter");
  EXPECT_TRUE(status_of("/a").hit);
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(Flight, WithoutReadersAKnownLengthIsStillStored) {
  // Everybody hangs up mid-body: a storable answer of known length is finished for the next client.
  const Gate middle;
  origin_.on("/a", Reply(200)
                       .header("Cache-Control", "max-age=60")
                       .length(10)
                       .part("first")
                       .gate(middle)
                       .part("after"));
  start(kCacheAll);
  const int fds = weir().figures().open_fds;
  Client only = client();
  only.send(Client::message("GET", "/a"));
  only.read_head();
  EXPECT_EQ(only.read_some(5), "first");
  only.reset();
  EXPECT_TRUE(eventually([&] { return weir().figures().open_fds <= fds + 1; }))
      << "only the app's connection is left";
  middle.open();
  EXPECT_TRUE(eventually([&] { return get("/a").body == "firstafter"; }));
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(Flight, WithoutReadersADrippingAppIsGivenUp) {
  // Each byte is in time for idle_timeout, but nobody waits for the whole.
  origin_.on("/a", Reply(200).header("Cache-Control", "max-age=60").length(1'000'000).drip());
  start(std::string(kCacheAll) + "upstream: { url: \"" + origin_.url() +
        "\", idle_timeout: 300ms }\n");
  {
    Client only = client();
    only.send(Client::message("GET", "/a"));
    only.read_head();
  }
  EXPECT_TRUE(eventually([&] { return origin_.open_connections() == 0; }));
}

TEST_F(Flight, WhoLeavesWhileWaitingForAConnectionLeavesNothingBehind) {
  // The one connection to the app is busy; misses whose clients have gone are not fetched for
  // nobody when it is free.
  const Gate gate;
  origin_.on("/busy", Reply(200).gate_head(gate).header("Cache-Control", "no-store").body("x"));
  origin_.otherwise([](const Request&) { return cacheable("y"); });
  start(std::string(kCacheAll) + "workers: 1\nupstream: { url: \"" + origin_.url() +
        "\", max_connections: 1 }\n");
  Client busy = client();
  busy.send(Client::message("GET", "/busy"));
  gate.await_arrivals(1);
  for (int i = 0; i < 10; ++i) {
    Client one = client();
    one.send(Client::message("GET", "/gone" + std::to_string(i)));
    await_all_taken();
    one.reset();
  }
  Client stays = client();
  stays.send(Client::message("GET", "/stays"));
  await_all_taken();
  gate.open();
  EXPECT_EQ(busy.read().body, "x");
  EXPECT_EQ(stays.read().body, "y");
  EXPECT_EQ(origin_.hits(), 2);
}

TEST_F(Flight, WithoutReadersAnUnknownLengthIsDropped) {
  // Nobody knows when a chunked answer would end: without readers its fetch is given up.
  const Gate middle;
  origin_.on("/a", Reply(200)
                       .header("Cache-Control", "max-age=60")
                       .chunked()
                       .part("first")
                       .gate(middle)
                       .part("after")
                       .hang());
  start(kCacheAll);
  Client only = client();
  only.send(Client::message("GET", "/a"));
  only.read_head();
  EXPECT_EQ(only.read_chunked(5), "first");
  only.reset();
  middle.open();
  EXPECT_TRUE(eventually([&] { return origin_.open_connections() == 0; })) << "weir let go";
  origin_.on("/a", cacheable("new"));
  EXPECT_EQ(get("/a").body, "new");
}

TEST_F(Flight, AfterAnAppsErrorOneAsksAgainForAll) {
  // It may have been the first one's alone; a second one is everybody's, or each would wait in
  // turn.
  const Gate first;
  const Gate others;
  number_answers("/a", first, others, "no-cache", 500);
  others.open();
  start(kCacheAll);
  std::vector<Client> all = crowd(20);
  all_ask(all, "/a");
  first.await_arrivals(1);
  first.open();
  int firsts = 0;
  for (Client& one : all) {
    const Response response = one.read();
    EXPECT_EQ(response.status, 500);
    EXPECT_FALSE(cache_status(response).stored);
    if (response.body == "1") ++firsts;
  }
  EXPECT_EQ(firsts, 1);
  EXPECT_EQ(origin_.hits("/a"), 2);
}

TEST_F(Flight, WeirsOwn502AnswersEveryWaiter) {
  // The app dies without a word: all waiters learn it at once from one attempt.
  const Gate gate;
  origin_.on("/a", Reply::raw("").gate_head(gate).close());
  start(std::string(kCacheAll) + "upstream: { url: \"" + origin_.url() + "\", retries: 0 }\n");
  std::vector<Client> all = crowd(20);
  all_ask(all, "/a");
  gate.await_arrivals(1);
  gate.open();
  for (Client& one : all) {
    const Response response = one.read();
    EXPECT_EQ(response.status, 502);
    EXPECT_EQ(cache_status(response).detail, "upstream-error");
  }
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(Flight, WeirsOwn504AnswersEveryWaiter) {
  // The app hangs: one timeout for all, not one after another.
  origin_.on("/a", Reply::raw("").hang());
  start(std::string(kCacheAll) + "upstream: { url: \"" + origin_.url() +
        "\", first_byte_timeout: 500ms, retries: 0 }\n");
  std::vector<Client> all = crowd(20);
  all_ask(all, "/a");
  for (Client& one : all) {
    const Response response = one.read();
    EXPECT_EQ(response.status, 504);
    EXPECT_EQ(cache_status(response).detail, "upstream-timeout");
  }
  EXPECT_LT(origin_.hits("/a"), 20) << "shared";
}

TEST_F(Flight, WaitersLoseTheirPatience) {
  // coalesce_wait: they have a second fetch begun, and whichever answers first is for all, the one
  // who led the first included.
  for (const bool second_is_faster : {true, false}) {
    const std::string path = second_is_faster ? "/a" : "/b";
    const Gate first;
    const Gate second;
    number_answers(path, first, second, "max-age=60");
    start(std::string(kCacheAll) + "limits: { coalesce_wait: 300ms }\n");
    std::vector<Client> all = crowd(30);
    all_ask(all, path);
    first.await_arrivals(1);
    second.await_arrivals(1);
    (second_is_faster ? second : first).open();
    for (Client& one : all) EXPECT_EQ(one.read().body, second_is_faster ? "2" : "1");
    EXPECT_EQ(origin_.hits(path), 2);
    first.open();
    second.open();
  }
}

TEST_F(Flight, PersonalRequestsJoinNoFlight) {
  // A request with credentials or a session goes to the app itself while another one is under way.
  const Gate first;
  const Gate others;
  number_answers("/a", first, others, "max-age=60");
  others.open();
  start(kCacheAll);
  Client leader = client();
  leader.send(Client::message("GET", "/a"));
  first.await_arrivals(1);
  EXPECT_EQ(get("/a", {{"Authorization", "Bearer x"}}).body, "2");
  EXPECT_EQ(get("/a", {{"Cookie", "sid=1"}}).body, "3");
  first.open();
  EXPECT_EQ(leader.read().body, "1");
}

TEST_F(Flight, CoalesceOff) {
  // Where the route says so, every miss goes to the app by itself.
  const Gate gate;
  origin_.on("/a", cacheable("x").gate_head(gate));
  start("routes: [ { match: /**, cache: { duration: 60, coalesce: off } } ]\n");
  std::vector<Client> all = crowd(5);
  for (Client& one : all) one.send(Client::message("GET", "/a"));
  gate.await_arrivals(5);
  gate.open();
  for (Client& one : all) EXPECT_EQ(one.read().body, "x");
  EXPECT_TRUE(status_of("/a").hit);
}

TEST_F(Flight, VariantsRegroupAtTheHead) {
  // Followers whose values differ from the leader's are not given its variant.
  const Gate gate;
  origin_.on("/a", [gate](const Request& request) {
    return cacheable(request.fields.joined("X-Flavor")).header("Vary", "X-Flavor").gate_head(gate);
  });
  start(kCacheAll);
  std::vector<Client> all = crowd(12);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].send(Client::message("GET", "/a", {{"X-Flavor", std::to_string(i % 3)}}));
  await_all_taken();
  gate.await_arrivals(1);
  gate.open();
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].read().body, std::to_string(i % 3));
  EXPECT_LE(origin_.hits("/a"), 12);
}

TEST_F(Flight, WhenFillMemoryIsUsedUpMissesStillPass) {
  // New misses pass unshared and unstored rather than fail.
  const std::string big = patterned(3 * 1024 * 1024);
  const Gate middle;
  for (const char* path : {"/1", "/2", "/3"})
    origin_.on(path, Reply(200)
                         .header("Cache-Control", "max-age=60")
                         .length(big.size())
                         .part(big.substr(0, 2'500'000))
                         .gate(middle)
                         .part(big.substr(2'500'000)));
  origin_.on("/4", cacheable(big));
  start(std::string(kCacheAll) + "limits: { fill_memory: 4MiB }\n");
  std::vector<Client> all = crowd(3);
  for (std::size_t i = 0; i < 3; ++i)
    all[i].send(Client::message("GET", "/" + std::to_string(i + 1)));
  middle.await_arrivals(3);
  EXPECT_EQ(get("/4").body, big);
  middle.open();
  for (Client& one : all) EXPECT_EQ(one.read().body, big);
}

TEST_F(Flight, ACutAnswerIsCutForEverybodyAndStoredForNobody) {
  // The app dies mid-body: every reader sees a short message, and the next request asks again.
  const Gate middle;
  origin_.script("/a", {Reply(200)
                            .header("Cache-Control", "max-age=60")
                            .length(10)
                            .part("first")
                            .gate(middle)
                            .close(),
                        cacheable("good")});
  start(kCacheAll);
  std::vector<Client> all = crowd(5);
  all_ask(all, "/a");
  for (Client& one : all) one.read_head();
  middle.open();
  for (Client& one : all) EXPECT_EQ(one.read_until_close(), "first");
  EXPECT_EQ(get("/a").body, "good");
}

}  // namespace
}  // namespace weir::test

// SIGHUP: what another configuration changes, what it leaves, and what it is refused for.
#include <filesystem>
#include <fstream>

#include "tests/e2e/reload_fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

class ReloadTest : public Reload {
 protected:
  void SetUp() override {
    origin_.otherwise([](const Request&) { return Reply(200).body("a page"); });
  }
  static std::string cached_for(std::string_view duration) {
    return "routes: [{ match: /**, cache: { duration: " + std::string(duration) + " } }]\n";
  }
  static std::string ram_of(std::string_view sizes) {
    return "backends: { ram: { type: ram, " + std::string(sizes) + " } }\n" +
           std::string(kCacheAll);
  }
  bool is_hit(const std::string& target) const { return status_of(target).hit; }
  // Whether it is in a store; asks nobody else.
  bool is_stored(const std::string& target) const {
    return get(target, {{"Cache-Control", "only-if-cached"}}).status == 200;
  }
  int stored_of(int pages) const {
    int count = 0;
    for (int i = 0; i < pages; ++i) count += is_stored("/" + std::to_string(i));
    return count;
  }
  std::uint64_t bytes_in_folder() const {
    std::uint64_t sum = 0;
    std::error_code gone;  // one may leave between the listing and the look
    for (const std::string& path : segments_in(dir())) {
      const std::uintmax_t bytes = std::filesystem::file_size(path, gone);
      if (!gone) sum += bytes;
    }
    return sum;
  }
};

// ---- routes and what is stored ----

TEST_F(ReloadTest, ARoutesDurationIsTheNewOneForWhatIsStoredToo) {
  start(cached_for("60"));
  get("/page");
  ASSERT_TRUE(is_hit("/page"));
  reload(cached_for("0"));
  EXPECT_EQ(status_of("/page").fwd, "stale");
}

TEST_F(ReloadTest, RoutesComeAndGo) {
  start("routes: [{ match: /a, cache: { duration: 60 } }]\n");
  get("/a");
  get("/b");
  ASSERT_TRUE(is_hit("/a"));
  EXPECT_FALSE(is_hit("/b"));
  reload("routes: [{ match: /b, cache: { duration: 60 } }]\n");
  EXPECT_FALSE(is_hit("/a"));
  get("/b");
  EXPECT_TRUE(is_hit("/b"));
}

TEST_F(ReloadTest, WhatIsInMemoryStaysAHit) {
  start(kCacheAll);
  get("/page");
  Client connected = client();
  ASSERT_TRUE(cache_status(connected.get("/page")).hit);
  for (int i = 0; i < 5; ++i) {
    reload(cached_for(std::to_string(60 + i)) + "upstream: " + origin_.url() + "/\n");
    EXPECT_TRUE(cache_status(connected.get("/page")).hit) << "on the connection that was there";
    EXPECT_TRUE(is_hit("/page"));
  }
  EXPECT_EQ(origin_.hits("/page"), 1);
}

TEST_F(ReloadTest, MemoryShrinksAndGrowsWithWhatItHolds) {
  origin_.otherwise([](const Request&) { return Reply(200).body(std::string(200'000, 'x')); });
  start(ram_of("max_size: 64MiB"));
  for (int i = 0; i < 40; ++i) get("/" + std::to_string(i));
  ASSERT_EQ(stored_of(40), 40);
  reload(ram_of("max_size: 2MiB"));
  const int left = stored_of(40);
  EXPECT_GE(left, 5);
  EXPECT_LE(left, 10);
  reload(ram_of("max_size: 64MiB"));
  EXPECT_EQ(stored_of(40), left);
  for (int i = 0; i < 40; ++i) get("/" + std::to_string(i));
  EXPECT_EQ(stored_of(40), 40);
  reload(ram_of("max_size: 64MiB, threshold: 8"));
  EXPECT_EQ(stored_of(40), 8);
}

TEST_F(ReloadTest, ABackendOfAnotherKindBeginsEmpty) {
  start("backends: { store: { type: ram } }\n" + std::string(kCacheAll));
  get("/page");
  reload("backends: { store: { type: disk, min_free: 0, cache_dir: " + dir() + " } }\n" +
         std::string(kCacheAll));
  EXPECT_FALSE(is_hit("/page"));
  EXPECT_TRUE(is_hit("/page"));
  await_line("backend store: closed");
  await_written({"a page"});
}

// ---- the disk ----

TEST_F(ReloadTest, WhatIsOnDiskStaysAHit) {
  begin(on_disk());
  get("/page");
  await_written({"a page"});
  reload(on_disk("max_size: 64MiB, default_expire: 60"));
  EXPECT_TRUE(is_hit("/page"));
  restart(End::InOrder);
  EXPECT_TRUE(is_hit("/page"));
  EXPECT_EQ(origin_.hits("/page"), 1);
}

TEST_F(ReloadTest, ADiskShrinksBySegments) {
  origin_.otherwise([](const Request&) { return Reply(200).body(patterned(100'000)); });
  begin(on_disk("max_size: 64MiB"));
  for (int i = 0; i < 120; ++i) get("/" + std::to_string(i));
  ASSERT_TRUE(eventually([&] { return bytes_in_folder() > 11'000'000; }));
  reload(on_disk("max_size: 4MiB"));
  EXPECT_TRUE(eventually([&] { return bytes_in_folder() <= 4 * 1024 * 1024; }));
  for (int i = 0; i < 120; ++i) {
    get("/again/" + std::to_string(i));
    ASSERT_LE(bytes_in_folder(), 4U * 1024 * 1024);
  }
  EXPECT_TRUE(is_stored("/again/119"));
}

TEST_F(ReloadTest, ADiskThatGoesIsClosedAndMayComeBack) {
  begin(on_disk());
  get("/page");
  await_written({"a page"});
  reload(kCacheAll);
  EXPECT_FALSE(is_hit("/page"));
  await_line("backend disk: closed");
  // Another process may have it now.
  {
    WeirProcess other({.yaml = config(on_disk())});
    EXPECT_EQ(other.stop(), 0);
  }
  reload(on_disk());
  get("/page");
  EXPECT_TRUE(is_hit("/page"));
}

TEST_F(ReloadTest, WhatWasPurgedWhileADiskWasAwayDoesNotComeBack) {
  // Neither in this process nor in the next.
  const std::string admin(kAdmin);
  begin(admin + on_disk());
  get("/page");
  await_written({"a page"});
  reload(admin + std::string(kCacheAll));
  await_line("backend disk: closed");
  EXPECT_EQ(ask_admin(weir().admin_port(), "POST", "/v1/purge", R"({"prefix": "/page"})").status,
            200);
  reload(admin + on_disk());
  EXPECT_FALSE(is_hit("/page"));
  await_written({"a page"});
  reload(admin + std::string(kCacheAll));
  ask_admin(weir().admin_port(), "POST", "/v1/purge", R"({"prefix": "/page"})");
  end(End::Killed);
  begin(admin + on_disk());
  EXPECT_FALSE(is_hit("/page"));
}

TEST_F(ReloadTest, ASecondDiskJoinsAndLeaves) {
  const auto disks = [&](bool both) {
    std::string yaml = "backends:\n  one: { type: disk, min_free: 0, cache_dir: " + dir() + " }\n";
    if (both) yaml += "  two: { type: disk, min_free: 0, cache_dir: " + other_dir() + " }\n";
    return yaml +
           "default: one\nroutes:\n  - { match: /one, cache: { duration: 60, backend: one } }\n" +
           "  - { match: /two, cache: { duration: 60, backend: " + (both ? "two" : "one") +
           " } }\n";
  };
  begin(disks(false));
  get("/one");
  reload(disks(true));
  get("/two");
  EXPECT_TRUE(is_hit("/one"));
  EXPECT_TRUE(is_hit("/two"));
  await_written({"/two"});
  reload(disks(false));
  EXPECT_TRUE(is_hit("/one"));
  EXPECT_FALSE(is_hit("/two"));
  await_line("backend two: closed");
}

TEST_F(ReloadTest, WhichDiskIsFirstCannotChange) {
  const auto disks = [&](std::string_view first, std::string_view second) {
    std::string yaml = "backends:\n";
    for (const std::string_view name : {first, second}) {
      yaml += "  " + std::string(name) +
              ": { type: disk, min_free: 0, cache_dir: " + folder_.file(name) + " }\n";
    }
    return yaml + "default: one\n" + std::string(kCacheAll);
  };
  begin(disks("one", "two"));
  get("/page");
  reload_in_vain(disks("two", "one"), "what was purged is written down with the first disk");
  EXPECT_TRUE(is_hit("/page"));
}

// ---- addresses ----

TEST_F(ReloadTest, AnAddressIsAddedAndRemoved) {
  start(kCacheAll);
  get("/page");
  const std::string two = "listen: [127.0.0.1:0, 127.0.0.1:0]\n" + std::string(kCacheAll);
  reload(two);
  const std::uint16_t added = newest_port();
  ASSERT_NE(added, weir().port());
  Client connected(added);
  EXPECT_TRUE(cache_status(connected.get("/page")).hit);
  EXPECT_TRUE(is_hit("/page"));
  reload(kCacheAll);
  EXPECT_TRUE(refuses(added));
  EXPECT_TRUE(cache_status(connected.get("/page")).hit) << "its clients stay";
  EXPECT_TRUE(is_hit("/page"));
}

TEST_F(ReloadTest, ASocketFileComesAndGoes) {
  const std::string path = folder_.file("weir.sock");
  start(kCacheAll);
  get("/page");
  reload("listen: [127.0.0.1:0, \"unix:" + path + "\"]\n" + std::string(kCacheAll));
  EXPECT_TRUE(cache_status(Client(Socket::connect_unix(path)).get("/page")).hit);
  reload(kCacheAll);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ReloadTest, AnAddressThatIsTakenRefusesAllOfIt) {
  const Socket taken = Socket::listen_tcp();
  const std::string path = folder_.file("weir.sock");
  start(kCacheAll);
  get("/page");
  reload_in_vain("listen: [127.0.0.1:0, \"unix:" + path +
                     "\", \"127.0.0.1:" + std::to_string(taken.port()) + "\"]\n" + cached_for("0"),
                 "Address already in use");
  EXPECT_TRUE(is_hit("/page"));
  EXPECT_FALSE(std::filesystem::exists(path)) << "what had been opened is gone";
}

TEST_F(ReloadTest, TheAdminAddressComesChangesAndGoes) {
  start(kCacheAll);
  reload(std::string(kAdmin) + std::string(kCacheAll));
  const auto port = [&] {
    const std::string address = weir().log_behind(" admin address: ").back();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  };
  const std::uint16_t first = port();
  EXPECT_EQ(ask_admin(first, "GET", "/healthz").status, 200);
  const std::string path = folder_.file("admin.sock");
  reload("admin: unix:" + path + "\n" + std::string(kCacheAll));
  EXPECT_TRUE(refuses(first));
  EXPECT_EQ(Client(Socket::connect_unix(path)).get("/healthz").status, 200);
  reload(kCacheAll);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ReloadTest, TheTokenChanges) {
  const auto with = [&](const char* token) {
    return std::string(kAdmin) + "admin_token: " + token + "\n" + std::string(kCacheAll);
  };
  const auto purge_with = [&](const char* token) {
    const Fields fields = {{"Authorization", std::string("Bearer ") + token}};
    return ask_admin(weir().admin_port(), "POST", "/v1/purge", R"({"all": true})", fields).status;
  };
  start(with("first"));
  EXPECT_EQ(purge_with("first"), 200);
  reload(with("second"));
  EXPECT_EQ(purge_with("first"), 401);
  EXPECT_EQ(purge_with("second"), 200);
}

// ---- whom it believes, and whom it asks ----

TEST_F(ReloadTest, ClientsWhoAreConnectedAreJudgedAnew) {
  const std::string trusting = "trusted_proxies: [loopback]\npurge_allow: [203.0.113.7]\n";
  const std::string strict = "trusted_proxies: []\npurge_allow: [203.0.113.7]\n";
  const Fields visitor = {{"X-Forwarded-For", "203.0.113.7"}};
  start(trusting + std::string(kCacheAll));
  Client proxy = client();
  EXPECT_EQ(proxy.request("PURGE", "/page", visitor).status, 200);
  reload(strict + std::string(kCacheAll));
  EXPECT_EQ(proxy.request("PURGE", "/page", visitor).status, 405);
  reload(trusting + std::string(kCacheAll));
  EXPECT_EQ(proxy.request("PURGE", "/page", visitor).status, 200);
  reload(kCacheAll);
  EXPECT_EQ(proxy.request("PURGE", "/page", visitor).status, 405);
}

TEST_F(ReloadTest, NewRequestsGoToTheNewAppWhileOldOnesEndAtTheOld) {
  const Gate gate;
  origin_.on("/slow", Reply(200).length(6).part("old").gate(gate).part("app"));
  Origin other;
  other.otherwise([](const Request&) { return Reply(200).body("new app"); });
  start("routes: []\n");
  Client slow = client();
  slow.send(Client::message("GET", "/slow"));
  EXPECT_EQ(slow.read_head().status, 200);
  reload("routes: []\nupstream: " + other.url() + "\n");
  EXPECT_EQ(get("/page").body, "new app");
  EXPECT_EQ(client().get("/slow").body, "new app");
  gate.open();
  EXPECT_EQ(slow.read_some(3), "old");
  EXPECT_EQ(slow.read_some(3), "app");
  EXPECT_EQ(slow.get("/page").body, "new app") << "the next one on the same connection";
  EXPECT_EQ(origin_.hits("/page"), 0);
  EXPECT_TRUE(eventually([&] { return origin_.open_connections() == 0; }));
}

TEST_F(ReloadTest, ConnectionsToTheAppStayWhereItHasNotChanged) {
  start("routes: []\nworkers: 1\n");
  for (int i = 0; i < 10; ++i) {
    get("/page");
    reload("workers: 1\n" + cached_for("0"));
  }
  EXPECT_EQ(origin_.connections(), 1);
}

// ---- the access log ----

TEST_F(ReloadTest, TheAccessLogMoves) {
  const auto lines_in = [](const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  };
  const std::string one = folder_.file("one.log");
  const std::string two = folder_.file("two.log");
  const auto to = [&](const std::string& path, const char* format) {
    return "access_log: { to: " + path + ", format: " + format + " }\n" + std::string(kCacheAll);
  };
  start(to(one, "json"));
  // A request is logged once its answer has gone out.
  get("/a");
  ASSERT_TRUE(eventually([&] { return lines_in(one).size() == 1; }));
  reload(to(one, "combined"));
  get("/b");
  ASSERT_TRUE(eventually([&] { return lines_in(one).size() == 2; }));
  reload(to(two, "json"));
  get("/c");
  ASSERT_TRUE(eventually([&] { return lines_in(two).size() == 1; }));
  reload("access_log: off\n" + std::string(kCacheAll));
  get("/d");
  ASSERT_EQ(weir().stop(), 0);
  const std::vector<std::string> first = lines_in(one);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_THAT(first[0], HasSubstr(R"("target":"/a")"));
  EXPECT_THAT(first[1], HasSubstr(R"("GET /b HTTP/1.1")"));
  ASSERT_EQ(lines_in(two).size(), 1U);
  EXPECT_THAT(lines_in(two)[0], HasSubstr(R"("target":"/c")"));
}

// ---- what is refused, or waits for a start ----

TEST_F(ReloadTest, AnInvalidFileChangesNothingAndTheLogSaysWhere) {
  start(cached_for("60"));
  get("/page");
  reload_in_vain("routes: [{ match: /**, cache: { duration: soon } }]\nlimts: {}\n", "weir.yaml:");
  EXPECT_THAT(weir().log_text(), HasSubstr("routes[0].cache.duration"));
  EXPECT_THAT(weir().log_text(), HasSubstr("limts"));
  EXPECT_TRUE(is_hit("/page"));
  reload(cached_for("0"));
  EXPECT_EQ(status_of("/page").fwd, "stale");
}

TEST_F(ReloadTest, TheNumberOfWorkersWaitsForAStart) {
  start("workers: 2\n" + cached_for("60"));
  get("/page");
  reload("workers: 3\n" + cached_for("0"));
  EXPECT_THAT(weir().log_text(), HasSubstr("workers: there are 2, and 3 are wanted: restart"));
  EXPECT_EQ(status_of("/page").fwd, "stale") << "the rest counts";
}

TEST_F(ReloadTest, ARequestKeepsWhatItBeganWith) {
  // Its rule, its store, its app; who comes later has the new ones, and finds what it stored.
  const Gate gate;
  origin_.on("/slow", Reply(200).gate_head(gate).body("slow"));
  start(cached_for("60"));
  Client slow = client();
  slow.send(Client::message("GET", "/slow"));
  origin_.await_hits("/slow", 1);
  reload("upstream: { url: " + origin_.url() + ", retries: 0 }\n" + cached_for("2h"));
  gate.open();
  const Response response = slow.read();
  EXPECT_EQ(response.body, "slow");
  EXPECT_EQ(cache_status(response).ttl, 60);
  EXPECT_TRUE(is_hit("/slow"));
}

}  // namespace
}  // namespace weir::test

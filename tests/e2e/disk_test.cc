// What lies on the disk is a hit again at the next start, however the process ended.
#include <atomic>
#include <chrono>
#include <tuple>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {
namespace {

constexpr std::size_t kMiB = std::size_t{1024} * 1024;

// An answer that stays fresh, with a mark by which it is found in the files.
Reply marked(const std::string& mark, std::string body) {
  return cacheable(std::move(body), "max-age=600").header("X-Mark", mark);
}

// ---- from start to start, with each kind of backends and each end ----

enum class Tiers : std::uint8_t { Disk, RamAndDisk, TwoDisks };

class DiskStart : public Disk, public testing::WithParamInterface<std::tuple<Tiers, End>> {
 protected:
  WeirProcess& begin() { return Disk::begin(yaml()); }
  void restart() { Disk::restart(std::get<End>(GetParam())); }

 private:
  // Of two disks /other/** has the second.
  std::string yaml() const {
    const std::string disk =
        "disk: { type: disk, cache_dir: " + dir() + ", max_size: 64MiB, min_free: 0 }";
    switch (std::get<Tiers>(GetParam())) {
      case Tiers::Disk:
        return "backends: { " + disk + " }\n" + std::string(kCacheAll);
      case Tiers::RamAndDisk:
        return "backends: { ram: { type: ram, max_size: 8MiB }, " + disk +
               " }\ndefault: [ram, disk]\n" + std::string(kCacheAll);
      case Tiers::TwoDisks:
        return "backends: { " + disk + ", second: { type: disk, cache_dir: " + other_dir() +
               ", max_size: 64MiB, min_free: 0 } }\ndefault: disk\nroutes:\n"
               "  - { match: /other/**, cache: { duration: 60, backend: second } }\n"
               "  - { match: /**, cache: { duration: 60 } }\n";
    }
    return "";
  }
};

std::string name_of(Tiers tiers) {
  switch (tiers) {
    case Tiers::Disk:
      return "Disk";
    case Tiers::RamAndDisk:
      return "RamAndDisk";
    case Tiers::TwoDisks:
      return "TwoDisks";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Disk, DiskStart,
                         testing::Combine(testing::Values(Tiers::Disk, Tiers::RamAndDisk,
                                                          Tiers::TwoDisks),
                                          testing::Values(End::InOrder, End::Killed)),
                         [](const auto& test) {
                           return name_of(std::get<0>(test.param)) +
                                  name_of(std::get<1>(test.param));
                         });

TEST_P(DiskStart, BodiesOfAllSizesAreHits) {
  // Head and body as they came, at the next start and at the one after it.
  const std::string large = patterned(kMiB);
  origin_.on("/small", marked("mark-small", "hello"));
  origin_.on("/empty", marked("mark-empty", ""));
  origin_.on("/large", marked("mark-large", large));
  origin_.on("/other/a", marked("mark-other", "another"));
  begin();
  expect_body("/small", "hello");
  expect_body("/empty", "");
  expect_body("/large", large);
  expect_body("/other/a", "another");
  await_written({"mark-small", "mark-empty", "mark-large", large.substr(kMiB - 64), "mark-other"});
  for (int i = 0; i < 2; ++i) {
    restart();
    const Response hit = expect_hit("/small", "hello");
    EXPECT_EQ(hit.value("X-Mark"), "mark-small");
    EXPECT_EQ(hit.value("Content-Type"), "text/plain");
    EXPECT_EQ(hit.value("Content-Length"), "5");
    EXPECT_EQ(hit.fields.joined("Via"), "1.1 weir");
    expect_hit("/empty", "");
    EXPECT_EQ(expect_hit("/large", large).value("X-Mark"), "mark-large");
    expect_hit("/other/a", "another");
  }
  EXPECT_EQ(origin_.hits(), 4);
}

TEST_P(DiskStart, VariantsAreToldApart) {
  // The marker that says what the app's answers depend on is there again, and each variant.
  origin_.on("/a", [](const Request& request) {
    const std::string flavor = request.fields.joined("X-Flavor");
    return marked("mark-" + flavor, flavor).header("Vary", "X-Flavor");
  });
  begin();
  for (const char* flavor : {"sweet", "sour"}) expect_body("/a", flavor, {{"X-Flavor", flavor}});
  await_written({"mark-sweet", "mark-sour"});
  restart();
  for (const char* flavor : {"sour", "sweet"}) expect_hit("/a", flavor, {{"X-Flavor", flavor}});
  EXPECT_EQ(status_of("/a", {{"X-Flavor", "salty"}}).fwd, "vary-miss");
}

TEST_P(DiskStart, HeadAndConditionsAreAnsweredFromIt) {
  const std::string body = patterned(300'000);
  origin_.on("/a", marked("mark-a", body).header("ETag", "\"v1\""));
  begin();
  expect_body("/a", body);
  await_written({"mark-a", body.substr(body.size() - 64)});
  restart();
  const Response not_modified = get("/a", {{"If-None-Match", "\"v1\""}});
  EXPECT_EQ(not_modified.status, 304);
  EXPECT_EQ(not_modified.value("ETag"), "\"v1\"");
  EXPECT_TRUE(cache_status(not_modified).hit) << not_modified.value("Cache-Status");
  restart();
  Client one = client();
  const Response head = one.request("HEAD", "/a");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.value("Content-Length"), "300000");
  EXPECT_EQ(head.value("X-Mark"), "mark-a");
  EXPECT_TRUE(cache_status(head).hit) << head.value("Cache-Status");
  EXPECT_TRUE(one.get("/a").body == body) << "the connection goes on";
  EXPECT_EQ(origin_.hits(), 1);
}

TEST_P(DiskStart, ThousandsOfKeysAreHits) {
  constexpr int kKeys = 2000;
  const auto page = [](int i) { return "page " + std::to_string(i) + " ends"; };
  origin_.otherwise([](const Request& request) {
    return marked("many", "page " + request.path.substr(1) + " ends");
  });
  begin();
  std::vector<std::string> pages;
  {
    Client one = client();
    for (int i = 0; i < kKeys; ++i) {
      ASSERT_EQ(one.get("/" + std::to_string(i)).body, page(i));
      pages.push_back(page(i));
    }
  }
  await_written(std::move(pages));
  restart();
  Client one = client();
  for (int i = 0; i < kKeys; ++i) {
    const Response response = one.get("/" + std::to_string(i));
    ASSERT_EQ(response.body, page(i));
    ASSERT_TRUE(cache_status(response).hit) << i;
  }
  EXPECT_EQ(origin_.hits(), kKeys);
}

// ---- what is kept, and what is not ----

class DiskEnd : public Disk, public testing::WithParamInterface<End> {};

INSTANTIATE_TEST_SUITE_P(Disk, DiskEnd, testing::Values(End::InOrder, End::Killed),
                         [](const auto& test) { return name_of(test.param); });

TEST_P(DiskEnd, AgeGoesOn) {
  // It is what it would be without the restart, and freshness ends when it would have.
  constexpr std::chrono::milliseconds kRounding{10};  // of times, there and back
  const auto now = [] { return std::chrono::steady_clock::now(); };
  origin_.on("/long", marked("mark-long", "x").header("Age", "100"));
  origin_.on("/short", cacheable("mark-short", "max-age=2"));
  begin(on_disk());
  const auto asked = now();
  get("/long");
  const auto received = now();
  ASSERT_EQ(get("/short").body, "mark-short");
  await_written({"mark-long", "mark-short"});
  ASSERT_TRUE(eventually([&] { return get("/long").value("Age") == "101"; }));
  restart(GetParam());
  const auto asked_again = now();
  const Response hit = expect_hit("/long", "x");
  const int age = std::stoi(hit.value("Age"));
  EXPECT_GE(age, 101);
  EXPECT_GT(std::chrono::seconds(age - 100 + 1), asked_again - received - kRounding);
  EXPECT_LE(std::chrono::seconds(age - 100), now() - asked + kRounding);
  EXPECT_EQ(*cache_status(hit).ttl, 600 - age);
  EXPECT_TRUE(eventually([&] { return !status_of("/short").hit; }));
  EXPECT_TRUE(eventually([&] { return get("/long").value("Age") == "102"; }));
  EXPECT_EQ(origin_.hits("/long"), 1);
}

TEST_P(DiskEnd, WhatWasReplacedDoesNotComeBack) {
  // The newer answer, whether the older one had expired or was still fresh.
  origin_.script("/expired", {cacheable("old page", "max-age=1"), marked("mark-1", "new page")});
  origin_.script("/fresh", {marked("mark-2", "old page"), marked("mark-3", "new page")});
  begin(on_disk_alone() +
        "routes: [ { match: /**, cache: { duration: 60, client_no_cache: honor } } ]\n");
  expect_body("/expired", "old page");
  expect_body("/fresh", "old page");
  await_written({"mark-2"});
  ASSERT_TRUE(eventually([&] { return get("/expired").body == "new page"; }));
  expect_body("/fresh", "new page", {{"Cache-Control", "no-cache"}});
  await_written({"mark-1", "mark-3"});
  for (int i = 0; i < 2; ++i) {
    restart(GetParam());
    expect_hit("/expired", "new page");
    expect_hit("/fresh", "new page");
  }
}

TEST_P(DiskEnd, WhatIsTooLargeForTheDiskLeavesNothingOlderThere) {
  // The newer answer is in memory alone, and gone with it; the older one must not come back.
  const std::string large = patterned(100'000);
  origin_.script("/a", {marked("mark-old", "old"), marked("mark-new", large)});
  origin_.on("/last", marked("mark-last", "x"));
  begin("backends: { ram: { type: ram, max_size: 8MiB }, disk: { type: disk, cache_dir: " + dir() +
        ", max_size: 64MiB, max_object_size: 64KiB, min_free: 0 } }\ndefault: [ram, disk]\n"
        "routes: [ { match: /**, cache: { duration: 60, client_no_cache: honor } } ]\n");
  expect_body("/a", "old");
  await_written({"mark-old"});
  expect_body("/a", large, {{"Cache-Control", "no-cache"}});
  expect_hit("/a", large);
  get("/last");
  await_written({"mark-last"});
  restart(GetParam());
  expect_body("/a", large);
  EXPECT_EQ(origin_.hits("/a"), 3);
}

// ---- while it is written ----

TEST_F(Disk, WhoHasSeenTheNewerAnswerIsNotShownTheOlderOne) {
  // Not even for as long as it takes to write a large one.
  const std::string large = ":" + patterned(600'000);
  std::atomic<int> version = 0;
  origin_.on("/a", [&](const Request&) {
    return cacheable(std::to_string(++version) + large, "max-age=600");
  });
  begin(on_disk_alone() +
        "routes: [ { match: /**, cache: { duration: 60, client_no_cache: honor } } ]\n");
  int newest = 0;
  bool hit = false;
  const auto ask = [&](const Fields& fields) {
    const Response response = get("/a", fields);
    const int number = std::stoi(response.body);
    EXPECT_GE(number, newest) << response.value("Cache-Status");
    newest = number;
    hit = cache_status(response).hit;
    EXPECT_TRUE(response.body == std::to_string(number) + large);
  };
  for (int i = 0; i < 50; ++i) {
    ask({{"Cache-Control", "no-cache"}});
    ASSERT_TRUE(eventually([&] {
      ask({});
      return hit;
    }));
  }
}

// ---- from the medium ----

TEST_F(Disk, WhatIsNotInMemoryIsWaitedForAndIsAHit) {
  // Not even in the kernel's: small and large bodies, variants, HEAD and conditions.
  const std::string large = patterned(kMiB);
  origin_.on("/small", marked("mark-small", "hello").header("ETag", "\"v1\""));
  origin_.on("/large", marked("mark-large", large));
  origin_.on("/vary", [](const Request& request) {
    const std::string flavor = request.fields.joined("X-Flavor");
    return marked("mark-" + flavor, flavor).header("Vary", "X-Flavor");
  });
  begin(on_disk());
  const auto expect_hits = [&](bool hits) {
    const auto drop = [&] { drop_from_memory(segments_in(dir())); };
    EXPECT_EQ(cache_status(expect_body("/small", "hello")).hit, hits);
    drop();
    EXPECT_EQ(cache_status(expect_body("/large", large)).hit, hits);
    for (const char* flavor : {"sweet", "sour"}) {
      drop();
      EXPECT_EQ(cache_status(expect_body("/vary", flavor, {{"X-Flavor", flavor}})).hit, hits);
    }
    await_written({"mark-small", "mark-large", "mark-sweet", "mark-sour"});
    drop();
    EXPECT_EQ(get("/small", {{"If-None-Match", "\"v1\""}}).status, 304);
    drop();
    EXPECT_EQ(client().request("HEAD", "/large").value("Content-Length"), std::to_string(kMiB));
    EXPECT_EQ(origin_.hits(), 4);
  };
  expect_hits(false);
  drop_from_memory(segments_in(dir()));
  expect_hits(true);
  restart(End::InOrder);
  drop_from_memory(segments_in(dir()));
  expect_hits(true);
}

// ---- more than memory holds ----

TEST_F(Disk, WhatIsLargerThanMemoryIsAHitFromTheDisk) {
  // At once, and after a restart; so are more objects than memory has room for.
  constexpr int kPages = 60;
  const std::string huge = patterned(4 * kMiB);
  origin_.on("/huge", marked("mark-huge", huge));
  origin_.otherwise([](const Request& request) {
    return marked(request.path, patterned(50'000) + request.path);
  });
  const auto path = [](int i) { return "/page" + std::to_string(i) + "."; };
  begin("backends: { ram: { type: ram, max_size: 1MiB }, disk: { type: disk, cache_dir: " + dir() +
        ", max_size: 64MiB, min_free: 0 } }\ndefault: [ram, disk]\n" + std::string(kCacheAll));
  expect_body("/huge", huge);
  // Until it is written to its end those who ask share the fetch.
  ASSERT_TRUE(eventually([&] { return cache_status(expect_body("/huge", huge)).hit; }));
  EXPECT_EQ(origin_.hits("/huge"), 1);
  for (int i = 0; i < kPages; ++i) get(path(i));
  for (int i = 0; i < kPages; ++i) expect_hit(path(i), patterned(50'000) + path(i));
  await_written({huge.substr(huge.size() - 64), path(kPages - 1)});
  restart(End::Killed);
  expect_hit("/huge", huge);
  for (int i = 0; i < kPages; ++i) expect_hit(path(i), patterned(50'000) + path(i));
}

// ---- the log ----

TEST_F(Disk, TheLogSaysOnceWhatWasFound) {
  // Nothing of a folder in which there was nothing.
  for (const char* path : {"/a", "/b", "/c"}) origin_.on(path, marked(path, "x"));
  begin(on_disk());
  for (const char* path : {"/a", "/b", "/c"}) get(path);
  EXPECT_EQ(log_lines("found in"), 0) << weir().log_text();
  restart(End::InOrder);
  EXPECT_EQ(log_lines("disk: " + dir() + ": objects found: 3 "), 1) << weir().log_text();
  EXPECT_EQ(log_lines("disk: "), 1) << weir().log_text();
}

}  // namespace
}  // namespace weir::test

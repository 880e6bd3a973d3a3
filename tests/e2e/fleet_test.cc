// One cache for a fleet: what one instance has fetched all of them have, and what one is told to
// forget none of them shows.
#include "tests/e2e/fleet_fixture.h"
#include "tests/support/read_only_folder.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

TEST_F(Fleet, WhatOneHasFetchedIsAHitAtAllOthers) {
  for (const char* tiers : {"redis", "[ram, redis]", "[ram, disk, redis]"}) {
    SCOPED_TRACE(tiers);
    WeirProcess& a = add(yaml(tiers));
    WeirProcess& b = add(yaml(tiers));
    const std::string path = "/" + std::to_string(instances_.size());
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{65'536},
                                   std::size_t{65'537}, std::size_t{1'000'000}}) {
      SCOPED_TRACE(size);
      const std::string page = path + "/" + std::to_string(size);
      const std::string body = patterned(size);
      origin_.on(page, cacheable(body).header("X-Mark", page));
      EXPECT_EQ(get(a, page).body, body);
      const bool found = eventually([&] {
        const Response answer = get(b, page);
        EXPECT_EQ(answer.body, body);
        EXPECT_EQ(answer.value("X-Mark"), page);
        return cache_status(answer).hit;
      });
      EXPECT_TRUE(found);
      EXPECT_TRUE(status(b, page).hit);
      const Response head = Client(b.port()).request("HEAD", page, {{"Host", "a.test"}});
      EXPECT_TRUE(cache_status(head).hit);
      EXPECT_EQ(head.value("Content-Length"), std::to_string(size));
    }
    instances_.clear();
  }
}

TEST_F(Fleet, ANewInstanceBeginsWarmAndKnowsTheAge) {
  origin_.on("/a", cacheable("hello", "max-age=600").header("Age", "100"));
  WeirProcess& a = add();
  get(a, "/a");
  await_objects(1);
  const Response again = get(replace(0, yaml("[ram, redis]")), "/a");
  EXPECT_TRUE(cache_status(again).hit);
  EXPECT_EQ(again.body, "hello");
  EXPECT_GE(std::stoi(again.value("Age")), 100);
  EXPECT_LE(std::stoi(again.value("Age")), 120);
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(Fleet, APurgeReachesAllBeforeItIsAnswered) {
  struct Row {
    const char* order;
    bool gone;
  };
  const Row rows[] = {
      {R"({"url": "http://a.test/blog/a"})", true},
      {R"({"prefix": "/blog/"})", true},
      {R"({"match": "/blog/*"})", true},
      {R"({"tags": ["post-7"]})", true},
      {R"({"all": true})", true},
      {R"({"tags": ["post-7"], "soft": true})", true},
      {R"({"all": true, "soft": true})", true},
      {R"({"url": "http://a.test/blog/b"})", false},
      {R"({"tags": ["post-8"]})", false},
  };
  int version = 0;
  origin_.on("/blog/a", [&](const Request&) {
    return cacheable(std::to_string(version)).header("Cache-Tag", "post-7");
  });
  for (const char* tiers : {"redis", "[ram, redis]", "[ram, disk, redis]"}) {
    WeirProcess& a = add(yaml(tiers));
    WeirProcess& b = add(yaml(tiers));
    for (const Row& row : rows) {
      SCOPED_TRACE(std::string(tiers) + " " + row.order);
      get(a, "/blog/a");
      ASSERT_TRUE(eventually([&] { return status(b, "/blog/a").hit; }));
      ASSERT_TRUE(eventually([&] { return status(a, "/blog/a").hit; }));
      ++version;
      const Response answer = purge(a, row.order);
      EXPECT_EQ(answer.status, 200) << answer.body;
      EXPECT_THAT(answer.body, HasSubstr(R"("live":2)"));
      EXPECT_THAT(answer.body, HasSubstr(R"("acked":2)"));
      // At once, and from whichever tier.
      const int shown = std::stoi(get(b, "/blog/a").body);
      EXPECT_EQ(shown == version, row.gone);
      if (!row.gone) {
        EXPECT_EQ(purge(a, R"({"all": true})").status, 200);
      }
    }
    instances_.clear();
  }
}

TEST_F(Fleet, WhatAnotherHasFetchedAnewIsTakenInPlaceOfAnOlderCopy) {
  // One's own copy was purged, or has grown too old: the app is asked by one of them.
  int version = 0;
  origin_.on("/a", [&](const Request&) { return cacheable(std::to_string(++version)); });
  WeirProcess& a = add();
  WeirProcess& b = add();
  EXPECT_EQ(get(a, "/a").body, "1");
  await_objects(1);
  EXPECT_EQ(get(b, "/a").body, "1");
  for (const char* order : {R"({"all": true})", R"({"all": true, "soft": true})"}) {
    RedisClient client = redis_->client();
    const std::string name = client.must({"KEYS", "cache:r:*"}).texts().at(0);
    const std::string older = client.must({"GET", name}).text;
    purge(a, order);
    const std::string fetched = get(b, "/a").body;
    ASSERT_TRUE(eventually([&] { return client.must({"GET", name}).text != older; }));
    const int before = origin_.hits("/a");
    EXPECT_EQ(get(a, "/a").body, fetched);
    EXPECT_EQ(origin_.hits("/a"), before);
    EXPECT_TRUE(status(a, "/a").hit) << "its own copy is the new one";
  }
}

TEST_F(Fleet, AnUnsafeRequestInvalidatesAtAllOthers) {
  int version = 0;
  origin_.on("/a", [&](const Request& request) {
    if (request.method == "POST") ++version;
    return request.method == "POST" ? Reply(204) : cacheable(std::to_string(version));
  });
  WeirProcess& a = add();
  WeirProcess& b = add();
  get(a, "/a");
  await_objects(1);
  EXPECT_EQ(get(b, "/a").body, "0");
  Client(a.port()).request("POST", "/a", {{"Host", "a.test"}}, "x");
  EXPECT_TRUE(eventually([&] { return get(b, "/a").body == "1"; }));
}

TEST_F(Fleet, APurgeIsNotUndoneByARestart) {
  int version = 0;
  origin_.on("/a", [&](const Request&) { return cacheable(std::to_string(++version)); });
  WeirProcess& a = add();
  get(a, "/a");
  await_objects(1);
  EXPECT_EQ(purge(a, R"({"url": "http://a.test/a"})").status, 200);
  EXPECT_EQ(redis_->client().must({"KEYS", "cache:r:*"}).elements.size(), 1U)
      << "it is still there";
  EXPECT_EQ(get(replace(0, yaml("[ram, redis]")), "/a").body, "2");
}

TEST_F(Fleet, APurgeThatADiskCannotKeepIsKeptInTheLog) {
  // The disk could not be used when the page was purged: the next start reads of that in the log.
  origin_.on("/a", cacheable("hello", "max-age=600"));
  const std::string text = yaml("[disk, redis]");
  const std::string_view key = "cache_dir: ";
  const std::size_t at = text.find(key) + key.size();
  const std::string folder = text.substr(at, text.find(',', at) - at);
  get(add(text), "/a");
  await_objects(1);
  instances_[0]->stop();
  {
    const ReadOnlyFolder fault(folder);
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    WeirProcess& without = add(text);
    EXPECT_EQ(without.log_behind("goes on without it").size(), 1U) << without.log_text();
    EXPECT_TRUE(status(without, "/a").hit) << "the server has it";
    const Response kept = purge(without, R"({"all": true})");
    EXPECT_EQ(kept.status, 202) << "the log may be gone by then: " << kept.body;
    redis_->pause();
    const Response alone = purge(without, R"({"all": true})");
    EXPECT_EQ(alone.status, 503);
    EXPECT_THAT(alone.body, HasSubstr("Nor could it be written down here: backend disk: "));
    redis_->go_on();
    without.stop();
  }
  EXPECT_FALSE(status(add(text), "/a").hit) << "it was purged";
}

TEST_F(Fleet, APurgeWhileTheServerIsAwayIsDoneHereAndThereBeforeAnythingIsRead) {
  use(RedisSetup{.lines = {"appendonly yes", "appendfsync always"}});
  int version = 0;
  origin_.on("/a", [&](const Request&) { return cacheable(std::to_string(++version)); });
  WeirProcess& a = add();
  WeirProcess& b = add(yaml("redis"));
  get(a, "/a");
  await_objects(1);
  EXPECT_EQ(get(b, "/a").body, "1");
  redis_->kill();
  EXPECT_EQ(get(b, "/a").body, "2") << "not from there, and no error";
  const Response answer = purge(a, R"({"url": "http://a.test/a"})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("purged here"));
  EXPECT_NE(get(a, "/a").body, "1");
  redis_->start_again();
  await_in_step(a, 2);
  await_in_step(b, 2);
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(get(a, "/a").body, "1");
    EXPECT_NE(get(b, "/a").body, "1");
  }
}

TEST_F(Fleet, AServerThatComesBackIsNotBelievedAsItWas) {
  // What it kept may be older than what it has forgotten: asked about, not shown.
  use(RedisSetup{.lines = {"appendonly yes", "appendfsync always"}});
  int version = 0;
  origin_.on("/a", [&](const Request&) { return cacheable(std::to_string(++version)); });
  WeirProcess& a = add(yaml("redis"));
  get(a, "/a");
  await_objects(1);
  EXPECT_TRUE(eventually([&] { return status(a, "/a").hit; }));
  redis_->kill();
  redis_->start_again();
  await_in_step(a, 2);
  const Response after = get(a, "/a");
  EXPECT_FALSE(cache_status(after).hit);
  EXPECT_NE(after.body, "1");
  EXPECT_TRUE(eventually([&] { return status(a, "/a").hit; })) << "what is stored from now on";
}

TEST_F(Fleet, ItsOwnTiersGoOnWhenTheServerIsGone) {
  origin_.on("/a", cacheable("hello"));
  WeirProcess& a = add();
  get(a, "/a");
  await_objects(1);
  redis_->kill();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(status(a, "/a").hit);
  EXPECT_EQ(origin_.hits("/a"), 1);
  EXPECT_TRUE(eventually([&] { return !a.log_behind("log of purges is out of reach").empty(); }));
}

TEST_F(Fleet, WhereItIsToldSoWhoIsCutOffUsesNothingOfItsOwn) {
  // Once nobody waits for it any more; and from its start until it has joined.
  origin_.on("/a", cacheable("hello"));
  WeirProcess& a = add(yaml("[ram, redis]", ", fleet: { partition: drop }"));
  get(a, "/a");
  ASSERT_TRUE(eventually([&] { return status(a, "/a").hit; }));
  redis_->kill();
  EXPECT_TRUE(status(a, "/a").hit) << "those who purge wait for it as yet";
  EXPECT_TRUE(eventually([&] { return !status(a, "/a").hit; }));
  EXPECT_EQ(get(a, "/a").body, "hello");
  EXPECT_FALSE(status(a, "/a").hit) << "not from what it has stored since, either";
  redis_->start_again();
  EXPECT_TRUE(eventually([&] { return status(a, "/a").hit; }));
}

TEST_F(Fleet, PagesThatVaryAreHitsAtAllOthers) {
  origin_.on("/a", [](const Request& request) {
    return cacheable("in " + request.fields.value("X-Kind")).header("Vary", "X-Kind");
  });
  WeirProcess& a = add();
  WeirProcess& b = add();
  const auto ask = [](const WeirProcess& at, const char* kind) {
    return Client(at.port()).get("/a", {{"Host", "a.test"}, {"X-Kind", kind}});
  };
  for (const char* const kind : {"one", "two"})
    EXPECT_EQ(ask(a, kind).body, "in " + std::string(kind));
  for (const char* const kind : {"one", "two"}) {
    EXPECT_TRUE(eventually([&] { return cache_status(ask(b, kind)).hit; })) << kind;
    EXPECT_EQ(ask(b, kind).body, "in " + std::string(kind));
  }
}

TEST_F(Fleet, AServerThatHangsCostsItsTimeOutAndNoErrors) {
  timeout_ = "50ms";
  origin_.otherwise([](const Request&) { return cacheable("hello"); });
  WeirProcess& a = add(yaml("redis"));
  get(a, "/warm");
  redis_->pause();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    const Response answer = get(a, "/" + std::to_string(i));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
  }
  const auto took = std::chrono::steady_clock::now() - began;
  if (!is_sanitized()) {
    EXPECT_LT(took, std::chrono::seconds(2));
  }
  redis_->go_on();
  EXPECT_TRUE(eventually([&] { return status(a, "/after").hit; }));
}

TEST_F(Fleet, AWrongPasswordIsSaidAndTheServiceGoesOn) {
  use(RedisSetup{.lines = {"requirepass right"}});
  origin_.on("/a", cacheable("hello"));
  WeirProcess& a = add(yaml("[ram, redis]", ", password: wrong"), false);
  EXPECT_EQ(get(a, "/a").body, "hello");
  EXPECT_TRUE(status(a, "/a").hit) << "from memory";
  for (const char* said : {"no connection to ", "the fleet's log of purges is out of reach: "}) {
    ASSERT_TRUE(eventually([&] {
      return std::ranges::any_of(a.log_behind(said), [](const std::string& line) {
        return line.find("it answers WRONGPASS") != std::string::npos;
      });
    })) << said;
  }
  EXPECT_EQ(a.log_text().find("right"), std::string::npos);
  EXPECT_EQ(a.log_text().find("password: wrong"), std::string::npos);
  WeirProcess& b = add(yaml("[ram, redis]", ", password: right"));
  EXPECT_EQ(get(b, "/a").body, "hello");
}

TEST_F(Fleet, PrefixesAndDatabasesKeepFleetsApart) {
  int version = 0;
  origin_.on("/a", [&](const Request&) { return cacheable(std::to_string(++version)); });
  WeirProcess& a = add(yaml("redis", ", prefix: \"one:\""));
  WeirProcess& b = add(yaml("redis", ", prefix: \"two:\""));
  WeirProcess& c = add(yaml("redis", ", prefix: \"one:\", db: 1"));
  for (const WeirProcess* instance : {&a, &b, &c}) {
    get(*instance, "/a");
    ASSERT_TRUE(eventually([&] { return status(*instance, "/a").hit; }));
  }
  EXPECT_EQ(origin_.hits("/a"), 3);
  EXPECT_THAT(purge(a, R"({"all": true})").body, HasSubstr(R"("live":1)"));
  EXPECT_TRUE(status(b, "/a").hit);
  EXPECT_TRUE(status(c, "/a").hit);
}

TEST_F(Fleet, ValuesAreOneForAll) {
  WeirProcess& a = add();
  WeirProcess& b = add();
  EXPECT_EQ(ask_admin(a, "PUT", "/v1/keys/user%3A7", "ann").status, 204);
  EXPECT_EQ(ask_admin(b, "GET", "/v1/keys/user%3A7").body, "ann");
  EXPECT_EQ(redis_->client().must({"EXISTS", "cache:v:user:7"}).number, 1);
  EXPECT_EQ(ask_admin(b, "PUT", "/v1/keys/user%3A7", "bob").status, 204);
  EXPECT_EQ(ask_admin(a, "GET", "/v1/keys/user%3A7").body, "bob");
  EXPECT_THAT(ask_admin(a, "GET", "/v1/keys?match=user*").body, HasSubstr("user:7"));
  const std::string large(300'000, 'x');
  EXPECT_EQ(ask_admin(a, "PUT", "/v1/keys/large", large).status, 204);
  EXPECT_EQ(ask_admin(b, "GET", "/v1/keys/large").body, large);
  EXPECT_EQ(ask_admin(b, "DELETE", "/v1/keys/user*").status, 200);
  // It is answered when the removal is on its way to the server.
  EXPECT_TRUE(eventually([&] { return ask_admin(a, "GET", "/v1/keys/user%3A7").status == 404; }));
  EXPECT_EQ(ask_admin(a, "GET", "/v1/keys/large").status, 200);
  EXPECT_EQ(ask_admin(b, "DELETE", "/v1/keys").status, 200);
  EXPECT_TRUE(eventually([&] { return ask_admin(a, "GET", "/v1/keys/large").status == 404; }));
}

TEST_F(Fleet, WhoDrainsLeaves) {
  WeirProcess& a = add();
  add();
  EXPECT_THAT(purge(a, R"({"all": true})").body, HasSubstr(R"("live":2)"));
  EXPECT_EQ(instances_[1]->stop(), 0);
  const Response alone = purge(a, R"({"all": true})");
  EXPECT_EQ(alone.status, 200);
  EXPECT_THAT(alone.body, HasSubstr(R"("live":1)"));
}

TEST_F(Fleet, WhoseReloadTakesTheServerOutLeaves) {
  WeirProcess& a = add();
  WeirProcess& b = add();
  EXPECT_THAT(purge(a, R"({"all": true})").body, HasSubstr(R"("live":2)"));
  const auto reload = [&b, this](const std::string& text) {
    const std::size_t before = b.log_behind("info reloaded").size();
    b.write_config(config(text));
    b.process().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return b.log_behind("info reloaded").size() > before; }));
  };
  reload("admin: 127.0.0.1:0\n" + std::string(kCacheAll));
  ASSERT_TRUE(eventually(
      [&] { return redis_->client().must({"HLEN", "cache:f:{weir-fleet}:members"}).number == 1; }));
  EXPECT_THAT(purge(a, R"({"all": true})").body, HasSubstr(R"("live":1)"));
  EXPECT_EQ(purge(b, R"({"all": true})").status, 200) << "it has no fleet";
  reload(yaml("[ram, redis]"));
  await_in_step(b, 2);
  EXPECT_THAT(purge(a, R"({"all": true})").body, HasSubstr(R"("live":2)"));
}

TEST_F(Fleet, WhoHasJustJoinedLeaves) {
  WeirProcess& a = add();
  add();
  EXPECT_EQ(instances_[1]->stop(), 0);
  EXPECT_THAT(purge(a, R"({"all": true})").body, HasSubstr(R"("live":1)"));
}

TEST_F(Fleet, ForeignValuesUnderItsNamesAreMisses) {
  origin_.on("/a", cacheable("hello"));
  WeirProcess& a = add(yaml("redis"));
  get(a, "/a");
  await_objects(1);
  RedisClient client = redis_->client();
  for (const std::string& name : client.must({"KEYS", "cache:r:*"}).texts()) {
    client.must({"SET", name, "garbage", "PX", "100000"});
  }
  // The first fetch may be joined as long as its store has not been reported.
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(get(a, "/a").body, "hello");
    return origin_.hits("/a") == 2;
  }));
  EXPECT_TRUE(eventually([&] { return status(a, "/a").hit; }));
}

}  // namespace
}  // namespace weir::test

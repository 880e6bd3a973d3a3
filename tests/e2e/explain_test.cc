// What the admin address and `weir explain` say of a request, and what then happens to it.
#include <nlohmann/json.hpp>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

// A request that is asked about, and then made.
struct Sample {
  std::string target;
  Fields fields = {};
  std::string method = "GET";
};

constexpr std::string_view kRoutes =
    "routes:\n"
    "  - { name: off, match: /off/**, cache: false }\n"
    "  - name: shop\n"
    "    match: /shop/**\n"
    "    cache: { duration: 60, cookies: { key: [currency], session: [sid] }, backend: [ram, "
    "disk],\n"
    "             query_params: [page], language: [en, de] }\n"
    "  - { name: swr, match: /swr/**, cache: { duration: 60, stale_while_revalidate: 1h } }\n"
    "  - { name: strict, match: /strict/**, cache: { duration: 60, client_no_cache: honor } }\n"
    "  - { name: disk, match: /disk/**, cache: { duration: 60, backend: disk } }\n"
    "  - { name: rest, match: /pages/**, cache: { duration: 60, headers: [X-Beta] } }\n";

class Explain : public Disk {
 protected:
  void run() {
    begin("admin: 127.0.0.1:0\nbackends:\n  ram: { type: ram }\n  disk: { type: disk, cache_dir: " +
          dir() + ", min_free: 0 }\ndefault: ram\n" + std::string(kRoutes));
  }
  Response ask(std::string_view body) {
    return Client(weir().admin_port())
        .request("POST", "/v1/explain", {{"Host", "127.0.0.1"}}, body);
  }
  Json explain(const Sample& sample) {
    Json question = {{"url", "http://app.test" + sample.target}, {"method", sample.method}};
    question["headers"] = Json::array();
    for (const Field& field : sample.fields) {
      question["headers"].push_back(field.name + ": " + field.value);
    }
    const Response answer = ask(question.dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Json::parse(answer.body);
  }
  CacheStatus make(const Sample& sample) {
    return cache_status(client().request(sample.method, sample.target, sample.fields));
  }
  // Asks, makes the request, and compares.
  void expect_agreement(const Sample& sample) {
    const Json said = explain(sample);
    const CacheStatus was = make(sample);
    const Json& now = said["now"];
    std::string what = sample.method + " " + sample.target;
    for (const Field& field : sample.fields) what += " " + field.name + ":" + field.value;
    what += "\n  said " + now.dump() + "\n  was  " + was.text;
    EXPECT_EQ(now["hit"].get<bool>(), was.hit) << what;
    EXPECT_EQ(now["fwd"].get<std::string>(), was.fwd) << what;
    EXPECT_EQ(now["detail"].get<std::string>(), was.detail) << what;
  }
};

Reply page_of(const Request& request) {
  const std::string& path = request.path;
  const auto ends = [&](std::string_view end) { return path.ends_with(end); };
  if (ends("/private")) return Reply(200).header("Cache-Control", "private").body("p");
  if (ends("/cookie")) return Reply(200).header("Set-Cookie", "visit=1").body("c");
  if (ends("/missing")) return Reply(404).body("m");
  if (ends("/vary")) return cacheable("v").header("Vary", "X-Kind");
  if (ends("/public")) return cacheable("o", "public, max-age=60");
  if (ends("/stale")) return cacheable("s", "max-age=0");
  if (ends("/tagged")) return cacheable("t").header("ETag", "\"1\"");
  return cacheable("a page of " + path);
}

// Every kind of request, each twice so that the second meets what the first has left.
std::vector<Sample> samples() {
  const Fields sid = {{"Cookie", "sid=1"}};
  const Fields stranger = {{"Cookie", "who=1"}};
  const Fields token = {{"Authorization", "Bearer x"}};
  const Fields german = {{"Accept-Language", "de-CH, en;q=0.5"}};
  return {
      {"/none"},
      {"/off/a"},
      {"/pages/a"},
      {"/pages/a?utm_source=x"},
      {"/pages/a?page=2"},
      {"/pages/a", {{"X-Beta", "1"}}},
      {"/pages/a", {{"User-Agent", "odd"}}},
      {"/pages/a", {{"HX-Request", "true"}}},
      {"/pages/a", {{"Accept", "application/json"}}},
      {"/pages/a", stranger},
      {"/pages/a", token},
      {"/pages/a", {{"X-Api-Key", "k"}}},
      {"/pages/a", {{"Cookie", "_ga=1"}}},
      {"/pages/head", {}, "HEAD"},
      {"/pages/a", {}, "HEAD"},
      {"/pages/post", {}, "POST"},
      {"/pages/a", {}, "OPTIONS"},
      {"/pages/private"},
      {"/pages/cookie"},
      {"/pages/missing"},
      {"/pages/vary"},
      {"/pages/vary", {{"X-Kind", "b"}}},
      {"/pages/public"},
      {"/pages/public", stranger},
      {"/pages/public", token},
      {"/pages/once?ticket=1", {{"Cookie", "_ga=1"}}},
      {"/pages/only", {{"Cache-Control", "only-if-cached"}}},
      {"/shop/a?page=1&x=2", german},
      {"/shop/a?page=1", {{"Accept-Language", "en"}}},
      {"/shop/a?page=1", {{"Cookie", "currency=EUR"}}},
      {"/shop/a?page=1", sid},
      {"/swr/a"},
      {"/strict/a"},
      {"/strict/a", {{"Cache-Control", "no-cache"}}},
      {"/strict/a", {{"Cache-Control", "no-store"}}},
      {"/disk/a"},
      {"/disk/b", german},
      {"/pages/tagged"},
      {"/pages/tagged", {{"If-None-Match", "\"1\""}}},
      {"/pages/a%7Eb"},
  };
}

// What an answer's head alone decides cannot be foretold before there was one.
bool is_refused_by_its_answer(const Sample& sample) {
  for (const char* end : {"/private", "/cookie", "/missing", "/stale"}) {
    if (sample.target.ends_with(end)) return true;
  }
  return false;
}

TEST_F(Explain, WhatIsSaidOfARequestIsWhatHappensToIt) {
  // Nothing stored, then what each has left behind: hits, misses, refusals that are remembered.
  origin_.otherwise(page_of);
  run();
  int compared = 0;
  for (const Sample& sample : samples()) {
    if (is_refused_by_its_answer(sample)) {
      make(sample);
    } else {
      expect_agreement(sample);
      ++compared;
    }
  }
  for (const Sample& sample : samples()) {
    expect_agreement(sample);
    ++compared;
  }
  EXPECT_GE(compared, 50);
}

TEST_F(Explain, WhatIsRememberedComesWithTheLineThatWouldChangeIt) {
  origin_.otherwise(
      [](const Request&) { return Reply(200).header("Set-Cookie", "seen=1").body("page"); });
  run();
  const Sample page = {"/swr/a"};
  get(page.target);
  const Json kept = explain(page)["stored"]["uncacheable"];
  EXPECT_EQ(kept["detail"], "set-cookie");
  EXPECT_EQ(kept["change"]["yaml"], "set_cookie: { strip: [seen] }");
  EXPECT_EQ(kept["change"]["where"], "the route's cache");
}

TEST_F(Explain, WhatWasPurgedIsSaidToBe) {
  origin_.otherwise(page_of);
  run();
  const Sample page = {"/swr/a"};
  get(page.target);
  Json held = explain(page)["stored"]["held"][0];
  EXPECT_EQ(held["state"], "fresh");
  EXPECT_EQ(held["backend"], "ram");
  EXPECT_EQ(held["status"], 200);
  const auto purge = [&](const char* body) {
    Client(weir().admin_port()).request("POST", "/v1/purge", {{"Host", "127.0.0.1"}}, body);
  };
  purge(R"({"url": "http://app.test/swr/a", "soft": true})");
  held = explain(page)["stored"]["held"][0];
  EXPECT_EQ(held["state"], "stale-while-revalidate");
  EXPECT_EQ(held["purged"], "soft");
  const Json now = explain(page)["now"];
  EXPECT_EQ(now["hit"], true);
  EXPECT_EQ(now["detail"], "stale-while-revalidate");
  purge(R"({"url": "http://app.test/swr/a"})");
  held = explain(page)["stored"]["held"][0];
  EXPECT_EQ(held["state"], "purged");
  EXPECT_EQ(held["purged"], "hard");
  EXPECT_EQ(explain(page)["now"]["fwd"], "uri-miss");
}

TEST_F(Explain, EachTierSaysWhatItHas) {
  origin_.otherwise(page_of);
  run();
  const Sample page = {"/shop/a"};
  get(page.target);
  await_written({"a page of /shop/a"});
  Json stored = explain(page)["stored"];
  ASSERT_EQ(stored["held"].size(), 2U) << stored.dump();
  EXPECT_EQ(stored["held"][0]["backend"], "ram");
  EXPECT_EQ(stored["held"][1]["backend"], "disk");
  restart(End::InOrder);
  drop_from_memory(segments_in(dir()));
  stored = explain(page)["stored"];
  ASSERT_EQ(stored["held"].size(), 1U) << stored.dump();
  EXPECT_EQ(stored["held"][0]["backend"], "disk");
  EXPECT_EQ(stored["missing"], Json({"ram"}));
  // The look has not brought it nearer.
  EXPECT_EQ(explain(page)["stored"]["missing"], Json({"ram"}));
  expect_agreement(page);
}

TEST_F(Explain, VariantsAndTheirFieldsAreNamed) {
  origin_.otherwise(page_of);
  run();
  get("/pages/vary", {{"X-Kind", "a"}});
  get("/pages/vary", {{"X-Kind", "b"}});
  const Json stored = explain({"/pages/vary", {{"X-Kind", "b"}}})["stored"];
  EXPECT_EQ(stored["vary"], Json({"x-kind"})) << stored.dump();
  EXPECT_EQ(stored["variants"], 2);
  EXPECT_EQ(stored["held"][0]["state"], "fresh");
}

TEST_F(Explain, ARefusalIsRememberedWithItsReasonAndTime) {
  origin_.otherwise(page_of);
  run();
  get("/pages/cookie");
  const Json known = explain({"/pages/cookie"})["stored"]["uncacheable"];
  EXPECT_EQ(known["detail"], "set-cookie");
  EXPECT_EQ(known["subject"], "visit");
  EXPECT_GT(known["for_ms"].get<int>(), 0);
  EXPECT_LE(known["for_ms"].get<int>(), 10'000);
}

TEST_F(Explain, AFetchUnderWayIsSeen) {
  const Gate gate;
  origin_.on("/pages/slow", cacheable("x").gate_head(gate));
  run();
  Client first = client();
  first.send(Client::message("GET", "/pages/slow"));
  origin_.await_hits("/pages/slow", 1);
  const Json said = explain({"/pages/slow"});
  EXPECT_EQ(said["stored"]["in_flight"], true);
  EXPECT_EQ(said["now"]["follows"], true);
  gate.open();
  EXPECT_EQ(first.read().status, 200);
}

TEST_F(Explain, BadQuestionsAreRefusedWithTheFieldAtFault) {
  run();
  const struct {
    const char* body;
    const char* field;
  } rows[] = {
      {R"({"method": "GET"})", "url"},
      {R"({"url": "ftp://x/"})", "url"},
      {R"({"url": "/a b"})", "url"},
      {R"({"url": "/a", "method": "G T"})", "method"},
      {R"({"url": "/a", "method": "TRACE"})", "method"},
      {R"({"url": "/a", "headers": ["nothing"]})", "headers"},
      {R"({"url": "/a", "headers": {"A": 1}})", "headers"},
      {R"({"url": "/a", "headers": {"A B": "1"}})", "headers"},
      {R"({"url": "/a", "headers": {"Host": "a b"}})", "headers"},
      {R"({"url": "/a", "headers": {"A": "1\r\nB: 2"}})", "headers"},
      {R"({"url": "/a", "heads": []})", "heads"},
  };
  for (const auto& row : rows) {
    const Response answer = ask(row.body);
    EXPECT_EQ(answer.status, 400) << row.body << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(std::string(R"("field":")") + row.field + '"')) << row.body;
  }
}

TEST_F(Explain, TheCommandSaysTheSameLiveAndOffline) {
  // Offline there is no app, no instance and no disk; live there is what is stored besides.
  origin_.otherwise(page_of);
  run();
  get("/pages/a");
  const std::string file = folder_.write(
      "offline.yaml",
      "backends: { ram: { type: ram }, disk: { type: disk, cache_dir: /nonexistent/x } }\n"
      "default: ram\n" +
          std::string(kRoutes));
  const std::vector<std::string> question = {"-H", "Cookie: who=1",
                                             "http://app.test/pages/a?utm_x=1"};
  std::vector<std::string> offline = {"explain", "-c", file};
  std::vector<std::string> live = {"explain", "--live", "--admin",
                                   "127.0.0.1:" + std::to_string(weir().admin_port())};
  for (auto* const arguments : {&offline, &live}) {
    arguments->insert(arguments->end(), question.begin(), question.end());
    const Outcome outcome = run_weir(*arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("route: rest ("));
    EXPECT_THAT(outcome.out, HasSubstr("cookie who: "));
    EXPECT_THAT(outcome.out, HasSubstr("cookies: { ignore: [who] }"));
    EXPECT_THAT(outcome.out, HasSubstr("weir; fwd=bypass; detail=cookie"));
    EXPECT_EQ(outcome.out.find("\nstored:") != std::string::npos, arguments == &live);
  }
  live.push_back("--json");
  EXPECT_EQ(Json::parse(run_weir(live).out)["class"], "personal");
  // A hit asks nobody; how the app would be asked does not depend on that.
  const std::vector<std::string> of_a_hit = {live[0], live[1],  live[2],
                                             live[3], "--json", "http://app.test/pages/a"};
  const Json hit = Json::parse(run_weir(of_a_hit).out);
  EXPECT_FALSE(hit["now"]["asks_app"]);
  EXPECT_EQ(hit["app"]["form"], "shared");
}

TEST_F(Explain, WrongUsageAndAbsentInstancesHaveTheirExitCodes) {
  const std::string file = folder_.write("weir.yaml", "routes: [{match: /**, cache: true}]\n");
  const struct {
    std::vector<std::string> arguments;
    int code;
    const char* err;
  } rows[] = {
      {{"explain", "-c", file}, 2, "wants a URL"},
      {{"explain", "-c", file, "nonsense"}, 2, "url: needs a path"},
      {{"explain", "-c", file, "-H", "nothing", "/"}, 2, "-H wants a header"},
      {{"explain", "-c", file, "-X", "A B", "/"}, 2, "method: is no method"},
      {{"explain", "-c", "/nonexistent.yaml", "/"}, 2, "cannot be read"},
      {{"explain", "--live", "--admin", "127.0.0.1:1", "/"}, 1, "nobody answers"},
      {{"explain", "-c", file, "/"}, 0, ""},
  };
  for (const auto& row : rows) {
    const Outcome outcome = run_weir(row.arguments);
    EXPECT_EQ(outcome.exit_code, row.code) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(row.err));
  }
}

TEST_F(Explain, TheConfigurationIsShownWithoutItsSecrets) {
  const std::string yaml = "admin: 127.0.0.1:0\nadmin_token: quiet\n" + std::string(kCacheAll);
  start(yaml);
  const Response answer =
      Client(weir().admin_port())
          .request("GET", "/v1/config", {{"Host", "127.0.0.1"}, {"Authorization", "Bearer quiet"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json config = Json::parse(answer.body);
  EXPECT_EQ(config["admin_token"], "***");
  EXPECT_EQ(answer.body.find("quiet"), std::string::npos);
  EXPECT_EQ(config["routes"][0]["cache"]["duration"], "1m");
  EXPECT_EQ(config["routes"][0]["match"][0][0]["path"], "/**");
  EXPECT_EQ(config["upstream"]["urls"][0], origin_.url());
}

}  // namespace
}  // namespace weir::test

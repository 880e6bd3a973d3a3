// What an explanation says of a request, by a configuration alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "backends/tiered.h"
#include "proxy/flow/outlook.h"
#include "proxy/make_site.h"
#include "tests/conf/load_support.h"

namespace weir::flow {
namespace {

using policy::Reason;
using policy::RequestClass;
using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kRoutes =
    "upstream: http://127.0.0.1:8000\n"
    "backends: { ram: { type: ram, default_expire: 7 }, deep: { type: ram } }\n"
    "default: [ram, deep]\n"
    "routes:\n"
    "  - { name: off, match: /off, cache: false }\n"
    "  - name: shop\n"
    "    match: /shop/**\n"
    "    cache:\n"
    "      duration: 60\n"
    "      query_params: [page]\n"
    "      language: [en, de]\n"
    "      headers: [X-Beta]\n"
    "      cookies: { key: [currency], session: [sid], ignore: [seen] }\n"
    "      statuses: { 404: 10s, 503: explicit }\n"
    "      stale_if_error: 1h\n"
    "  - { name: plain, match: /plain/**, cache: true }\n"
    "  - { name: sealed, match: /sealed/**, cache: { sealed: true, hostname: false } }\n";

class ExplainTest : public testing::Test {
 protected:
  // Explains it as a first request.
  const Explanation& ask(const std::string& url, const Headers& headers = {},
                         const std::string& method = "GET") {
    if (!site_) load(kRoutes);
    auto read = read_question({.url = url, .method = method, .headers = headers}, *site_->config);
    if (!read) throw std::runtime_error(read.error().field + ": " + read.error().message);
    asked_ = std::move(*read);
    const Planned planned = plan_question(asked_, *site_);
    outlook_ = outlook_of_first(asked_, planned);
    said_ = explain(asked_, planned, outlook_.form, *site_);
    return said_;
  }
  void load(const std::string& yaml) {
    const conf::LoadResult loaded = conf::load(yaml);
    ASSERT_TRUE(loaded.config) << conf::errors_of(loaded);
    BackendMap named;
    for (const conf::Backend& backend : loaded.config->backends) {
      named[backend.name] = backends::make_ram_backend(ram_options(backend));
    }
    site_ = make_site(loaded.config, make_upstreams(*loaded.config), named, &backends::make_tiered);
  }

  // "+page=2" is in the key, "-x=1" is not; with the reason behind a blank.
  std::vector<std::string> parts(std::string_view of) const {
    std::vector<std::string> out;
    for (const KeyPart& part : said_.key) {
      if (part.part != of) continue;
      const std::string name = part.name.empty() ? "" : part.name + "=";
      out.push_back((part.in_key ? "+" : "-") + name + part.value + " " + part.why);
    }
    return out;
  }
  // "-Cookie": removed; "~Accept": changed.
  std::vector<std::string> changes() const {
    std::vector<std::string> out;
    for (const Change& change : said_.sent.changes) {
      out.push_back((change.removed ? "-" : "~") + change.name);
    }
    return out;
  }
  std::string sent(std::string_view name) const {
    for (const Line& line : said_.sent.fields) {
      if (line.name == name) return line.value;
    }
    return "";
  }
  std::string verdict_on(std::string_view answer) const {
    for (const SampleVerdict& sample : said_.storing->samples) {
      if (sample.answer != answer) continue;
      return sample.refusal ? std::string(policy::token(sample.refusal.reason))
                            : std::to_string(sample.ttl_s);
    }
    return "no such answer";
  }

  std::shared_ptr<const Site> site_;
  AskedRequest asked_;
  Outlook outlook_;
  Explanation said_;
};

using Texts = std::vector<std::string>;

TEST_F(ExplainTest, TheRouteIsNamedWithItsPlace) {
  ask("http://app.test/shop/a");
  EXPECT_EQ(said_.route, "shop");
  EXPECT_EQ(said_.place.file, "weir.yaml");
  EXPECT_EQ(said_.place.line, 6);
  EXPECT_EQ(said_.url, "http://app.test/shop/a");
  ask("/none");
  EXPECT_FALSE(said_.route_matches);
  EXPECT_EQ(said_.refusal.reason, Reason::NoRoute);
  EXPECT_EQ(said_.url, "http://localhost/none");
}

TEST_F(ExplainTest, EveryPartOfTheKeySaysWhereItCameFrom) {
  ask("http://App.test:80/shop/a?x=1&page=2&utm_source=n",
      {{"Accept-Language", "de-CH, fr"},
       {"X-Beta", "1"},
       {"HX-Request", "true"},
       {"Accept", "text/html"},
       {"Cookie", "currency=EUR; seen=1; _ga=2"}});
  EXPECT_EQ(parts("scheme"), (Texts{"+http of the connection"}));
  EXPECT_EQ(parts("authority"), (Texts{"+app.test Host"}));
  EXPECT_EQ(parts("query"),
            (Texts{"-x=1 not among query_params: [page]", "+page=2 query_params: [page]",
                   "-utm_source=n not among query_params: [page]"}));
  EXPECT_EQ(parts("language"), (Texts{"+de language: [en, de]"}));
  EXPECT_EQ(parts("header"), (Texts{"+x-beta=1 headers",
                                    "+accept=text/html built in: the kind of "
                                    "Accept",
                                    "+hx-request=true built in: frameworks answer by it"}));
  EXPECT_EQ(parts("cookie"),
            (Texts{"+currency=EUR cookies: {key: [currency]}", "-seen=1 cookies: {ignore: [seen]}",
                   "-_ga=2 harmless (built-in list)"}));
  EXPECT_EQ(said_.kind, RequestClass::Shared);
}

TEST_F(ExplainTest, TrackingAndSignaturesAreTold) {
  ask("/plain/a?utm_source=n&b=1");
  EXPECT_EQ(parts("query"),
            (Texts{"-utm_source=n a tracking parameter (built-in list; query_params: {tracking: "
                   "keep} keeps it)",
                   "+b=1 query_params: true"}));
  ask("/shop/a?x=1&sig=abc");
  EXPECT_EQ(parts("query").front(), "+x=1 the URL carries a signature: all of it, byte for byte");
}

TEST_F(ExplainTest, AnHttpsUrlIsOneThatAProxyTellsOf) {
  ask("https://app.test/plain/a");
  EXPECT_EQ(parts("scheme"), (Texts{"+https X-Forwarded-Proto of a trusted proxy"}));
  EXPECT_EQ(said_.url, "https://app.test/plain/a");
  EXPECT_EQ(sent("X-Forwarded-Proto"), "https");
}

TEST_F(ExplainTest, WhatMakesARequestPersonalIsNamedWithTheLineThatChangesIt) {
  const struct {
    const char* url;
    Headers headers;
    Reason reason;
    const char* subject;
    const char* yaml;
  } rows[] = {
      {"/plain/a", {{"Cookie", "who=1"}}, Reason::Cookie, "who", "cookies: { ignore: [who] }"},
      {"/shop/a",
       {{"Cookie", "who=1"}},
       Reason::Cookie,
       "who",
       "cookies: { key: [currency], session: [sid], ignore: [seen, who] }"},
      {"/shop/a", {{"Cookie", "sid=1"}}, Reason::Session, "sid", ""},
      {"/plain/a",
       {{"Authorization", "x"}},
       Reason::Authorization,
       "Authorization",
       "headers: [Authorization]"},
      {"/shop/a",
       {{"X-Api-Key", "x"}},
       Reason::Authorization,
       "X-Api-Key",
       "headers: [X-Beta, X-Api-Key]"},
      {"/off", {}, Reason::RouteOff, "", "cache: { duration: 60 }"},
      {"/none", {}, Reason::NoRoute, "", "- { match: \"/none\", cache: { duration: 60 } }"},
  };
  for (const auto& row : rows) {
    ask(row.url, row.headers);
    EXPECT_EQ(said_.refusal.reason, row.reason) << row.url;
    EXPECT_EQ(said_.refusal.subject, row.subject) << row.url;
    EXPECT_EQ(said_.advice.yaml, row.yaml) << row.url;
    EXPECT_FALSE(said_.advice.means.empty()) << row.url;
  }
}

TEST_F(ExplainTest, TheLineOfAnAdviceIsOneThatLoadsAndHelps) {
  const Headers cookie = {{"Cookie", "who=1"}};
  const Headers token = {{"X-Api-Key", "x"}};
  for (const Headers& headers : {cookie, token}) {
    load("upstream: http://127.0.0.1:8000\nroutes: [{match: /**, cache: true}]\n");
    ask("/a", headers);
    ASSERT_EQ(said_.kind, RequestClass::Personal);
    load("upstream: http://127.0.0.1:8000\nroutes: [{match: /**, cache: { " + said_.advice.yaml +
         " }}]\n");
    ask("/a", headers);
    EXPECT_EQ(said_.kind, RequestClass::Shared) << headers.front().first;
  }
}

TEST_F(ExplainTest, TheAppsRequestIsShownWithWhatWasTakenOut) {
  ask("http://app.test/shop/a?x=1&page=2", {{"Cookie", "seen=1"},
                                            {"Accept-Language", "de-CH"},
                                            {"Cache-Control", "no-cache"},
                                            {"Range", "bytes=0-1"},
                                            {"X-Original-URL", "/admin"},
                                            {"X-CSRF-Token", "t"},
                                            {"User-Agent", "u"}});
  EXPECT_EQ(said_.sent.request_line, "GET /shop/a?page=2 HTTP/1.1");
  EXPECT_EQ(sent("Host"), "app.test");
  EXPECT_EQ(sent("Accept-Language"), "de");
  EXPECT_EQ(sent("User-Agent"), "u");
  EXPECT_EQ(sent("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(changes(), (Texts{"-query", "-Cookie", "~Accept-Language", "-Cache-Control", "-Range",
                              "-X-Original-URL", "-X-CSRF-Token"}));
  ask("http://app.test/sealed/a", {{"User-Agent", "u"}});
  EXPECT_EQ(changes(), (Texts{"-User-Agent"}));
  EXPECT_EQ(sent("Host"), "127.0.0.1:8000");  // hostname: false
  EXPECT_EQ(parts("authority"), (Texts{"-app.test hostname: false (the app is sent "
                                       "127.0.0.1:8000)"}));
}

TEST_F(ExplainTest, LifetimesAndRefusalsAreThoseOfTheRule) {
  ask("/shop/a");
  const StoringRules& rules = *said_.storing;
  EXPECT_EQ(rules.tiers, (Texts{"ram", "deep"}));
  EXPECT_EQ(rules.origin, "honor");
  EXPECT_EQ(rules.stale_if_error_s, 3600);
  ASSERT_EQ(rules.lifetimes.size(), 3U);
  EXPECT_EQ(rules.lifetimes[0].seconds, 60);
  EXPECT_EQ(rules.lifetimes[0].source, "duration");
  EXPECT_EQ(rules.lifetimes[1].seconds, 10);
  EXPECT_EQ(rules.lifetimes[1].source, "statuses");
  EXPECT_EQ(rules.lifetimes[2].source, "the app alone");
  EXPECT_EQ(verdict_on("a page that says nothing"), "60");
  EXPECT_EQ(verdict_on("Cache-Control: max-age=3600"), "3600");
  EXPECT_EQ(verdict_on("Cache-Control: private"), "private");
  EXPECT_EQ(verdict_on("Set-Cookie: id=1"), "set-cookie");
  EXPECT_EQ(verdict_on("404"), "10");
  EXPECT_EQ(verdict_on("301"), "status");
  ask("/plain/a");
  EXPECT_EQ(said_.storing->lifetimes[0].seconds, 7);
  EXPECT_EQ(said_.storing->lifetimes[0].source, "default_expire");
  EXPECT_EQ(verdict_on("404"), "status");
}

TEST_F(ExplainTest, TheOutlookIsTheCacheStatusOfAFirstRequest) {
  const struct {
    const char* url;
    Headers headers;
    const char* method;
    const char* status;
  } rows[] = {
      {"/plain/a", {}, "GET", "weir; fwd=uri-miss; stored; ttl=7"},
      {"/plain/a", {}, "HEAD", "weir; fwd=uri-miss; detail=method"},
      {"/plain/a", {}, "POST", "weir; fwd=method; detail=method"},
      {"/plain/a", {{"Cookie", "who=1"}}, "GET", "weir; fwd=bypass; detail=cookie"},
      {"/plain/a?ticket=1", {{"Cookie", "_ga=1"}}, "GET", "weir; fwd=bypass; detail=cookie"},
      {"/plain/a", {{"Cache-Control", "only-if-cached"}}, "GET", "weir; detail=only-if-cached"},
      {"/off", {}, "GET", "weir; fwd=bypass; detail=route-off"},
      {"/none", {}, "GET", "weir; fwd=bypass; detail=no-route"},
  };
  for (const auto& row : rows) {
    ask(row.url, row.headers, row.method);
    std::string status;
    policy::append_cache_status(status, outlook_.outcome);
    EXPECT_EQ(status, row.status) << row.method << " " << row.url;
  }
}

TEST_F(ExplainTest, AQuestionThatNoClientCouldAskIsRefused) {
  load(kRoutes);
  const struct {
    Question question;
    const char* field;
  } rows[] = {
      {{.url = ""}, "url"},
      {{.url = "shop"}, "url"},
      {{.url = "http://"}, "url"},
      {{.url = "/a\n"}, "url"},
      {{.url = "/a", .method = "CONNECT"}, "method"},
      {{.url = "/a", .method = ""}, "method"},
      {{.url = "/a", .headers = {{"", "x"}}}, "headers"},
      {{.url = "/a", .headers = {{"Host", "a"}, {"Host", "b"}}}, "headers"},
      {{.url = "/a", .headers = {{"Content-Length", "x"}}}, "headers"},
  };
  for (const auto& row : rows) {
    const auto read = read_question(row.question, *site_->config);
    ASSERT_FALSE(read) << row.question.url;
    EXPECT_EQ(read.error().field, row.field) << row.question.url << read.error().message;
  }
}

}  // namespace
}  // namespace weir::flow

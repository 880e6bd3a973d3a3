// The admin address of the real binary: who may ask it, purges, probes; and PURGE on the main one.
#include <sys/stat.h>

#include "tests/e2e/admin_fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

TEST_F(Admin, APurgeForgetsWhatItMatches) {
  struct Row {
    const char* order;
    std::vector<std::string> gone;
  };
  const Row rows[] = {
      {R"({"url": "http://app.test/blog/1"})", {"/blog/1"}},
      {R"({"url": "https://APP.test/blog/1"})", {"/blog/1"}},
      {R"({"url": "http://app.test/blog/1?page=2#top"})", {"/blog/1?page=2"}},
      {R"({"url": "http://other.test/blog/1"})", {}},
      {R"({"prefix": "/blog/"})", {"/blog/1", "/blog/1?page=2", "/blog/2"}},
      {R"({"prefix": "app.test/blog/2"})", {"/blog/2"}},
      {R"({"prefix": "other.test/"})", {}},
      {R"({"prefix": "app.test:80/blog/2"})", {"/blog/2"}},
      {R"({"match": "app.test:443/*/2"})", {"/blog/2"}},
      {R"({"match": "**2"})", {"/blog/2"}},
      {R"({"match": "/*/2"})", {"/blog/2"}},
      {R"({"all": true})", {"/blog/1", "/blog/1?page=2", "/blog/2", "/other"}},
      {R"({"soft": false, "all": true})", {"/blog/1", "/blog/1?page=2", "/blog/2", "/other"}},
  };
  const std::vector<std::string> pages = {"/blog/1", "/blog/1?page=2", "/blog/2", "/other"};
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run();
  for (const Row& row : rows) {
    for (const std::string& page : pages) get(page);
    for (const std::string& page : pages) ASSERT_TRUE(is_hit(page)) << page;
    const Response answer = purge(row.order);
    EXPECT_EQ(answer.status, 200) << row.order << answer.body;
    EXPECT_THAT(answer.body,
                HasSubstr(R"({"purged":null,"instances":{"live":1,"acked":1},"took_ms":)"));
    for (const std::string& page : pages) {
      const bool gone = std::ranges::find(row.gone, page) != row.gone.end();
      EXPECT_EQ(is_hit(page), !gone) << row.order << " " << page;
    }
  }
}

TEST_F(Admin, APurgeOfAUrlTakesAllItsVariants) {
  origin_.otherwise(
      [](const Request&) { return cacheable("a page").header("Vary", "Accept-Language"); });
  run();
  const Fields german = {{"Accept-Language", "de"}};
  const Fields french = {{"Accept-Language", "fr"}};
  for (const Fields& fields : {german, french}) get("/page", fields);
  ASSERT_TRUE(is_hit("/page", german) && is_hit("/page", french));
  purge(R"({"url": "http://app.test/page"})");
  EXPECT_FALSE(is_hit("/page", german));
  EXPECT_FALSE(is_hit("/page", french));
}

TEST_F(Admin, ASoftPurgeMakesStale) {
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run();
  get("/page");
  EXPECT_EQ(purge(R"({"url": "http://app.test/page", "soft": true})").status, 200);
  EXPECT_EQ(status_of("/page").fwd, "stale");
}

TEST_F(Admin, AUrlThatNoRouteCachesIsCountedAsNone) {
  run("", "routes: [{match: /a, cache: {duration: 60}}, {match: /b, cache: false}]\n");
  EXPECT_THAT(purge(R"({"url": "http://app.test/b"})").body, HasSubstr(R"({"purged":0,)"));
  EXPECT_THAT(purge(R"({"url": "http://app.test/c"})").body, HasSubstr(R"({"purged":0,)"));
}

TEST_F(Admin, WhatWasPurgedIsGoneAfterAKill) {
  // The answer comes when the mark is on the disk.
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  begin(std::string(kOn) + on_disk());
  for (int i = 0; i < 10; ++i) {
    get("/page");
    await_written({"/page"});
    EXPECT_EQ(purge(R"({"prefix": "/page"})").status, 200);
    restart(End::Killed);
    EXPECT_FALSE(is_hit("/page")) << i;
  }
}

TEST_F(Admin, WhatCannotBeMeantIsRefusedAndChangesNothing) {
  struct Row {
    std::string body;
    const char* error;
  };
  const Row rows[] = {
      {"", R"("message":"the body is no JSON object")"},
      {"[]", R"("message":"the body is no JSON object")"},
      {R"({"all": true)", R"("message":"the body is no JSON object")"},
      {R"({"all": true} {})", R"("message":"the body is no JSON object")"},
      {"{}", R"("message":"needs one of url, prefix, match, tags, all")"},
      {R"({"soft": true})", R"("message":"needs one of url, prefix, match, tags, all")"},
      {R"({"all": false})", R"("field":"all")"},
      {R"({"all": 1})", R"("field":"all")"},
      {R"({"all": true, "url": "/a"})", R"("field":"all","message":"stands beside url")"},
      {R"({"all": true, "all": true})", R"("field":"all","message":"is given twice")"},
      {R"({"al": true})", R"("field":"al","message":"is not known here)"},
      {R"({"all": true, "soft": "yes"})", R"("field":"soft")"},
      {R"({"url": 7})", R"("field":"url","message":"is a text")"},
      {R"({"url": "/page"})", R"("field":"url","message":"needs the whole URL)"},
      {R"({"url": ""})", R"("field":"url")"},
      {R"({"url": "ftp://app.test/page"})", R"("field":"url")"},
      {R"({"url": "http://app.test/a b"})", R"("field":"url")"},
      {R"({"prefix": ""})", R"("field":"prefix","message":"needs a path)"},
      {R"({"prefix": "http://app.test/"})", R"("field":"prefix","message":"has no scheme)"},
      {R"({"prefix": "/)" + std::string(1024, 'x') + R"("})", R"("field":"prefix")"},
      {R"({"match": "page"})", R"("field":"match")"},
      // What would match nothing, though whoever asks for it believes that pages are gone.
      {R"({"match": "*"})", R"("field":"match")"},
      {R"({"match": "*.css"})", R"("field":"match")"},
      {R"({"match": "blog*"})", R"("field":"match")"},
      {R"({"match": "*.app.test/page"})", R"("field":"match")"},
      {R"({"match": "app.*/page"})", R"("field":"match")"},
      {R"({"match": "/page?q=*"})", R"("field":"match")"},
      {R"({"prefix": "/page?q"})", R"("field":"prefix")"},
      {R"({"prefix": "/page#top"})", R"("field":"prefix")"},
      {R"({"prefix": "/pa*"})", R"("field":"prefix")"},
      {R"({"tags": ["a\nb"]})", R"("field":"tags")"},
      {R"({"tags": ["\u0001values"]})", R"("field":"tags")"},
      {R"({"tags": ["  "]})", R"("field":"tags")"},
      {R"({"all": [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]})", "nested too deeply"},
  };
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run();
  get("/page");
  for (const Row& row : rows) {
    const Response answer = purge(row.body);
    EXPECT_EQ(answer.status, 400) << row.body;
    EXPECT_THAT(answer.body, HasSubstr("{\"error\":{")) << row.body;
    EXPECT_THAT(answer.body, HasSubstr(row.error)) << row.body;
  }
  EXPECT_EQ(purge(std::string(70'000, ' ')).status, 413);
  EXPECT_TRUE(is_hit("/page"));
}

TEST_F(Admin, UnknownCallsAndMethods) {
  run();
  EXPECT_EQ(ask("GET", "/nothing").status, 404);
  const Response answer = ask("GET", "/v1/purge");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.value("Allow"), "POST");
  EXPECT_EQ(ask("POST", "/healthz").status, 405);
  EXPECT_EQ(ask("HEAD", "/healthz").status, 200);
  // What is no call of the admin address is no page of the app's either.
  EXPECT_EQ(origin_.heads(), 0);
}

TEST_F(Admin, WhatTheSessionRefusesIsJsonToo) {
  run("limits: { request_line: 1KiB, headers: 1KiB }\n");
  const std::string host = "Host: 127.0.0.1\r\n";
  const struct {
    std::string message;
    int status;
  } rows[] = {
      {"GET /healthz HTTP/1.1\r\n\r\n", 400},
      {"TRACE / HTTP/1.1\r\n" + host + "\r\n", 405},
      {"GET /" + std::string(300'000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", 414},
      {"GET / HTTP/1.1\r\n" + host + "X: " + std::string(40'000, 'x') + "\r\n\r\n", 431},
      {"POST /v1/purge HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"PUT /v1/keys/a HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
  };
  for (const auto& row : rows) {
    Client client(weir().admin_port());
    client.send(row.message);
    const Response answer = client.read();
    EXPECT_EQ(answer.status, row.status) << row.message.substr(0, 60);
    EXPECT_EQ(answer.value("Content-Type"), "application/json");
    EXPECT_THAT(answer.body, HasSubstr(R"({"error":{"field":"","message":")"));
  }
  // Limits are about visitors.
  EXPECT_EQ(ask("PUT", "/v1/keys/" + std::string(2'000, 'k'), "x").status, 204);
  const Response absurd = ask("PUT", "/v1/keys/" + std::string(65'536, 'k'), "x");
  EXPECT_EQ(absurd.status, 400);
  EXPECT_THAT(absurd.body, HasSubstr(R"("field":"key")"));
}

TEST_F(Admin, WhoMayAsk) {
  struct Row {
    const char* method;
    const char* target;
    Fields fields;
    int status;
  };
  const Fields bearer = {{"Authorization", "Bearer s3cret"}};
  const Row rows[] = {
      {"POST", "/v1/purge", bearer, 200},
      {"POST", "/v1/purge", {{"Authorization", "bearer s3cret"}}, 200},
      {"POST", "/v1/purge", {}, 401},
      {"POST", "/v1/purge", {{"Authorization", "Bearer s3creT"}}, 401},
      {"POST", "/v1/purge", {{"Authorization", "Bearer s3cret2"}}, 401},
      {"POST", "/v1/purge", {{"Authorization", "Bearer "}}, 401},
      {"POST", "/v1/purge", {{"Authorization", "Basic s3cret"}}, 401},
      {"GET", "/nothing", {}, 401},
      // Probes and scrapers, which ask under an address in figures.
      {"GET", "/healthz", {}, 200},
      {"GET", "/readyz", {{"Host", "10.1.2.3:8081"}}, 200},
      {"GET", "/healthz", {{"Host", "[::1]:8081"}}, 200},
      // A name that somebody made point here.
      {"GET", "/healthz", {{"Host", "evil.test"}}, 421},
      {"GET", "/healthz", {{"Host", "evil.test:8081"}}, 421},
      {"GET", "/healthz", {{"Host", "localhost:8081"}}, 200},
      {"GET", "/healthz", {{"Host", "Weir.internal"}}, 200},
  };
  run("admin_token: s3cret\nadmin_hosts: [weir.internal]\n");
  for (const Row& row : rows) {
    const bool purges = std::string_view(row.target) == "/v1/purge";
    const Response answer =
        ask(row.method, row.target, purges ? R"({"all": true})" : "", row.fields);
    EXPECT_EQ(answer.status, row.status) << row.target << testing::PrintToString(row.fields);
  }
}

TEST_F(Admin, PagesOfOtherSitesChangeNothing) {
  struct Row {
    Fields fields;
    int status;
  };
  const Row rows[] = {
      {{{"Origin", "http://evil.test"}}, 403},    {{{"Origin", "null"}}, 403},
      {{{"Origin", "http://127.0.0.1:1"}}, 403},  {{{"Sec-Fetch-Site", "cross-site"}}, 403},
      {{{"Origin", "http://127.0.0.1"}}, 200},    {{{"Origin", "https://127.0.0.1"}}, 200},
      {{{"Sec-Fetch-Site", "same-origin"}}, 200}, {{{"Sec-Fetch-Site", "same-site"}}, 403},
      {{{"Sec-Fetch-Site", "none"}}, 200},
  };
  run();
  for (const Row& row : rows) {
    EXPECT_EQ(ask("POST", "/v1/purge", R"({"all": true})", row.fields).status, row.status)
        << testing::PrintToString(row.fields);
  }
}

TEST_F(Admin, IsNotReadyWhileItDrains) {
  // And is asked until the end; clients are served meanwhile.
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run("drain_delay: 60s\n");
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  weir().process().signal(SIGTERM);
  await_line("draining");
  const Response answer = ask("GET", "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "draining\n");
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  EXPECT_EQ(get("/page").status, 200);
  weir().process().signal(SIGTERM);
  EXPECT_EQ(weir().wait(), 1) << "the second signal ends it at once";
}

TEST_F(Admin, ListensOnASocketOfAnyName) {
  const std::string path = folder_.file("admin.sock");
  begin("admin: unix:" + path + "\n" + std::string(kCacheAll));
  Client client(Socket::connect_unix(path));
  EXPECT_EQ(client.request("GET", "/healthz", {{"Host", "weir"}}).status, 200);
  client.hang_up();
  EXPECT_EQ(weir().stop(), 0);
  struct stat there{};
  EXPECT_NE(stat(path.c_str(), &there), 0) << "its file goes with it";
}

TEST_F(Admin, CommandsAskIt) {
  struct Row {
    std::vector<std::string> arguments;
    int exit_code;
    std::string says;
  };
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run("admin_token: s3cret\n");
  const std::string here = "127.0.0.1:" + std::to_string(weir().admin_port());
  const Row rows[] = {
      {{"health"}, 0, "ready\n"},
      {{"health", "--json"}, 0, "{\"ready\":true}\n"},
      {{"purge", "http://app.test/page"},
       0,
       "purged: url http://app.test/page (1 of 1 instances, "},
      {{"purge", "--prefix", "/page", "--soft"}, 0, "made stale: prefix /page (1 of 1 instances, "},
      {{"purge", "--match", "/p*"}, 0, "purged: match /p* ("},
      {{"purge", "--all"}, 0, "purged: everything ("},
      {{"purge", "--all", "--json"}, 0, R"({"purged":null,"instances":{"live":1,"acked":1},)"},
      {{"purge", "/page"}, 1, "weir purge: url: needs the whole URL, such as"},
      {{"purge"}, 2, "weir purge: wants one of URL, --prefix, --match, --tag, --all\n"},
      {{"purge", "--all", "http://app.test/"}, 2, "weir purge: wants one of"},
      {{"purge", "--all", "--admin", "nowhere"}, 2, "weir purge: --admin: \"nowhere\" is not"},
      {{"purge", "--all", "--admin", "127.0.0.1:1"},
       1,
       "weir purge: nobody answers at 127.0.0.1:1 ("},
      {{"health", "--admin", "127.0.0.1:1"}, 1, "weir health: nobody answers at 127.0.0.1:1 ("},
      {{"health", "--admin", "127.0.0.1:" + std::to_string(weir().port())},
       1,
       "weir health: status 200: that is no admin address of Weir's\n"},
  };
  Command outside;
  outside.environment = {{"WEIR_ADMIN", here}, {"WEIR_ADMIN_TOKEN", "s3cret"}};
  for (const Row& row : rows) {
    get("/page");
    const Outcome outcome = run_weir(row.arguments, outside);
    EXPECT_EQ(outcome.exit_code, row.exit_code) << row.arguments.front() << outcome.err;
    EXPECT_THAT(outcome.out + outcome.err, testing::StartsWith(row.says));
    if (row.arguments.front() == "purge" && row.exit_code == 0) {
      EXPECT_FALSE(is_hit("/page")) << row.says;
    }
  }
  outside.environment.pop_back();
  const Outcome refused = run_weir({"purge", "--all"}, outside);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("authorization: needs the admin_token"));
}

TEST_F(Admin, PurgeOnTheMainAddressIsForThoseInPurgeAllow) {
  struct Row {
    const char* what;
    const char* yaml;
    Fields fields;
    int status;
  };
  const Row rows[] = {
      {"nobody", "", {}, 405},
      {"another address", "purge_allow: [10.0.0.0/8]\n", {}, 405},
      {"the peer", "purge_allow: [loopback]\n", {}, 200},
      {"a visitor of a trusted proxy",
       "purge_allow: [loopback]\n",
       {{"X-Forwarded-For", "203.0.113.7"}},
       405},
      {"who says he is somebody else",
       "purge_allow: [loopback]\n",
       {{"X-Forwarded-For", "127.0.0.1, 203.0.113.7"}},
       405},
      {"one of them behind proxies",
       "purge_allow: [203.0.113.7]\n",
       {{"X-Forwarded-For", "198.51.100.1, 203.0.113.7, 10.0.0.2"}},
       200},
      {"the peer, who is no proxy",
       "purge_allow: [loopback]\ntrusted_proxies: []\n",
       {{"X-Forwarded-For", "203.0.113.7"}},
       200},
      {"what is no address", "purge_allow: [loopback]\n", {{"X-Forwarded-For", "unknown"}}, 405},
      {"a proxy whose word is not believed",
       "purge_allow: [loopback]\n",
       {{"Forwarded", "for=127.0.0.1"}},
       405},
  };
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  for (const Row& row : rows) {
    begin(std::string(row.yaml) + std::string(kCacheAll));
    get("/page?a=1");
    const Response answer = client().request("PURGE", "/page?a=1", row.fields);
    EXPECT_EQ(answer.status, row.status) << row.what;
    EXPECT_EQ(is_hit("/page?a=1"), row.status != 200) << row.what;
    EXPECT_EQ(weir().stop(), 0);
  }
  for (const Request& request : origin_.requests("/page")) EXPECT_EQ(request.method, "GET");
}

TEST_F(Admin, TheTokenMayComeFromTheEnvironment) {
  const std::string path = folder_.write("token", "of-a-file\n");
  struct Row {
    std::vector<std::pair<std::string, std::string>> environment;
    const char* token;
  };
  const Row rows[] = {
      {{{"WEIR_ADMIN_TOKEN", "of-a-variable"}}, "of-a-variable"},
      {{{"WEIR_ADMIN_TOKEN_FILE", path}}, "of-a-file"},
      {{{"WEIR_ADMIN_TOKEN", "of-a-variable"}, {"WEIR_ADMIN_TOKEN_FILE", path}}, "of-a-variable"},
      {{{"WEIR_ADMIN_TOKEN", ""}, {"WEIR_ADMIN_TOKEN_FILE", path}}, "of-a-file"},
  };
  for (const Row& row : rows) {
    start(std::string(kOn) + std::string(kCacheAll), {.yaml = "", .environment = row.environment});
    EXPECT_EQ(purge(R"({"all": true})").status, 401);
    const Fields fields = {{"Authorization", "Bearer " + std::string(row.token)}};
    EXPECT_EQ(ask("POST", "/v1/purge", R"({"all": true})", fields).status, 200) << row.token;
    EXPECT_EQ(weir().stop(), 0);
  }
}

TEST_F(Admin, AnAddressThatNobodyAskedForIsNothingToFailFor) {
  // Two of them on one machine, say; the first has 8081, if nobody else has.
  const std::string quiet =
      "listen: 127.0.0.1:0\nworkers: 1\nupstream: " + origin_.url() + "\n" + std::string(kCacheAll);
  const auto launch = [&] { return Launch{.yaml = quiet}; };
  WeirProcess first(launch());
  WeirProcess second(launch());
  EXPECT_THAT(second.log_text(), HasSubstr("no admin address: "));
  EXPECT_THAT(second.log_text(), HasSubstr("(admin: gives another, or off)"));
}

}  // namespace
}  // namespace weir::test

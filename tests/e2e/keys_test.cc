// The low-level cache of the real binary: values that apps set and get by names of their own.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tests/e2e/keys_fixture.h"

namespace weir::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(Keys, AValueIsKeptWithItsTypeAndItsTime) {
  run();
  EXPECT_EQ(get("posts").status, 404);
  EXPECT_EQ(ask("PUT", "/v1/keys/posts?duration=60", "[7]", {{"Content-Type", "application/json"}})
                .status,
            204);
  const Response found = get("posts");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, "[7]");
  EXPECT_EQ(found.fields.value("Content-Type"), "application/json");
  EXPECT_EQ(found.fields.value("Age"), "0");
  EXPECT_FALSE(found.fields.value("Date").empty());
  EXPECT_EQ(found.fields.value("Cache-Control"), "max-age=60");
  EXPECT_THAT(found.fields.value("Content-Security-Policy"), HasSubstr("sandbox"));
  const Response head = ask("HEAD", "/v1/keys/posts");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.value("Content-Length"), "3");
  EXPECT_EQ(put("posts", "").status, 204);
  EXPECT_EQ(get("posts").body, "");
  EXPECT_EQ(get("posts").fields.value("Content-Type"), "application/octet-stream");
  EXPECT_EQ(get("posts").fields.value("Cache-Control"), "max-age=300");
}

TEST_F(Keys, OddNamesAndBytesAreKeptAsTheyAre) {
  run();
  const char* names[] = {"..",  "%2E%2E/%2e", "a/b//c", "%2F",      "%2A", "%00",   "%0D%0A",
                         "%FF", "%C3%A9",     "a+b",    "a%20b",    "%25", "?",     "%3Fq",
                         "~",   "a:b",        "a;b=c",  "%7B%22k%", "a&b", "'\"<>", "%2541"};
  int number = 0;
  for (const std::string name : names) {
    const std::string body = std::string("\0\r\n\xff", 4) + std::to_string(++number);
    if (name == "?" || name == "%7B%22k%" || name == "'\"<>") continue;  // no path of a request
    EXPECT_EQ(put(name, body).status, 204) << name;
    EXPECT_EQ(get(name).body, body) << name;
  }
  EXPECT_EQ(get("%2f").body, get("%2F").body);
  EXPECT_EQ(get("%41").status, 404);
}

TEST_F(Keys, NoValuePosesAsAPage) {
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run();
  Client client(weir().port());
  client.get("/page");
  EXPECT_EQ(put("/page", "a value").status, 204);
  EXPECT_EQ(put("http://app.test/page", "a value").status, 204);
  EXPECT_EQ(client.get("/page").body, "a page");
  EXPECT_EQ(ask("DELETE", "/v1/keys").status, 200);
  EXPECT_EQ(get("/page").status, 404);
  EXPECT_THAT(client.get("/page").fields.value("Cache-Status"), HasSubstr("hit"));
}

TEST_F(Keys, GetOrSetKeepsTheFirst) {
  run();
  const Response first = ask("POST", "/v1/keys/a", "one");
  EXPECT_EQ(first.status, 201);
  const Response second = ask("POST", "/v1/keys/a", "two");
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, "one");
  EXPECT_EQ(get("a").body, "one");
}

TEST_F(Keys, OfManyWhoGetOrSetAtOnceOneSets) {
  run_with_disk();
  const struct {
    std::string backend;
    std::size_t bytes;
  } rows[] = {{"ram", 10}, {"ram", 1'000'000}, {"disk", 10}, {"disk", 2'000'000}};
  for (const auto& row : rows) {
    const std::string target = "/v1/keys/" + std::to_string(row.bytes) + "?backend=" + row.backend;
    std::atomic<int> made = 0;
    std::vector<std::thread> callers;
    std::mutex mutex;
    std::set<std::string> seen;
    for (int i = 0; i < 8; ++i) {
      callers.emplace_back([&, i] {
        const std::string mine = numbered(i, row.bytes);
        const Response answer = ask("POST", target, mine);
        if (answer.status == 201) ++made;
        const std::lock_guard lock(mutex);
        seen.insert(answer.status == 201 ? mine : std::string(answer.body));
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(made, 1) << target;
    EXPECT_EQ(seen.size(), 1U) << target;
    EXPECT_TRUE(ask("GET", target).body == *seen.begin()) << target;
  }
}

TEST_F(Keys, ClearingSaysHowMany) {
  run_with_disk();
  for (const std::string backend : {"?backend=ram", "?backend=disk"}) {
    for (const char* key : {"user:1", "user:2", "user%2A", "other"}) put(key, "x", backend);
    EXPECT_EQ(ask("DELETE", "/v1/keys/user:1" + backend).body, "{\"cleared\":1}\n");
    EXPECT_EQ(ask("DELETE", "/v1/keys/user:1" + backend).body, "{\"cleared\":0}\n");
    EXPECT_EQ(get("user:1", backend).status, 404);
    EXPECT_EQ(ask("DELETE", "/v1/keys/user%2A" + backend).body, "{\"cleared\":1}\n");
    EXPECT_EQ(get("user:2", backend).status, 200);
    EXPECT_EQ(ask("DELETE", "/v1/keys/user*" + backend).body, "{\"cleared\":1}\n");
    EXPECT_EQ(get("user:2", backend).status, 404);
    EXPECT_EQ(get("other", backend).status, 200);
  }
  const std::string all = ask("DELETE", "/v1/keys?backend=ram").body;
  EXPECT_TRUE(all.starts_with(R"({"cleared":null,"instances":{"live":1,"acked":1},)")) << all;
  EXPECT_EQ(get("other", "?backend=ram").status, 404);
  EXPECT_EQ(get("other", "?backend=disk").status, 200);
  EXPECT_EQ(ask("POST", "/v1/purge", R"({"all": true})").status, 200);
  EXPECT_EQ(get("other", "?backend=disk").status, 404);
}

TEST_F(Keys, WhatIsClearedStaysSoAfterARestart) {
  run_with_disk();
  for (const char* key : {"a", "b", "c"}) put(key, std::string(key) + " is here");
  ask("DELETE", "/v1/keys/a");
  await_written({"c is here"});
  restart(End::InOrder);
  EXPECT_EQ(get("a").status, 404);
  EXPECT_EQ(get("b").body, "b is here");
  EXPECT_EQ(ask("DELETE", "/v1/keys").status, 200);
  restart(End::Killed);
  EXPECT_EQ(get("b").status, 404);
}

TEST_F(Keys, ListsThemInPages) {
  run_with_disk();
  for (int i = 0; i < 25; ++i) {
    put("user:" + std::to_string(i), "12345", i % 2 ? "?backend=ram" : "?backend=disk");
  }
  put("other", "x");
  std::set<std::string> paths;
  std::string cursor;
  int pages = 0;
  do {
    const Response page = ask("GET", "/v1/keys?match=user*&limit=10&cursor=" + cursor);
    ASSERT_EQ(page.status, 200) << page.body;
    const std::string body(page.body);
    for (std::size_t at = 0; (at = body.find("\"path\":\"", at)) != std::string::npos; ++at) {
      const std::size_t from = at + 8;
      EXPECT_TRUE(paths.insert(body.substr(from, body.find('"', from) - from)).second);
    }
    EXPECT_THAT(body, Not(HasSubstr("other")));
    const std::size_t at = body.find("\"cursor\":\"");
    cursor = at == std::string::npos ? "" : body.substr(at + 10, body.find('"', at + 10) - at - 10);
    ASSERT_LT(++pages, 10);
  } while (!cursor.empty());
  EXPECT_EQ(paths.size(), 25U);
  const Response all = ask("GET", "/v1/keys?backend=ram&limit=1000");
  EXPECT_THAT(std::string(all.body),
              AllOf(HasSubstr(R"("size":5,"age":0,"ttl":)"), HasSubstr(R"("backend":"ram")"),
                    Not(HasSubstr(R"("backend":"disk")")), HasSubstr(R"("cursor":null)")));
}

TEST_F(Keys, LargeValuesGoToDiskAndComeBackWhole) {
  run_with_disk();
  const std::size_t sizes[] = {0, 1, 4096, 4097, 65536, 262144, 300000, 1048576, 5000000};
  int number = 0;
  for (const std::size_t size : sizes) {
    const std::string body = numbered(++number, size);
    const std::string key = "k" + std::to_string(size);
    ASSERT_EQ(put(key, body).status, 204) << size;
    EXPECT_EQ(get(key).body, body) << size;
    EXPECT_EQ(get(key).fields.value("Cache-Control").substr(0, 10), "max-age=77");
  }
  // Above what a backend takes: refused before the bytes come, and what was there is gone or stays,
  // but never half.
  EXPECT_EQ(put("large", numbered(9, 20'000'000), "?backend=ram").status, 413);
  EXPECT_EQ(get("large", "?backend=ram").status, 404);
}

TEST_F(Keys, FaultsNameTheFieldAndChangeNothing) {
  run();
  put("a", "here");
  struct Row {
    const char* method;
    std::string target;
    int status;
    const char* field;
  };
  const Row rows[] = {
      {"PUT", "/v1/keys/a?backend=none", 400, "backend"},
      {"PUT", "/v1/keys/a?duration=soon", 400, "duration"},
      {"PUT", "/v1/keys/a?duration=0", 400, "duration"},
      {"PUT", "/v1/keys/", 400, "key"},
      {"PUT", "/v1/keys/a*", 400, "key"},
      {"GET", "/v1/keys/" + std::string(4096, 'k'), 400, "key"},
      {"PATCH", "/v1/keys/a", 405, "method"},
      {"POST", "/v1/keys", 405, "method"},
      {"GET", "/v1/keys?cursor=zz", 400, "cursor"},
      {"GET", "/v1/keys?cursor=9.0.", 400, "cursor"},
      {"DELETE", "/v1/keys?match=a", 400, "match"},
      {"HEAD", "/v1/keys/b?lease=1s", 400, ""},
  };
  for (const Row& row : rows) {
    const Response answer = ask(row.method, row.target, "body");
    EXPECT_EQ(answer.status, row.status) << row.method << " " << row.target;
    if (*row.field) {
      EXPECT_THAT(std::string(answer.body),
                  HasSubstr(std::string(R"("field":")") + row.field + "\""))
          << row.target;
    }
  }
  EXPECT_EQ(get("a").body, "here");
}

TEST_F(Keys, APageOfAnotherSiteChangesNothing) {
  run();
  const Fields foreign = {{"Origin", "https://evil.example"}};
  put("a", "here");
  EXPECT_EQ(ask("PUT", "/v1/keys/a", "x", foreign).status, 403);
  EXPECT_EQ(ask("DELETE", "/v1/keys/a", "", foreign).status, 403);
  EXPECT_EQ(ask("GET", "/v1/keys/b?lease=10s", "", foreign).status, 403);
  // Another port of this host is another site as well.
  const Fields image = {{"Sec-Fetch-Site", "same-site"}};
  EXPECT_EQ(ask("GET", "/v1/keys/b?lease=10s", "", image).status, 403);
  EXPECT_EQ(ask("PUT", "/v1/keys/a", "x", {{"Host", "evil.example"}}).status, 421);
  EXPECT_EQ(get("a").body, "here");
  EXPECT_FALSE(get("b", "?lease=10s").fields.value("Weir-Lease").empty());
}

TEST_F(Keys, TheCommandsDoTheSame) {
  run();
  const std::string admin = "127.0.0.1:" + std::to_string(weir().admin_port());
  const auto command = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--admin", admin});
    return run_weir(std::move(arguments));
  };
  EXPECT_EQ(command({"set", "a b/..*", "the value", "--duration", "60"}).exit_code, 0);
  EXPECT_EQ(command({"get", "a b/..*"}).exit_code, 0);
  EXPECT_EQ(command({"get", "a b/..*"}).out, "the value");
  EXPECT_EQ(get("a%20b%2F..%2A").body, "the value");
  EXPECT_EQ(command({"set", "none"}).exit_code, 0);  // standard input is empty
  EXPECT_EQ(command({"get", "none"}).out, "");
  EXPECT_EQ(command({"clear", "--exact", "a*"}).exit_code, 1);
  EXPECT_EQ(command({"clear", "a*"}).out, "cleared: 1\n");
  const Outcome absent = command({"get", "a b/..*"});
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_EQ(absent.err, "weir get: key: is not here\n");
  EXPECT_EQ(command({"set", "a", "x", "--duration", "soon"}).exit_code, 1);
  EXPECT_EQ(command({"get", "gone", "--json"}).out, R"({"key":"gone","found":false})"
                                                    "\n");
  EXPECT_EQ(command({"set", "b", "x", "--json", "--type", "text/plain"}).out,
            R"({"key":"b","stored":true})"
            "\n");
  EXPECT_EQ(command({"get", "b", "--json"}).out,
            R"({"key":"b","found":true,"content_type":"text/plain","size":1,"value":"x"})"
            "\n");
  put("bytes", "\xFF\x01");
  EXPECT_THAT(command({"get", "bytes", "--json"}).out,
              HasSubstr(R"("size":2,"value_base64":"/wE="})"));
  EXPECT_EQ(command({"clear"}).out, "cleared: all values and all pages\n");
  EXPECT_EQ(get("none").status, 404);
  EXPECT_EQ(command({"get"}).exit_code, 2);
  for (const char* verb : {"set", "get", "clear"}) {  // a key that begins as options do
    std::vector<std::string> arguments = {verb, "--admin", admin, "--", "-x"};
    if (verb == std::string_view("set")) arguments.emplace_back("v");
    EXPECT_EQ(run_weir(arguments).exit_code, 0) << verb;
  }
  EXPECT_EQ(command({"set", ""}).exit_code, 2);
  const Outcome nobody = run_weir({"get", "a", "--admin", "127.0.0.1:1"});
  EXPECT_EQ(nobody.exit_code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("nobody answers at 127.0.0.1:1"));
}

}  // namespace
}  // namespace weir::test

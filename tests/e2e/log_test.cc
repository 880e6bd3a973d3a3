// The access log: one line per request, whatever the request holds; never in the way.
#include <fstream>

#include "tests/e2e/fixture.h"
#include "tests/support/json_line.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Log : public E2e {
 protected:
  void SetUp() override {
    origin_.otherwise([](const Request&) { return cacheable("hello"); });
  }
  std::map<std::string, std::string> line(std::size_t number) {
    return parse_json_line(weir().await_log(number).at(number - 1));
  }
};

TEST_F(Log, JsonTellsWhatHappened) {
  // The fields that dashboards rely on, of a miss, a hit and a pass.
  start("routes: [ { name: blog, match: /blog/**, cache: { duration: 60 } } ]\n");
  Client one = client();
  one.get("/blog/x?q=1", {{"Referer", "http://ref/"}, {"User-Agent", "probe \"1\""}});
  auto miss = line(1);
  for (const char* name :
       {"time", "client", "method", "target", "host", "version", "status", "bytes", "route",
        "cache", "detail", "upstream_ms", "total_ms", "referer", "user_agent"})
    EXPECT_TRUE(miss.contains(name)) << name;
  EXPECT_EQ(miss["client"], "127.0.0.1");
  EXPECT_EQ(miss["method"], "GET");
  EXPECT_EQ(miss["target"], "/blog/x?q=1");
  EXPECT_EQ(miss["host"], "app.test");
  EXPECT_THAT(miss["version"], HasSubstr("1.1"));
  EXPECT_EQ(miss["status"], "200");
  EXPECT_EQ(miss["bytes"], "5");
  EXPECT_EQ(miss["route"], "blog");
  EXPECT_EQ(miss["cache"], "miss");
  EXPECT_EQ(miss["referer"], "http://ref/");
  EXPECT_EQ(miss["user_agent"], "probe \"1\"");
  EXPECT_GE(std::stod(miss["total_ms"]), 0);
  one.get("/blog/x?q=1");
  EXPECT_EQ(line(2)["cache"], "hit");
  one.get("/none");
  auto pass = line(3);
  EXPECT_EQ(pass["cache"], "bypass");
  EXPECT_EQ(pass["detail"], "no-route");
}

TEST_F(Log, ErrorsOfWeirsOwnAreLoggedToo) {
  // 400, 405 and 502 have a line like any other.
  const Socket dead = Socket::refuse_tcp();
  start(std::string(kCacheAll) + "upstream: { url: \"http://127.0.0.1:" +
        std::to_string(dead.port()) + "\", retries: 0 }\n");
  Client bad = client();
  bad.send("GET /\x01 HTTP/1.1\r\n\r\n");
  bad.read();
  EXPECT_EQ(line(1)["status"], "400");
  client().request("TRACE", "/t");
  EXPECT_EQ(line(2)["status"], "405");
  get("/a");
  EXPECT_EQ(line(3)["status"], "502");
  EXPECT_EQ(line(3)["detail"], "upstream-error");
}

TEST_F(Log, TellsAResponseThatTheAppCut) {
  // Its status had gone out before: the detail says that it is not whole, whatever it was to be.
  const std::pair<const char*, Reply> cuts[] = {
      {"/length", Reply(200).header("Cache-Control", "max-age=60").length(10).part("a").close()},
      {"/chunked", Reply(200).chunked().part("a").close()},
      {"/private", Reply(200).header("Cache-Control", "private").length(10).part("a").close()},
      {"/reset", Reply(200).length(10).part("a").reset()},
      {"/none", Reply(200).length(10).part("a").close()},
  };
  for (const auto& [path, reply] : cuts) origin_.on(path, reply);
  start("routes: [ { match: /none }, { match: /**, cache: { duration: 60 } } ]\n");
  std::size_t count = 0;
  for (const auto& [path, reply] : cuts) {
    EXPECT_FALSE(get(path).complete) << path;
    auto cut = line(++count);
    EXPECT_EQ(cut["status"], "200") << path;
    EXPECT_EQ(cut["detail"], "truncated") << path;
  }
  get("/whole");
  EXPECT_EQ(line(++count)["detail"], "");
}

TEST_F(Log, CombinedIsApaches) {
  // format: combined, for the tools that read it.
  start(std::string(kCacheAll) + "access_log: { format: combined, to: stdout }\n");
  get("/a", {{"Referer", "http://ref/"}, {"User-Agent", "probe"}});
  EXPECT_THAT(weir().await_log(1).at(0),
              testing::MatchesRegex("127\\.0\\.0\\.1 - - \\[[^]]+\\] \"GET /a HTTP/1\\.1\" 200 5 "
                                    "\"http://ref/\" \"probe\".*"));
}

TEST_F(Log, NothingInARequestBreaksTheLine) {
  // Escapes, quotes, 8-bit bytes: one line each, printable, valid JSON; secrets stay out.
  start(kCacheAll);
  const std::vector<std::pair<std::string, Fields>> requests = {
      {"/%0a%1b[31m", {}},
      {"/a\"b\\", {}},
      {"/ua", {{"User-Agent", "\xff\xfe \"quoted\" \\ \t tab"}}},
      {"/ref", {{"Referer", "\xc3\xa9 and \xed\xa0\x80"}}},
      {"/secret", {{"Authorization", "Bearer hunter2"}, {"Cookie", "sid=hunter2"}}},
  };
  std::size_t count = 0;
  for (const auto& [target, fields] : requests) {
    get(target, fields);
    EXPECT_EQ(line(++count)["target"], target);
  }
  const auto lines = weir().await_log(count);
  EXPECT_EQ(lines.size(), count);
  for (const std::string& text : lines) {
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    for (const char byte : text) EXPECT_GE(static_cast<unsigned char>(byte), 0x20) << text;
  }
}

TEST_F(Log, CombinedCannotBeBrokenEither) {
  // A quote or an escape sequence in a field stays inside its quotes.
  start(std::string(kCacheAll) + "access_log: { format: combined }\n");
  get("/%0a%1b[31m", {{"User-Agent", "x\" 200 5 \"evil \xff"}});
  get("/end");
  const auto lines = weir().await_log(2);
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], Not(HasSubstr("x\" 200")));
  for (const char byte : lines[0]) EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << lines[0];
}

TEST_F(Log, Off) {
  // access_log: off writes nothing.
  start(std::string(kCacheAll) + "access_log: off\n");
  get("/a");
  EXPECT_EQ(weir().stop(), 0);
  EXPECT_EQ(weir().process().out().text(), "");
}

TEST_F(Log, ToAFile) {
  // A path as target: the lines go there and not to stdout.
  TempDir folder;
  start(std::string(kCacheAll) + "access_log: { format: json, to: " + folder.file("access.log") +
        " }\n");
  get("/a");
  EXPECT_EQ(weir().stop(), 0);
  EXPECT_EQ(weir().process().out().text(), "");
  std::ifstream file(folder.file("access.log"));
  std::string text;
  ASSERT_TRUE(std::getline(file, text));
  EXPECT_EQ(parse_json_line(text)["target"], "/a");
}

TEST_F(Log, ABlockedPipeNeverBlocksServing) {
  // Nobody reads the log: far more lines than a pipe holds, and every request is answered.
  start(kCacheAll, {.yaml = "", .read_stdout = false});
  Client one = client();
  const std::string target = "/" + std::string(1000, 'x');
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(one.get(target).body, "hello") << i;
  weir().process().out().start();
  EXPECT_EQ(weir().stop(), 0);
}

}  // namespace
}  // namespace weir::test

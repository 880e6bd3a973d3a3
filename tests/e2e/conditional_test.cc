// A client that has a copy: 304 from the store, without a body (RFC 9110 13, 15.4.5; 9111 4.3.2).
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

constexpr std::string_view kLastModified = "Sun, 15 Jun 2025 14:00:00 GMT";

class Conditional : public E2e {
 protected:
  void SetUp() override {
    origin_.on("/tagged", cacheable("the page")
                              .header("ETag", "\"v1\"")
                              .header("Last-Modified", std::string(kLastModified)));
    origin_.on("/dated", cacheable("the page").header("Last-Modified", std::string(kLastModified)));
    origin_.on("/missing", Reply(404)
                               .header("Cache-Control", "max-age=60")
                               .header("ETag", "\"v1\"")
                               .body("no such page"));
  }
  int status(const std::string& path, const Fields& fields) { return get(path, fields).status; }
};

TEST_F(Conditional, WhoseCopyIsStillGoodGets304WithoutABody) {
  start(kCacheAll);
  get("/tagged");
  Client client = this->client();
  const Response answer = client.get("/tagged", {{"If-None-Match", "\"v1\""}});
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.value("ETag"), "\"v1\"");
  EXPECT_EQ(answer.value("Cache-Control"), "max-age=60");
  EXPECT_TRUE(answer.fields.has("Date"));
  EXPECT_TRUE(answer.fields.has("Age"));
  EXPECT_EQ(answer.value("Via"), "1.1 weir");
  EXPECT_TRUE(cache_status(answer).hit) << answer.value("Cache-Status");
  // RFC 9110 15.4.5: no metadata of a representation that is not there.
  EXPECT_FALSE(answer.fields.has("Content-Length"));
  EXPECT_FALSE(answer.fields.has("Content-Type"));
  EXPECT_FALSE(answer.fields.has("Last-Modified"));
  EXPECT_EQ(client.get("/tagged").body, "the page") << "the connection goes on";
  EXPECT_EQ(origin_.hits("/tagged"), 1);
}

TEST_F(Conditional, LastModifiedIsToldWhereThereIsNoTag) {
  start(kCacheAll);
  get("/dated");
  const Response answer = get("/dated", {{"If-Modified-Since", std::string(kLastModified)}});
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(answer.value("Last-Modified"), kLastModified);
}

TEST_F(Conditional, TheStoredAnswerDecidesEachCondition) {
  // The comparison itself is tests/proxy/policy_select_test.cc's; here each kind once, end to end.
  start(kCacheAll);
  for (const std::string path : {"/tagged", "/dated", "/missing"}) get(path);
  EXPECT_EQ(status("/tagged", {{"If-None-Match", "W/\"v1\""}}), 304);
  EXPECT_EQ(status("/tagged", {{"If-None-Match", "\"v0\", \"v1\""}}), 304);
  EXPECT_EQ(status("/tagged", {{"If-None-Match", "*"}}), 304);
  EXPECT_EQ(status("/tagged", {{"If-None-Match", "\"v2\""}}), 200);
  EXPECT_EQ(status("/tagged", {{"If-None-Match", "\"v2\""},
                               {"If-Modified-Since", std::string(kLastModified)}}),
            200);
  EXPECT_EQ(status("/dated", {{"If-Modified-Since", "Sun, 15 Jun 2025 13:59:59 GMT"}}), 200);
  EXPECT_EQ(status("/missing", {{"If-None-Match", "\"v1\""}}), 404);
  EXPECT_EQ(client().request("HEAD", "/tagged", {{"If-None-Match", "\"v1\""}}).status, 304);
}

TEST_F(Conditional, AMissIsAskedForWholeAndSentWhole) {
  // The app never sees the condition: its 304 would be nothing to store.
  start(kCacheAll);
  const Response answer = get("/tagged", {{"If-None-Match", "\"v1\""}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "the page");
  EXPECT_FALSE(origin_.last("/tagged").fields.has("If-None-Match"));
}

TEST_F(Conditional, ARequestThatIsPassedThroughIsTheAppsToJudge) {
  origin_.on("/private", Reply(304).header("ETag", "\"v1\""));
  start("routes: [ { match: /cached/**, cache: true } ]\n");
  const Response answer = get("/private", {{"If-None-Match", "\"v1\""}});
  EXPECT_EQ(answer.status, 304);
  EXPECT_EQ(origin_.last("/private").fields.value("If-None-Match"), "\"v1\"");
}

TEST_F(Conditional, TheAccessLogSays304AndNoBytes) {
  WeirProcess& weir = start(kCacheAll);
  Client client = this->client();
  client.get("/tagged");
  client.get("/tagged", {{"If-None-Match", "\"v1\""}});
  EXPECT_THAT(weir.await_log(2).at(1), testing::HasSubstr("\"status\":304,\"bytes\":0"));
}

}  // namespace
}  // namespace weir::test

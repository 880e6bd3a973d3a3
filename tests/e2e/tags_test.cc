// Purges by tag, end to end: what the app says of a page, what clients see of it, what goes.
#include <algorithm>

#include "tests/e2e/admin_fixture.h"

namespace weir::test {
namespace {

using Tags = Admin;

TEST_F(Tags, APurgeForgetsWhatIsTagged) {
  struct Row {
    const char* order;
    std::vector<std::string> gone;
  };
  const Row rows[] = {
      {R"({"tags": ["post-7"]})", {"/cache-tag", "/xkey"}},
      {R"({"tags": ["post-8"]})", {"/surrogate"}},
      {R"({"tags": ["nobody", "posts"]})", {"/group"}},
      {R"({"tags": ["blog"]})", {"/cache-tag", "/xkey", "/surrogate", "/group", "/plain"}},
      {R"({"tags": ["nobody"]})", {}},
      {R"({"tags": [" post-8 "]})", {"/surrogate"}},  // trimmed, as a response's are
  };
  const std::vector<std::string> pages = {"/cache-tag", "/xkey", "/surrogate", "/group", "/plain"};
  origin_.otherwise([](const Request& request) {
    Reply reply = cacheable("a page");
    if (request.target == "/cache-tag") reply.header("Cache-Tag", "post-7, author-3");
    if (request.target == "/xkey") reply.header("xkey", "author-4 post-7");
    if (request.target == "/surrogate") reply.header("Surrogate-Key", "post-8");
    if (request.target == "/group") reply.header("Cache-Groups", R"("posts")");
    return reply;
  });
  run("", "routes: [{match: /**, cache: {duration: 60, tags: [blog]}}]\n");
  for (const Row& row : rows) {
    for (const std::string& page : pages) {
      const Response answer = get(page);
      for (const char* name : {"Cache-Tag", "xkey", "Surrogate-Key"}) {
        EXPECT_FALSE(answer.fields.has(name)) << page;
      }
      EXPECT_EQ(answer.fields.has("Cache-Groups"), page == "/group");
    }
    for (const std::string& page : pages) ASSERT_TRUE(is_hit(page)) << page;
    EXPECT_EQ(purge(row.order).status, 200) << row.order;
    for (const std::string& page : pages) {
      EXPECT_EQ(is_hit(page), std::ranges::count(row.gone, page) == 0) << row.order << page;
    }
  }
}

TEST_F(Tags, AnUnsafeAnswerInvalidatesAGroupOfItsOrigin) {
  origin_.otherwise([](const Request& request) {
    Reply reply = cacheable("a page");
    if (request.method == "POST") reply.header("Cache-Group-Invalidation", R"("posts")");
    return reply.header("Cache-Groups", R"("posts", "all")");
  });
  run();
  const Fields other = {{"Host", "other.test"}};
  get("/a");
  get("/a", other);
  get("/b");
  ASSERT_TRUE(is_hit("/a"));
  Client(weir().port()).request("POST", "/form", {}, "x");
  EXPECT_FALSE(is_hit("/a"));
  EXPECT_FALSE(is_hit("/b"));
  EXPECT_TRUE(is_hit("/a", other));
}

TEST_F(Tags, OutliveARestart) {
  origin_.otherwise([](const Request& request) {
    return cacheable("the page " + request.target).header("Cache-Tag", "post-7");
  });
  begin(std::string(kOn) + on_disk());
  get("/a");
  await_written({"the page /a"});
  restart(End::InOrder);
  ASSERT_TRUE(is_hit("/a"));
  EXPECT_EQ(purge(R"({"tags": ["post-7"]})").status, 200);
  restart(End::Killed);
  EXPECT_FALSE(is_hit("/a"));
}

TEST_F(Tags, NobodyJoinsAFetchThatBeganBeforeItsTagWasPurged) {
  const Gate gate;
  int asked = 0;
  origin_.otherwise([&](const Request&) {
    Reply reply = cacheable("version " + std::to_string(++asked)).header("Cache-Tag", "post-7");
    if (asked == 1) reply.gate_head(gate);
    return reply;
  });
  run();
  Client first(weir().port());
  first.send(Client::message("GET", "/a"));
  gate.await_arrivals(1);
  EXPECT_EQ(purge(R"({"tags": ["post-7"]})").status, 200);
  Client second(weir().port());
  second.send(Client::message("GET", "/a"));
  gate.open();
  EXPECT_EQ(first.read().body, "version 1");
  EXPECT_EQ(second.read().body, "version 2");
  EXPECT_EQ(get("/a").body, "version 2");
}

}  // namespace
}  // namespace weir::test

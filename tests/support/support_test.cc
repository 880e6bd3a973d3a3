// The tools are trusted by every other test, so they are tested themselves, against each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/cache_status.h"
#include "tests/support/client.h"
#include "tests/support/json_line.h"
#include "tests/support/origin.h"

namespace weir::test {
namespace {

TEST(Support, ClientAndOriginUnderstandEachOther) {
  // Every framing of an answer, on one connection.
  Origin origin;
  origin.on("/length", Reply(200).header("X-A", "1").header("X-A", "2").body("hello"));
  origin.on("/chunked", Reply(200).chunked().part("hel").part("lo"));
  origin.on("/post", [](const Request& request) { return Reply(201).body(request.body); });
  origin.on("/close", Reply(200).until_close().part("hello"));
  Client client(origin.port());
  EXPECT_EQ(client.get("/length").fields.joined("x-a"), "1, 2");
  EXPECT_EQ(client.get("/chunked").body, "hello");
  EXPECT_EQ(client.request("HEAD", "/length").value("Content-Length"), "5");
  EXPECT_EQ(client.request("POST", "/post", {}, "body").body, "body");
  client.send(Client::message("POST", "/post", {{"Transfer-Encoding", "chunked"}}) +
              "2\r\nab\r\n0\r\n\r\n");
  EXPECT_EQ(client.read().body, "ab");
  EXPECT_EQ(client.get("/none").status, 404);
  EXPECT_EQ(client.get("/close").body, "hello");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(origin.hits("/post"), 2);
  EXPECT_EQ(origin.connections(), 1);
}

TEST(Support, TheOriginCutsWhereItIsTold) {
  // A cut body is seen as one, by FIN and by RST, with a length and in chunks.
  Origin origin;
  origin.on("/fin", Reply(200).length(10).part("12345").close());
  origin.on("/rst", Reply(200).chunked().part("12345").reset());
  for (const char* path : {"/fin", "/rst"}) {
    const Response response = Client(origin.port()).get(path);
    EXPECT_FALSE(response.complete) << path;
  }
}

TEST(Support, GatesHoldAndCount) {
  // An answer waits at its gate, and ending the origin frees whoever still stands there.
  const Gate gate;
  Origin origin;
  origin.on("/a", Reply(200).body("12").gate(gate).gate_head(gate));
  Client one(origin.port());
  Client two(origin.port());
  one.send(Client::message("GET", "/a"));
  two.send(Client::message("GET", "/a"));
  gate.await_arrivals(2);
  EXPECT_FALSE(one.readable_now());
  origin.stop();
  EXPECT_TRUE(one.closed());
}

TEST(Support, ScriptsRunOnAndStayAtTheirLast) {
  // One reply after the other, then the last for ever.
  Origin origin;
  origin.script("/a", {Reply(500).body("1"), Reply(200).body("2")});
  Client client(origin.port());
  EXPECT_EQ(client.get("/a").status, 500);
  EXPECT_EQ(client.get("/a").body, "2");
  EXPECT_EQ(client.get("/a").body, "2");
}

TEST(Support, JsonLinesAreReadStrictly) {
  // What RFC 8259 refuses is refused.
  auto line = parse_json_line(R"({"a":"x\n\u001b\"é","b":-1.5e3,"c":null,"d":true})");
  EXPECT_EQ(line["a"], "x\n\x1b\"é");
  EXPECT_EQ(line["b"], "-1.5e3");
  EXPECT_EQ(line["c"], "null");
  for (const char* bad :
       {"", "{}x", "{\"a\":1", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}",
        "{\"a\":\"\x01\"}", "{\"a\":\"\\x41\"}", "{\"a\":nul}", "{\"a\":+1}", "{\"a\":{}}", "[1]",
        "{\"a\":\"\xed\xa0\x80\"}"})
    EXPECT_ANY_THROW(parse_json_line(bad)) << bad;
}

TEST(Support, CacheStatusIsTakenApart) {
  // Every parameter that Weir writes.
  Response response;
  response.fields.add("Cache-Status", "weir; fwd=stale; collapsed; stored; ttl=-3; detail=cookie");
  const CacheStatus status = cache_status(response);
  EXPECT_TRUE(status.collapsed && status.stored && !status.hit);
  EXPECT_EQ(status.fwd, "stale");
  EXPECT_EQ(status.ttl, -3);
  EXPECT_EQ(status.detail, "cookie");
  EXPECT_ANY_THROW(cache_status(Response{}));
}

}  // namespace
}  // namespace weir::test

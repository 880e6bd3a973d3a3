// Clients that do not read: what they cost, and whom they hold up.
#include "tests/e2e/crowd_fixture.h"

namespace weir::test {
namespace {

class SlowReader : public Crowd {};

TEST_F(SlowReader, ASlowReaderDoesNotSlowTheOthers) {
  // The fetch runs at the pace of the store; who reads slowly only delays itself.
  const std::string big = patterned(8 * 1024 * 1024);
  const Gate gate;
  origin_.on("/a", cacheable(big).gate_head(gate));
  start(kCacheAll);
  Client slow = client(4096);
  slow.send(Client::message("GET", "/a"));
  gate.await_arrivals(1);
  std::vector<Client> others = crowd(3);
  all_ask(others, "/a");
  gate.open();
  for (Client& one : others) EXPECT_EQ(one.read().body, big);
  EXPECT_EQ(slow.read().body, big);
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(SlowReader, ItSlowsNobodyWhereTheStoreIsOutgrownEither) {
  // Who reads too slowly for the others is cut, and has a fetch of its own the next time.
  constexpr std::size_t kPiece = 1024 * 1024;
  const std::string piece = patterned(kPiece);
  const Gate gate;
  Reply large = Reply(200).header("Cache-Control", "max-age=60").gate_head(gate).chunked();
  for (int i = 0; i < 12; ++i) large.part(piece);
  origin_.on("/a", large);
  start(std::string(kCacheAll) + "backends: { ram: { type: ram, max_object_size: 2MiB } }\n");
  Client slow = client(4096);
  Client fast = client();
  slow.send(Client::message("GET", "/a"));
  fast.send(Client::message("GET", "/a"));
  await_all_taken();
  gate.open();
  EXPECT_EQ(fast.read().body.size(), 12 * kPiece);
  EXPECT_EQ(slow.read_head().status, 200);
  const std::string got = slow.read_until_close();
  EXPECT_LT(got.size(), 12 * kPiece);
  EXPECT_FALSE(got.ends_with("\r\n0\r\n\r\n"));
  Client again = client(4096);
  again.send(Client::message("GET", "/a"));
  EXPECT_EQ(again.read().body.size(), 12 * kPiece);
}

TEST_F(SlowReader, WhatCannotBeStoredIsPacedByItsReader) {
  // An uncacheable download of 256 MiB to a client that does not read stays a small window.
  constexpr std::size_t kPiece = 1024 * 1024;
  Reply endless = Reply(200).header("Cache-Control", "no-store").length(256 * kPiece);
  const std::string piece = patterned(kPiece);
  for (int i = 0; i < 256; ++i) endless.part(piece);
  origin_.on("/a", endless);
  start(kCacheAll);
  const long before = weir().figures().rss_kib;
  Client slow = client(4096);
  slow.send(Client::message("GET", "/a"));
  EXPECT_EQ(slow.read_head().status, 200);
  std::size_t got = 0;
  for (int i = 0; i < 100; ++i) got += slow.read_some(100).size();
  EXPECT_GT(got, 0U);
  EXPECT_LT(weir().figures().peak_rss_kib - before, is_sanitized() ? 128 * 1024 : 16 * 1024);
}

TEST_F(SlowReader, AThousandSlowReadersShareOneObject) {
  // 5 MiB for a thousand clients who do not read costs the object plus little for each of them.
  raise_fd_limit();
  const Gate gate;
  origin_.on("/a", cacheable(std::string(5 * 1024 * 1024, 'x')).gate_head(gate));
  start(std::string(kCacheAll) + "access_log: off\n");
  const long before = weir().figures().rss_kib;
  std::vector<Client> all;
  for (int i = 0; i < 1000; ++i) all.push_back(client(4096));
  all_ask(all, "/a");
  gate.await_arrivals(1);
  gate.open();
  for (Client& one : all) EXPECT_EQ(one.read_some(12), "HTTP/1.1 200");
  EXPECT_EQ(get("/a").body.size(), 5U * 1024 * 1024);
  const long per_reader_kib = is_sanitized() ? 256 : 32;
  EXPECT_LT(weir().figures().peak_rss_kib - before, 2 * 5 * 1024 + 1000 * per_reader_kib);
  EXPECT_EQ(origin_.hits("/a"), 1);
}

TEST_F(SlowReader, WhatWaitsInTheKernelIsBoundedToo) {
  // Bytes handed to a socket whose client does not read are memory as well, charged to the same
  // container: a hit of 5 MiB must not be poured into it whole.
  constexpr std::uint64_t kReaders = 50;
  origin_.on("/a", cacheable(std::string(5 * 1024 * 1024, 'x')));
  start(kCacheAll);
  get("/a");
  std::vector<Client> all;
  for (std::uint64_t i = 0; i < kReaders; ++i) all.push_back(client(4096));
  for (Client& one : all) one.send(Client::message("GET", "/a"));
  for (Client& one : all) EXPECT_EQ(one.read_some(12), "HTTP/1.1 200");
  EXPECT_EQ(get("/a").body.size(), 5U * 1024 * 1024);
  EXPECT_LT(unsent_from_port(weir().port()), kReaders * 512 * 1024);
}

}  // namespace
}  // namespace weir::test

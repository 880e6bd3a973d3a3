// An entry as bytes: what goes in comes out, and what was changed on the way never does.
#include "backends/record.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/conformance/entries.h"

namespace weir::backends::testing {
namespace {

constexpr RecordTime kSteady{true, 0};

EntryRef response(std::string_view body, int status = 200, std::string_view key = "the key") {
  EntryParts parts;
  parts.key = std::string(key);
  parts.hash = hash128(key);
  parts.meta.status = static_cast<std::uint16_t>(status);
  parts.meta.response_ms = 1'700'000'000'123;
  parts.meta.initial_age_s = 7;
  parts.meta.lifetime_s = 600;
  parts.meta.stale_if_error_s = 0;
  parts.meta.must_revalidate = true;
  parts.meta.seq = 42;
  parts.fields.add("Content-Type", "text/html");
  parts.fields.add("ETag", "\"v1\"");
  parts.fields.add("X-Empty", "");
  if (status != 204) parts.fields.add("Content-Length", std::to_string(body.size()));
  parts.body = make_body(body);
  return make_entry(std::move(parts));
}

std::string blocks(std::size_t bytes) {
  std::string body(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) body[i] = static_cast<char>(i * 31 + i / 251);
  return body;
}

struct Sample {
  std::string what;
  EntryRef entry;
};
std::vector<Sample> samples() {
  return {{"a page", response("hello")},
          {"without a body", response("")},
          {"204", response("", 204)},
          {"a body that is not inline", response(blocks(150'000))},
          {"a marker", marker_of("the key", {"accept", "x-theme"}, {"one", "two"})}};
}

void expect_same(const Entry& a, const Entry& b) {
  EXPECT_EQ(a.kind(), b.kind());
  EXPECT_EQ(a.key(), b.key());
  EXPECT_EQ(a.status_line(), b.status_line());
  EXPECT_EQ(a.stored_head(), b.stored_head());
  EXPECT_EQ(a.marker_bytes(), b.marker_bytes());
  EXPECT_EQ(text_of(a), text_of(b));
  const EntryMeta left = a.meta();
  const EntryMeta right = b.meta();
  EXPECT_EQ(left.status, right.status);
  EXPECT_EQ(left.response_ms, right.response_ms);
  EXPECT_EQ(left.initial_age_s, right.initial_age_s);
  EXPECT_EQ(left.lifetime_s, right.lifetime_s);
  EXPECT_EQ(left.stale_while_revalidate_s, right.stale_while_revalidate_s);
  EXPECT_EQ(left.stale_if_error_s, right.stale_if_error_s);
  EXPECT_EQ(left.validate_always, right.validate_always);
  EXPECT_EQ(left.must_revalidate, right.must_revalidate);
  EXPECT_EQ(left.shared_with_personal, right.shared_with_personal);
  EXPECT_EQ(left.seq, right.seq);
}

TEST(RecordTest, WhatGoesInComesOut) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.what);
    const Result<EntryRef> read = decode(encode(*sample.entry, kSteady), kSteady);
    ASSERT_TRUE(read) << read.error().message;
    expect_same(*sample.entry, **read);
  }
}

TEST(RecordTest, ADatedRecordIsOfTheClockThatOutlivesTheProcess) {
  // Written where that clock was 5 s ahead of the steady one, read where it is 2 s behind.
  const EntryRef entry = response("hello");
  const auto read = decode(encode(*entry, RecordTime::dated(5'000)), RecordTime::dated(-2'000));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->meta().response_ms, entry->meta().response_ms + 7'000);
  EXPECT_EQ((*read)->meta().initial_age_s, 7);
}

TEST(RecordTest, AnUndatedRecordCarriesItsAge) {
  // 20 s old in memory when it was written; whoever reads it says when that was on his clock.
  const EntryRef entry = response("hello");
  const auto written = RecordTime::undated(entry->meta().response_ms + 20'000);
  const auto read = decode(encode(*entry, written), RecordTime::undated(5'000'000));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->meta().response_ms, 5'000'000);
  EXPECT_EQ((*read)->meta().initial_age_s, 27);
  EXPECT_FALSE(decode(encode(*entry, written), kSteady)) << "not the same kind of time";
}

TEST(RecordTest, AnyChangedByteIsAnError) {
  const std::vector<unsigned char> changes = {0x01, 0x80, 0xff, 0x20};
  for (const Sample& sample : samples()) {
    const std::string record = encode(*sample.entry, kSteady);
    // All of a small one; of a large one its head and a sample of the rest.
    const std::size_t step = record.size() > 10'000 ? 997 : 1;
    for (std::size_t at = 0; at < record.size(); at += at < 400 ? 1 : step) {
      for (const unsigned char change : changes) {
        std::string changed = record;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ change);
        const Result<EntryRef> read = decode(changed, kSteady);
        ASSERT_FALSE(read) << sample.what << ", byte " << at;
        EXPECT_EQ(read.error().code, ErrorCode::Corrupt);
      }
    }
  }
}

TEST(RecordTest, AnyCutAndAnyExcessIsAnError) {
  for (const Sample& sample : samples()) {
    const std::string record = encode(*sample.entry, kSteady);
    const std::size_t step = record.size() > 10'000 ? 1'009 : 1;
    for (std::size_t size = 0; size < record.size(); size += size < 400 ? 1 : step) {
      ASSERT_FALSE(decode(std::string_view(record).substr(0, size), kSteady))
          << sample.what << ", cut to " << size;
    }
    EXPECT_FALSE(decode(record + '\0', kSteady)) << sample.what;
    EXPECT_FALSE(decode(record + record, kSteady)) << sample.what;
  }
}

TEST(RecordTest, NoBlockPassesInAnothersPlace) {
  // Neither another block of the same body nor the same block of another record, though each is
  // sound where it belongs.
  constexpr std::size_t kBlock = 64 * 1024;
  const std::string body = blocks(2 * kBlock);
  const std::string one = encode(*response(body), kSteady);
  const std::string other = encode(*response(std::string(2 * kBlock, 'x')), kSteady);
  const std::size_t at = one.size() - 2 * kBlock;
  const std::string swapped = one.substr(0, at) + body.substr(kBlock) + body.substr(0, kBlock);
  EXPECT_FALSE(decode(swapped, kSteady));
  EXPECT_FALSE(decode(one.substr(0, at) + other.substr(at), kSteady));
}

// A head with sound checksums that Weir would not have written: what a shared tier may hold.
EntryRef forged(std::string_view status_line, std::string_view fields, std::string_view body,
                int status = 200) {
  Entry::Source source;
  source.key = key_of("the key");
  source.meta.status = static_cast<std::uint16_t>(status);
  source.status_line = status_line;
  source.fields = fields;
  source.inline_bytes = body;
  return Entry::make(source);
}

TEST(RecordTest, AHeadThatTheAppCouldNotHaveSentIsAnError) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string length = "Content-Length: 4\r\n";
  ASSERT_TRUE(decode(encode(*forged(ok, length, "page"), kSteady), kSteady));
  struct Case {
    std::string what;
    std::string status_line;
    std::string fields;
    int status = 200;
  };
  const Case cases[] = {
      {"no length", ok, ""},
      {"another length", ok, "Content-Length: 5\r\n"},
      {"two lengths", ok, length + length},
      {"chunked", ok, "Transfer-Encoding: chunked\r\n"},
      {"a connection's field", ok, length + "Connection: close\r\n"},
      {"a split head", ok, length + "\r\nHTTP/1.1 200 OK\r\n"},
      {"a bare line feed", ok, length + "A: b\nSet-Cookie: a=b\r\n"},
      {"a bare carriage return", ok, length + "A: b\rc\r\n"},
      {"a folded line", ok, length + "A: b\r\n c\r\n"},
      {"no name", ok, length + ": b\r\n"},
      {"no colon", ok, length + "nothing\r\n"},
      {"NUL", ok, length + std::string("A: \0\r\n", 6)},
      {"an unended line", ok, length + "A: b"},
      {"another status in the line", "HTTP/1.1 404 Not Found\r\n", length},
      {"an interim status", "HTTP/1.1 100 Continue\r\n", length, 100},
      {"no status line", "", length},
      {"two status lines", ok + ok, length},
      {"a body where none may be", "HTTP/1.1 204 No Content\r\n", "", 204},
  };
  for (const Case& c : cases) {
    const EntryRef entry = forged(c.status_line, c.fields, "page", c.status);
    const Result<EntryRef> read = decode(encode(*entry, kSteady), kSteady);
    EXPECT_FALSE(read) << c.what;
  }
}

}  // namespace
}  // namespace weir::backends::testing

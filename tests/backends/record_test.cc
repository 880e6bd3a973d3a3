// An entry as bytes: what goes in comes out, and what was changed on the way never does.
#include "backends/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/conformance/entries.h"

namespace weir::backends::testing {
namespace {

constexpr RecordTime kSteady{true, 0};
constexpr std::int64_t kNow = 1'700'000'100'000;

Result<EntryRef> read_back(std::string_view record, const RecordTime& time = kSteady,
                           std::int64_t now_ms = kNow) {
  return decode(record, key_of("the key"), time, now_ms);
}

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
  parts.meta.origin = 4711;
  parts.meta.without_encoding = true;
  parts.meta.varies = true;
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

EntryRef tagged(std::size_t count) {
  EntryParts parts;
  parts.key = "the key";
  parts.hash = hash128("the key");
  for (std::size_t i = 0; i < count; ++i) parts.tags.push_back(i * 0x9e3779b97f4a7c15 + 1);
  parts.fields.add("Content-Length", "5");
  parts.body = make_body("hello");
  return make_entry(std::move(parts));
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
          {"with a tag", tagged(1)},
          {"as many tags as a byte counts", tagged(255)},
          {"more than that", tagged(256)},
          {"and more", tagged(300)},
          {"the most", tagged(Entry::kMostTags)},
          {"a marker", marker_of("the key", {"accept", "x-theme"}, {"one", "two"})}};
}

void expect_same(const Entry& a, const Entry& b) {
  EXPECT_EQ(a.kind(), b.kind());
  EXPECT_EQ(a.key(), b.key());
  EXPECT_EQ(a.status_line(), b.status_line());
  EXPECT_EQ(a.stored_head(), b.stored_head());
  EXPECT_EQ(a.marker_bytes(), b.marker_bytes());
  EXPECT_EQ(text_of(a), text_of(b));
  EXPECT_EQ(a.tags(), b.tags());
  EXPECT_EQ(a.copy()->tags(), b.tags());
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
  EXPECT_EQ(left.origin, right.origin);
  EXPECT_EQ(left.without_encoding, right.without_encoding);
  EXPECT_EQ(left.varies, right.varies);
  EXPECT_EQ(left.seq, right.seq);
}

TEST(RecordTest, WhatGoesInComesOut) {
  for (const Sample& sample : samples()) {
    SCOPED_TRACE(sample.what);
    const Result<EntryRef> read = read_back(encode(*sample.entry, kSteady));
    ASSERT_TRUE(read) << read.error().message;
    expect_same(*sample.entry, **read);
  }
}

TEST(RecordTest, ADatedRecordIsOfTheClockThatOutlivesTheProcess) {
  // Written where that clock was 5 s ahead of the steady one, read where it is 2 s behind.
  const EntryRef entry = response("hello");
  const auto read = read_back(encode(*entry, RecordTime::dated(5'000)), RecordTime::dated(-2'000));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->meta().response_ms, entry->meta().response_ms + 7'000);
  EXPECT_EQ((*read)->meta().initial_age_s, 7);
}

TEST(RecordTest, AnUndatedRecordCarriesItsAge) {
  // 20 s old in memory when it was written; whoever reads it says when that was on his clock.
  const EntryRef entry = response("hello");
  const auto written = RecordTime::undated(entry->meta().response_ms + 20'000);
  const auto read = read_back(encode(*entry, written), RecordTime::undated(5'000'000));
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->meta().response_ms, 4'980'000);
  EXPECT_EQ((*read)->meta().initial_age_s, 7);
  EXPECT_EQ((*read)->meta().seq, 0U) << "each reader has a book of his own";
  const auto at = RecordTime::undated(5'000'000, 9);
  EXPECT_EQ((*read_back(encode(*entry, written), at))->meta().seq, 9U);
  EXPECT_FALSE(read_back(encode(*entry, written))) << "not the same kind of time";
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
        const Result<EntryRef> read = read_back(changed);
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
      ASSERT_FALSE(read_back(std::string_view(record).substr(0, size)))
          << sample.what << ", cut to " << size;
    }
    EXPECT_FALSE(read_back(record + '\0')) << sample.what;
    EXPECT_FALSE(read_back(record + record)) << sample.what;
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
  EXPECT_FALSE(read_back(swapped));
  EXPECT_FALSE(read_back(one.substr(0, at) + other.substr(at)));
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

struct HeadCase {
  std::string what;
  std::string status_line;
  std::string fields;
  int status = 200;
};
// With a body of four bytes.
bool is_read(const HeadCase& c) {
  const EntryRef entry = forged(c.status_line, c.fields, "page", c.status);
  return read_back(encode(*entry, kSteady)).has_value();
}

TEST(RecordTest, AHeadThatTheAppCouldNotHaveSentIsAnError) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string length = "Content-Length: 4\r\n";
  ASSERT_TRUE(read_back(encode(*forged(ok, length, "page"), kSteady)));
  const HeadCase cases[] = {
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
      {"no space before a value", ok, length + "A:b\r\n"},
      {"two of them", ok, length + "A:  b\r\n"},
      {"a tab in its place", ok, length + "A:\tb\r\n"},
      {"a blank behind a value", ok, length + "A: b \r\n"},
      {"a blank before the colon", ok, length + "A : b\r\n"},
      {"lines that end in LF alone", "HTTP/1.1 200 OK\n", "Content-Length: 4\n"},
      {"the older version", "HTTP/1.0 200 OK\r\n", length},
      {"no reason where the status has one", "HTTP/1.1 200 \r\n", length},
      {"no space before a reason", "HTTP/1.1 299\r\n", length, 299},
      {"NUL", ok, length + std::string("A: \0\r\n", 6)},
      {"an unended line", ok, length + "A: b"},
      {"another status in the line", "HTTP/1.1 404 Not Found\r\n", length},
      {"an interim status", "HTTP/1.1 100 Continue\r\n", length, 100},
      {"no status line", "", length},
      {"two status lines", ok + ok, length},
      {"a body where none may be", "HTTP/1.1 204 No Content\r\n", "", 204},
      {"a part", "HTTP/1.1 206 Partial Content\r\n", length, 206},
      {"an answer to a condition", "HTTP/1.1 304 Not Modified\r\n", length, 304},
      {"an age that is said anew", ok, length + "Age: 0\r\n"},
      {"a status line that ends in the fields", "HTTP/1.1 200 O", "K\r\n" + length},
      {"a field within the status line", ok + "A: b\r\n", length},
      {"a status line that cannot be noted", "HTTP/1.1 200 " + std::string(65'000, 'x') + "\r\n",
       length + "A: " + std::string(131'072, 'x') + "\r\n"},
  };
  for (const HeadCase& c : cases) EXPECT_FALSE(is_read(c)) << c.what;
}

TEST(RecordTest, AHeadThatLooksOddlyButIsWhatWeirWritesIsSound) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string length = "Content-Length: 4\r\n";
  const HeadCase cases[] = {
      {"no value", ok, length + "A: \r\n"},
      {"a colon in a value", ok, length + "A: b: c:\r\n"},
      {"blanks within a value", ok, length + "A: b \t c\r\n"},
      {"bytes beyond ASCII", ok, length + "A: \xc3\xa9\r\n"},
      {"the app's own reason", "HTTP/1.1 200 All  right\r\n", length},
      {"an unknown status", "HTTP/1.1 299 Unknown\r\n", length, 299},
  };
  for (const HeadCase& c : cases) EXPECT_TRUE(is_read(c)) << c.what;
}

TEST(RecordTest, ALargeBodyStaysInTheChunkThatItWasReadInto) {
  struct Case {
    std::string what;
    std::size_t body_bytes;
    bool stays;
  };
  const Case cases[] = {{"one that lies inline", 4'000, false},
                        {"one that is little more than its head", 4'100, true},
                        {"of several blocks", 150'000, true}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const EntryRef entry = response(blocks(c.body_bytes));
    const std::string record = encode(*entry, kSteady);
    for (const std::size_t before : {std::size_t{0}, std::size_t{64}, std::size_t{50'000}}) {
      const Ref<Chunk> chunk = Chunk::allocate(before + record.size());
      std::ranges::copy(record, chunk->free_space().subspan(before).begin());
      chunk->advance(chunk->capacity());
      const std::string_view all(chunk->data(), chunk->capacity());
      const auto read = decode(all.substr(before), key_of("the key"), kSteady, kNow, chunk);
      ASSERT_TRUE(read);
      expect_same(*entry, **read);
      // Not where it would keep much more than itself.
      const bool stays = c.stays && before < c.body_bytes / 10;
      EXPECT_EQ(chunk.use_count(), stays ? 2U : 1U) << before;
    }
  }
}

// A record's bytes with others in their place, and checksums that fit (the layout of record.cc).
std::string with_bytes(std::string record, std::size_t at, std::string_view bytes) {
  constexpr std::size_t kFixedBytes = 72;
  record.replace(at, bytes.size(), bytes);
  const auto size_at = [&](std::size_t place) {
    std::size_t size = 0;
    for (std::size_t i = 4; i-- > 0;) {
      size = size << 8 | static_cast<unsigned char>(record[place + i]);
    }
    return size;
  };
  const std::size_t blocks = size_at(24) == 0 ? 0 : 1;  // of what these tests change
  const std::size_t covered = kFixedBytes + size_at(12) + size_at(16) + size_at(20) + blocks * 8;
  const std::uint64_t sum = stable_hash64(std::string_view(record).substr(0, covered));
  for (std::size_t i = 0; i < 8; ++i) record[covered + i] = static_cast<char>(sum >> (8 * i));
  return record;
}

TEST(RecordTest, ALongStatusLineIsAnErrorAndNoAbort) {
  // Entries note its length in 16 bits; a record may claim more.
  const std::string line = "HTTP/1.1 200 " + std::string(60'000, 'x') + "\r\n";
  const std::string fields = "A: " + std::string(20'000, 'x') + "\r\nContent-Length: 4\r\n";
  const std::string record = encode(*forged(line, fields, "page"), kSteady);
  ASSERT_TRUE(read_back(record));
  // The same bytes, the border between the two 20,000 bytes further on.
  const std::size_t sizes[] = {line.size() + 20'000, fields.size() - 20'000};
  std::string bytes;
  for (const std::size_t size : sizes) {
    for (std::size_t i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(size >> (8 * i)));
  }
  EXPECT_FALSE(read_back(with_bytes(record, 16, bytes)));
}

TEST(RecordTest, TimesThatNobodyCanHaveWrittenAreAnError) {
  const std::string record = encode(*response("hello"), kSteady);
  constexpr std::size_t kResponseAt = 40;
  constexpr std::size_t kAgeAt = 48;
  constexpr std::size_t kLifetimeAt = 56;
  struct Case {
    std::string what;
    std::size_t at;
    std::int64_t value;
    bool sound;
  };
  const Case cases[] = {
      {"as it was", kAgeAt, 7, true},
      {"an age of 68 years", kAgeAt, INT32_MAX, true},
      {"an age below 0", kAgeAt, -1, false},
      {"an age past all counting", kAgeAt, INT64_MAX, false},
      {"no lifetime", kLifetimeAt, INT64_MIN, true},
      {"a lifetime below 0", kLifetimeAt, -1, false},
      {"a lifetime past all counting", kLifetimeAt, std::int64_t{INT32_MAX} + 1, false},
      {"arrived now", kResponseAt, kNow, true},
      {"arrives in a moment, by a clock that is ahead", kResponseAt, kNow + 60'000, true},
      {"arrives later than clocks differ", kResponseAt, kNow + 60'001, false},
      {"no time at all", kResponseAt, INT64_MAX, false},
  };
  for (const Case& c : cases) {
    std::string bytes;
    for (std::size_t i = 0; i < 8; ++i) {
      bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(c.value) >> (8 * i)));
    }
    const Result<EntryRef> read = read_back(with_bytes(record, c.at, bytes));
    EXPECT_EQ(read.has_value(), c.sound) << c.what;
    if (read) {
      EXPECT_LE((*read)->meta().response_ms, kNow) << c.what;
    }
  }
}

TEST(RecordTest, AnothersRecordIsAnError) {
  EXPECT_FALSE(read_back(encode(*response("hello", 200, "other key"), kSteady)));
  EXPECT_FALSE(read_back(encode(*marker_of("other key", {"accept"}, {}), kSteady)));
}

TEST(RecordTest, AMarkerThatNobodyWroteIsAnError) {
  // Without names the variant that it leads to would be the page itself, and so on for ever; and
  // every request for the page walks through its lists.
  const std::vector<std::string> most(1024, "x");
  const std::vector<std::string> too_many(1025, "x");
  struct Case {
    std::string what;
    std::vector<std::string> names;
    std::vector<std::string> variants;
    bool sound;
  };
  const Case cases[] = {
      {"as many as there may be", most, most, true},
      {"no names", {}, {"one"}, false},
      {"an empty name", {"accept", ""}, {"one"}, false},
      {"an empty variant", {"accept"}, {""}, false},
      {"too many names", too_many, {"one"}, false},
      {"too many variants", {"accept"}, too_many, false},
      {"too many bytes", {"accept"}, {std::string(1024 * 1024, 'x')}, false},
  };
  for (const Case& c : cases) {
    const auto marker = marker_of("the key", c.names, c.variants);
    EXPECT_EQ(read_back(encode(*marker, kSteady)).has_value(), c.sound) << c.what;
  }
}

}  // namespace
}  // namespace weir::backends::testing

#include "proxy/front/h1_request_body.h"

#include <gtest/gtest.h>

#include <array>

namespace weir::front {
namespace {

using Status = BodyRead::Status;

// Reads until there is nothing more to be had at once.
struct Drained {
  std::string body;
  Status last = Status::Pending;
};

Drained drain(H1RequestBody& body, std::string_view& raw, std::size_t buffer_bytes = 64) {
  Drained out;
  std::string buffer(buffer_bytes, '\0');
  while (true) {
    const BodyRead read = body.read(raw, buffer);
    out.last = read.status;
    if (read.status != Status::Data) return out;
    out.body.append(buffer, 0, read.bytes);
  }
}

TEST(H1RequestBody, ReadsExactlyContentLengthBytes) {
  // What follows belongs to the next request and stays where it is.
  H1RequestBody body;
  body.reset(http::Framing::Length, 5, 0);
  std::string_view raw = "helloGET /";
  const Drained got = drain(body, raw);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.last, Status::End);
  EXPECT_EQ(raw, "GET /");
}

TEST(H1RequestBody, WaitsForWhatHasNotComeYet) {
  H1RequestBody body;
  body.reset(http::Framing::Length, 5, 0);
  std::string_view raw = "he";
  EXPECT_EQ(drain(body, raw).last, Status::Pending);
  raw = "llo";
  const Drained rest = drain(body, raw);
  EXPECT_EQ(rest.body, "llo");
  EXPECT_EQ(rest.last, Status::End);
}

TEST(H1RequestBody, DecodesChunksThroughBuffersOfAnySize) {
  // The same body whether the reader takes a byte or everything at a time.
  const std::string sent = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\nGET /";
  for (std::size_t size = 1; size <= sent.size(); ++size) {
    H1RequestBody body;
    body.reset(http::Framing::Chunked, 0, 0);
    std::string_view raw = sent;
    const Drained got = drain(body, raw, size);
    EXPECT_EQ(got.body, "hello world") << size;
    EXPECT_EQ(got.last, Status::End) << size;
    EXPECT_EQ(raw, "GET /") << size;
  }
}

TEST(H1RequestBody, RefusesBrokenChunks) {
  H1RequestBody body;
  body.reset(http::Framing::Chunked, 0, 0);
  std::string_view raw = "5\r\nhelloXX";
  EXPECT_EQ(drain(body, raw).last, Status::Failed);
  EXPECT_TRUE(body.failed());
  EXPECT_EQ(body.error().status, 400);
  EXPECT_EQ(drain(body, raw).last, Status::Failed) << "a broken body stays broken";
}

TEST(H1RequestBody, RefusesChunksBeyondMaxBody) {
  // Of a body without a length the bound is found on the way.
  H1RequestBody body;
  body.reset(http::Framing::Chunked, 0, 8);
  std::string_view raw = "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n";
  EXPECT_EQ(drain(body, raw).last, Status::Failed);
  EXPECT_EQ(body.error().status, 413);
}

TEST(H1RequestBody, DiscardsWhatNobodyRead) {
  H1RequestBody body;
  body.reset(http::Framing::Length, 5, 0);
  std::string_view raw = "helloGET /";
  EXPECT_TRUE(body.discard(raw));
  EXPECT_EQ(raw, "GET /");
  body.reset(http::Framing::Length, 50, 0);
  raw = "he";
  EXPECT_FALSE(body.discard(raw)) << "the rest is still on its way";
}

TEST(H1RequestBody, EndsAtOnceWithoutABody) {
  H1RequestBody body;
  body.reset(http::Framing::None, 0, 0);
  std::string_view raw = "GET /";
  EXPECT_EQ(drain(body, raw).last, Status::End);
  EXPECT_TRUE(body.ended());
  EXPECT_EQ(raw, "GET /");
}

TEST(H1RequestBody, TellsWhetherItsEndIsThere) {
  struct Case {
    std::string_view raw;
    http::Framing framing;
    std::uint64_t length;
    bool ends;
  };
  const Case cases[] = {
      {"", http::Framing::None, 0, true},
      {"", http::Framing::Length, 0, true},
      {"abc", http::Framing::Length, 4, false},
      {"abcd", http::Framing::Length, 4, true},
      {"abcde", http::Framing::Length, 4, true},
      {"", http::Framing::Chunked, 0, false},
      {"3\r\nabc\r\n", http::Framing::Chunked, 0, false},
      {"3\r\nabc\r\n0\r\n", http::Framing::Chunked, 0, false},
      {"3\r\nabc\r\n0\r\n\r\n", http::Framing::Chunked, 0, true},
      {"x", http::Framing::Chunked, 0, true},  // it will fail, for which there is nothing to wait
  };
  for (const Case& c : cases) {
    H1RequestBody body;
    body.reset(c.framing, c.length, 0);
    EXPECT_EQ(body.ends_in(c.raw), c.ends) << c.raw;
    std::string_view raw = c.raw;
    EXPECT_EQ(drain(body, raw).last != Status::Pending, c.ends) << "looked, not read";
  }
}

}  // namespace
}  // namespace weir::front

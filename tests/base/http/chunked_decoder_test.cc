// The chunked transfer coding: every body by every cut, every fault by its word.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/http/h1_parser.h"

namespace weir::http {
namespace {

struct Decoded {
  ParseStatus status = ParseStatus::NeedMore;
  std::string body;
  std::size_t consumed = 0;
  std::string_view detail;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// Feeds one piece until the decoder wants more of it no longer.
void feed(ChunkedDecoder& decoder, std::string_view piece, Decoded& out) {
  while (out.status == ParseStatus::NeedMore && !piece.empty()) {
    std::size_t consumed = 0;
    std::string_view data;
    out.status = decoder.decode(piece, consumed, data);
    out.body += data;
    if (out.status == ParseStatus::Error) {
      out.detail = decoder.error().detail;
      return;
    }
    ASSERT_GT(consumed, 0U);
    out.consumed += consumed;
    piece.remove_prefix(consumed);
  }
}

// In pieces of `size`, the first one of `first`.
Decoded decode(std::string_view bytes, std::size_t first, std::size_t size,
               ChunkBlanks blanks = ChunkBlanks::Refused) {
  ChunkedDecoder decoder(blanks);
  Decoded out;
  feed(decoder, bytes.substr(0, first), out);
  for (std::size_t at = first; at < bytes.size(); at += size) {
    feed(decoder, bytes.substr(at, size), out);
  }
  // Where an error is met depends on the cut only in how much was counted before it.
  if (out.status == ParseStatus::Error) out.consumed = 0;
  return out;
}

Decoded decode(std::string_view bytes, ChunkBlanks blanks = ChunkBlanks::Refused) {
  return decode(bytes, bytes.size(), 1, blanks);
}

void expect_same_in_pieces(std::string_view bytes, ChunkBlanks blanks = ChunkBlanks::Refused) {
  const Decoded whole = decode(bytes, blanks);
  EXPECT_TRUE(decode(bytes, 0, 1, blanks) == whole) << "byte by byte";
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    ASSERT_TRUE(decode(bytes, cut, bytes.size(), blanks) == whole) << "cut at " << cut;
  }
}

TEST(ChunkedDecoder, Bodies) {
  // Well-formed bodies come out whole, and what follows them is left.
  struct Row {
    std::string_view coded, body, left;
  };
  const Row rows[] = {
      {"0\r\n\r\n", "", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5\r\nhello\r\n6\r\n world\r\n000\r\n\r\n", "hello world", ""},
      {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", ""},
      {"0000000000000005\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5;a=b\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5;a;b=c;d=\"e \\\" \\\\ ;\t\xc3\xa9\"\r\nhello\r\n0;x\r\n\r\n", "hello", ""},
      {"5\r\n\r\n\r\n\r\r\n0\r\n\r\n", "\r\n\r\n\r", ""},
      {"5\r\nhello\r\n0\r\nContent-Length: 50\r\nHost: evil\r\nX:\r\n\r\n", "hello", ""},
      {"5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "hello", "GET / HTTP/1.1\r\n"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.coded);
    const Decoded whole = decode(row.coded);
    EXPECT_EQ(whole.status, ParseStatus::Done);
    EXPECT_EQ(whole.body, row.body);
    EXPECT_EQ(row.coded.substr(whole.consumed), row.left);
    expect_same_in_pieces(row.coded);
  }
}

TEST(ChunkedDecoder, Faults) {
  // Every deviation is an error with its own word; nothing is skipped to go on.
  struct Row {
    std::string bytes;
    std::string_view detail;
  };
  const std::string nul(1, '\0');
  const Row rows[] = {
      {"0x5\r\nhello\r\n", "bad-chunk-size"},
      {"+5\r\nhello\r\n", "bad-chunk-size"},
      {"-0\r\n\r\n", "bad-chunk-size"},
      {"0_5\r\nhello\r\n", "bad-chunk-size"},
      {" 5\r\nhello\r\n", "bad-chunk-size"},
      {"5 \r\nhello\r\n", "bad-chunk-size"},
      {"5 ;a\r\nhello\r\n", "bad-chunk-size"},
      {"5xyz\r\nhello\r\n", "bad-chunk-size"},
      {"5,5\r\nhello\r\n", "bad-chunk-size"},
      {"\r\nhello\r\n", "bad-chunk-size"},
      {";a\r\nhello\r\n", "bad-chunk-size"},
      {"g\r\n", "bad-chunk-size"},
      {"5\nhello\r\n", "bad-chunk-size"},
      {"5\x0b\r\nhello\r\n", "bad-chunk-size"},
      {"INVALID!!!\r\nGET / HTTP/1.1\r\n", "bad-chunk-size"},
      {"10000000000000005\r\nhello\r\n", "chunk-too-large"},
      {"00000000000000005\r\nhello\r\n", "chunk-too-large"},
      {"ffffffffffffffff\r\nhello\r\n", "chunk-too-large"},
      {"8000000000000000\r\nhello\r\n", "chunk-too-large"},
      {std::string(1000, 'f') + "\r\n", "chunk-too-large"},
      {"2;\nxx\r\n0\r\n\r\n", "bad-chunk-extension"},
      {"5;\r\nhello\r\n", "bad-chunk-extension"},
      {"5;;a\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a=\r\nhello\r\n", "bad-chunk-extension"},
      {"5; a\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a =b\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a=b c\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a=\"b\"c\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a=\"b\r\n\"\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a=\"\\\r\"\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a" + nul + "\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a\xc3\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a\nhello\r\n", "bad-chunk-extension"},
      {"5\r\r;ABCD\r\nhello\r\n", "bad-chunk-line-end"},
      {"5;a\r=b\r\nhello\r\n", "bad-chunk-line-end"},
      {"5;a=b\r\rXhello\r\n", "bad-chunk-line-end"},
      {"5\rXhello\r\n", "bad-chunk-line-end"},
      {"5\r\nhello\n0\r\n\r\n", "bad-chunk-line-end"},
      {"5\r\nhelloXX0\r\n\r\n", "bad-chunk-line-end"},
      {"5\r\nhello\rX0\r\n\r\n", "bad-chunk-line-end"},
      {"5\r\nhelloab3c\r\nGET / HTTP/1.1\r\n", "bad-chunk-line-end"},
      {"5\r\nhello\r\n\r\n0\r\n\r\n", "bad-chunk-size"},
      {"0\n\r\n", "bad-chunk-size"},
      {"0\r\n\n", "bad-trailer"},
      {"0\r\n\rX", "bad-chunk-line-end"},
      {"0\r\nA: b\n\r\n", "bad-trailer"},
      {"0\r\nA: b\r\n c\r\n\r\n", "bad-trailer"},
      {"0\r\nA : b\r\n\r\n", "bad-trailer"},
      {"0\r\n: b\r\n\r\n", "bad-trailer"},
      {"0\r\nno colon\r\n\r\n", "bad-trailer"},
      {"0\r\nA: \x01\r\n\r\n", "bad-trailer"},
      {"0\r\nA: b\rC\r\n\r\n", "bad-chunk-line-end"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row.bytes.substr(0, 100)));
    const Decoded whole = decode(row.bytes);
    EXPECT_EQ(whole.status, ParseStatus::Error);
    EXPECT_EQ(whole.detail, row.detail);
    expect_same_in_pieces(row.bytes);
  }
}

TEST(ChunkedDecoder, BlanksWhereTheyAreSkipped) {
  // In responses blanks behind a size and around the parts of its extensions mean nothing; in
  // requests each of them is an error.
  for (const std::string_view line :
       {"5 ", "5\t ", "5   ", "5 ;a", "5; a", "5 ; a\t", "5;a ;b", "5;a =b", "5;a= b", "5;a=b ",
        "5;a = \"b c\" ; d\t=\te ", "5;a=\"b\" "}) {
    SCOPED_TRACE(testing::PrintToString(line));
    const std::string coded = std::string(line) + "\r\nhello\r\n0 \r\n\r\n";
    const Decoded skipped = decode(coded, ChunkBlanks::Skipped);
    EXPECT_EQ(skipped.status, ParseStatus::Done) << skipped.detail;
    EXPECT_EQ(skipped.body, "hello");
    expect_same_in_pieces(coded, ChunkBlanks::Skipped);
    EXPECT_EQ(decode(coded).status, ParseStatus::Error);
  }
}

TEST(ChunkedDecoder, BlanksThatNobodySkips) {
  // Where readers differ, and where a blank would part one thing in two, it is an error everywhere;
  // and no number of them goes on for ever.
  struct Row {
    std::string bytes;
    std::string_view detail;
  };
  const Row rows[] = {
      {" 5\r\nhello\r\n", "bad-chunk-size"},
      {"5 5\r\nhello\r\n", "bad-chunk-extension"},
      {"5 a\r\nhello\r\n", "bad-chunk-extension"},
      {"5\x0b\r\nhello\r\n", "bad-chunk-size"},
      {"5 \x0b\r\nhello\r\n", "bad-chunk-extension"},
      {"5 \nhello\r\n", "bad-chunk-extension"},
      {"5 \r;\r\nhello\r\n", "bad-chunk-line-end"},
      {"5; \r\nhello\r\n", "bad-chunk-extension"},
      {"5;a b\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a= \r\nhello\r\n", "bad-chunk-extension"},
      {"5;a=b c\r\nhello\r\n", "bad-chunk-extension"},
      {"5;a=\"b\" c\r\nhello\r\n", "bad-chunk-extension"},
      {"5\r\nhello \r\n", "bad-chunk-line-end"},
      {"0\r\nA : b\r\n\r\n", "bad-trailer"},
      {"5" + std::string(5'000, ' '), "chunk-extensions-too-long"},
      {"5;" + std::string(5'000, ' '), "chunk-extensions-too-long"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::PrintToString(row.bytes.substr(0, 100)));
    const Decoded whole = decode(row.bytes, ChunkBlanks::Skipped);
    EXPECT_EQ(whole.status, ParseStatus::Error);
    EXPECT_EQ(whole.detail, row.detail);
    if (row.bytes.size() < 100) expect_same_in_pieces(row.bytes, ChunkBlanks::Skipped);
  }
}

TEST(ChunkedDecoder, ExtensionAndTrailerLimits) {
  // Bytes that carry nothing are bounded: a line's extensions, a message's, and its trailers.
  const std::string long_extension = ";" + std::string(4000, 'a');
  std::string four;
  for (int i = 0; i < 4; ++i) four += "1" + long_extension + "\r\nx\r\n";
  EXPECT_EQ(decode(four + "0\r\n\r\n").status, ParseStatus::Done);
  EXPECT_EQ(decode(four + "1" + long_extension).detail, "chunk-extensions-too-long");
  EXPECT_EQ(decode("5;" + std::string(64 * 1024, 'a')).detail, "chunk-extensions-too-long");
  EXPECT_EQ(decode("5;a=\"" + std::string(5000, 'a')).detail, "chunk-extensions-too-long");
  EXPECT_EQ(decode("0\r\nA: " + std::string(15000, 'a') + "\r\n\r\n").status, ParseStatus::Done);
  EXPECT_EQ(decode("0\r\nA: " + std::string(17000, 'a')).detail, "trailers-too-long");
}

TEST(ChunkedDecoder, ResetAndAfterTheEnd) {
  // A finished decoder takes nothing more, a failed one stays so, a reset one is new.
  ChunkedDecoder decoder;
  std::size_t consumed = 0;
  std::string_view data;
  ASSERT_EQ(decoder.decode("0\r\n\r\n", consumed, data), ParseStatus::Done);
  EXPECT_EQ(decoder.decode("5\r\nhello", consumed, data), ParseStatus::Done);
  EXPECT_EQ(consumed, 0U);
  decoder.reset();
  EXPECT_EQ(decoder.decode("z", consumed, data), ParseStatus::Error);
  EXPECT_EQ(decoder.decode("0\r\n\r\n", consumed, data), ParseStatus::Error);
  EXPECT_EQ(decoder.decode("", consumed, data), ParseStatus::Error);
  decoder.reset();
  EXPECT_EQ(decoder.decode("0\r\n\r\n", consumed, data), ParseStatus::Done);
}

TEST(ChunkedDecoder, DataIsAViewIntoTheInput) {
  // Body bytes are not copied.
  const std::string_view in = "5\r\nhello\r\n";
  ChunkedDecoder decoder;
  std::size_t consumed = 0;
  std::string_view data;
  ASSERT_EQ(decoder.decode(in, consumed, data), ParseStatus::NeedMore);
  EXPECT_EQ(data.data(), in.data() + 3);
  EXPECT_EQ(data, "hello");
  EXPECT_EQ(consumed, 8U);
}

}  // namespace
}  // namespace weir::http

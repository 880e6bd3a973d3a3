#include "backends/redis/envelope.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::backends::redis {
namespace {

constexpr Envelope kEnvelope{.expire_ms = 3'660'000, .position = {5, {77, 8}}, .generation = 5};

TEST(RedisEnvelope, ComesBackAsItWasWritten) {
  const std::string value = write_envelope(kEnvelope) + "the record";
  std::string_view in = value;
  const Result<Envelope> read = read_envelope(in);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->expire_ms, 3'660'000);
  EXPECT_EQ(read->position.log, 5U);
  EXPECT_EQ(read->position.at.text(), "77-8");
  EXPECT_EQ(read->generation, 5U);
  EXPECT_EQ(in, "the record");
}

TEST(RedisEnvelope, AnyChangedOrMissingByteIsAnError) {
  const std::string value = write_envelope(kEnvelope);
  for (std::size_t at = 0; at < value.size(); ++at) {
    for (const char change : {'\x01', '\x80', '\xff'}) {
      std::string changed = value;
      changed[at] = static_cast<char>(changed[at] ^ change);
      std::string_view in = changed;
      ASSERT_FALSE(read_envelope(in)) << at;
      EXPECT_EQ(in, changed) << "nothing of it is taken";
    }
    std::string_view cut = std::string_view(value).substr(0, at);
    ASSERT_FALSE(read_envelope(cut)) << at;
  }
}

TEST(RedisEnvelope, SaysNothingThatCannotBe) {
  for (const std::int64_t expire : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    const std::string value = write_envelope({.expire_ms = expire, .generation = 1});
    std::string_view in = value;
    EXPECT_FALSE(read_envelope(in)) << expire;
  }
}

TEST(RedisEnvelope, APieceIsOnlyItself) {
  const std::string piece = write_piece_head(9, 3) + "bytes";
  EXPECT_EQ(read_piece(piece, 9, 3).value(), "bytes");
  EXPECT_FALSE(read_piece(piece, 9, 4));
  EXPECT_FALSE(read_piece(piece, 8, 3));
  EXPECT_FALSE(read_piece("", 9, 3));
  EXPECT_FALSE(read_piece(piece.substr(1), 9, 3));
  EXPECT_FALSE(read_piece(write_envelope({.expire_ms = 1, .generation = 9}), 9, 3));
}

}  // namespace
}  // namespace weir::backends::redis

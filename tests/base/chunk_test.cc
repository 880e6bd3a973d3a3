#include "base/chunk.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

namespace weir {
namespace {

TEST(Chunk, FillsFromTheFront) {
  // Bytes are seen once they are filled in, and the free space shrinks by them.
  const Ref<Chunk> chunk = Chunk::allocate(8);
  ASSERT_EQ(chunk->free_space().size(), 8U);
  std::memcpy(chunk->free_space().data(), "hello", 5);
  chunk->advance(5);
  EXPECT_EQ(chunk->filled(), 5U);
  EXPECT_EQ(chunk->free_space().size(), 3U);
  std::memcpy(chunk->free_space().data(), "!!!", 3);
  chunk->advance(3);
  EXPECT_EQ(std::string_view(chunk->data(), chunk->filled()), "hello!!!");
  EXPECT_TRUE(chunk->free_space().empty());
  EXPECT_DEATH(chunk->advance(1), "broken invariant");
}

TEST(Chunk, LivesAsLongAsItsPieces) {
  // A body keeps its chunks, and a piece shows only the bytes that it was told of.
  Body body;
  {
    const Ref<Chunk> chunk = Chunk::allocate(16);
    std::memcpy(chunk->free_space().data(), "abcdef", 6);
    chunk->advance(6);
    body.append({chunk, 3});
    body.append({chunk, 6});
    EXPECT_EQ(chunk.use_count(), 3U);
  }
  EXPECT_EQ(body.size(), 9U);
  EXPECT_EQ(body.pieces()[0].bytes(), "abc");
  EXPECT_EQ(body.pieces()[1].bytes(), "abcdef");
  EXPECT_EQ(body.pieces()[0].chunk.use_count(), 2U);
  EXPECT_GE(body.charge(), 16U);
}

TEST(Chunk, MakeBody) {
  // A copy of the bytes in one piece; none for none.
  const Body body = make_body("hello");
  EXPECT_EQ(body.size(), 5U);
  ASSERT_EQ(body.pieces().size(), 1U);
  EXPECT_EQ(body.pieces()[0].bytes(), "hello");
  EXPECT_TRUE(make_body("").empty());
  EXPECT_TRUE(make_body("").pieces().empty());
}

}  // namespace
}  // namespace weir

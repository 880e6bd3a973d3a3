#include "base/hash.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace weir {
namespace {

TEST(Hash, EqualBytesEqualHash) {
  // The hash is a function of the bytes within a process, and tells small changes apart.
  const std::string text = "GET http://a.test/";
  EXPECT_EQ(hash128(text), hash128(std::string(text)));
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (int i = 0; i < 10000; ++i) {
    const Hash128 hash = hash128(text + std::to_string(i));
    seen.emplace(hash.low, hash.high);
  }
  EXPECT_EQ(seen.size(), 10000U);
  EXPECT_NE(hash128(""), hash128(std::string(1, '\0')));
}

TEST(Hash, TheSecretMatters) {
  // The seeded hash is not the public one that anybody could compute.
  EXPECT_NE(hash128("a").low, stable_hash64("a"));
}

TEST(Hash, StableIsTheSameWhicheverCodeThisProcessorRuns) {
  // Those of bytes that count up to 250 and begin anew, by the library's scalar code: long ones
  // take another way than short ones, with vectors.
  struct Row {
    std::size_t bytes;
    std::uint64_t plain;
    std::uint64_t seeded_with_7;
  };
  constexpr Row kRows[] = {
      {511, 0x455cffca2755aa1e, 0x112a0656585fc5f3},
      {512, 0x5c021aac13954143, 0xda6b9039c6113be9},
      {1024, 0xe5d78bafa45b2aa5, 0x89d7b61671a17999},
      {16'384, 0x168f7fb4781d0831, 0x593b5948aaccd28e},
      {65'536, 0xaaae63800707a868, 0x65cc6c5d9b148b8f},
  };
  std::string bytes;
  for (int i = 0; i < 65'536; ++i) bytes.push_back(static_cast<char>(i % 251));
  for (const Row& row : kRows) {
    const std::string_view part = std::string_view(bytes).substr(0, row.bytes);
    EXPECT_EQ(stable_hash64(part), row.plain) << row.bytes;
    EXPECT_EQ(stable_hash64(part, 7), row.seeded_with_7) << row.bytes;
  }
}

TEST(Hash, StableIsStable) {
  // XXH3_64bits of known bytes: the value must never change between releases.
  EXPECT_EQ(stable_hash64(""), 0x2d06800538d394c2ULL);
  EXPECT_NE(stable_hash64("a"), stable_hash64("b"));
  EXPECT_NE(stable_hash64("a", 1), stable_hash64("a", 2));
  EXPECT_EQ(stable_hash64("a", 0), stable_hash64("a"));
  EXPECT_EQ(stable_hash128("a", 7), stable_hash128("a", 7));
  EXPECT_NE(stable_hash128("a", 7), stable_hash128("a", 8));
}

}  // namespace
}  // namespace weir

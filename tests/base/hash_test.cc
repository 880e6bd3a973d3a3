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

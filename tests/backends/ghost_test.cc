#include "backends/ram/ghost.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace weir::backends {
namespace {

std::uint64_t hash_of(int number) {
  return hash128(std::to_string(number)).low;
}

TEST(GhostTest, RemembersOnceWithinTheHorizon) {
  // The last ones added are known, each once; older ones and strangers are not.
  Ghost ghost(512);
  for (int i = 0; i < 100; ++i) ghost.add(hash_of(i));
  EXPECT_TRUE(ghost.take(hash_of(99), 10));
  EXPECT_FALSE(ghost.take(hash_of(99), 10));
  EXPECT_TRUE(ghost.take(hash_of(90), 10));
  EXPECT_FALSE(ghost.take(hash_of(89), 10));
  EXPECT_FALSE(ghost.take(hash_of(1000), 10));
}

TEST(GhostTest, HoldsWhatItPromises) {
  // Of as many hashes as its capacity nearly all are remembered: only an overfull bucket forgets.
  Ghost ghost(4096);
  for (int i = 0; i < 4096; ++i) ghost.add(hash_of(i));
  int remembered = 0;
  for (int i = 0; i < 4096; ++i) remembered += ghost.take(hash_of(i), 4096);
  EXPECT_GT(remembered, 3600);
}

TEST(GhostTest, StaysBounded) {
  // Capacity is clamped, so that no configuration makes it large or useless.
  EXPECT_EQ(Ghost(0).capacity(), 512U);
  EXPECT_EQ(Ghost(~std::uint64_t{0}).capacity(), 1024U * 1024);
}

}  // namespace
}  // namespace weir::backends

#include "base/net/unsent_allowance.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// One connection; every write offers 100 bytes.
class UnsentAllowanceTest : public testing::Test {
 protected:
  int write(std::size_t taken, std::int64_t waited_ms) {
    now_ms_ += waited_ms;
    return allowance_.after_write(100, taken, [this] {
      ++clock_reads_;
      return now_ms_;
    });
  }

  UnsentAllowance allowance_;
  std::int64_t now_ms_ = 1'000'000;
  int clock_reads_ = 0;
};

constexpr int kWide = UnsentAllowance::kWideBytes;
constexpr int kNarrow = UnsentAllowance::kNarrowBytes;
constexpr std::int64_t kQuick = UnsentAllowance::kQuickMs;
constexpr std::int64_t kSlow = UnsentAllowance::kSlowMs;

TEST_F(UnsentAllowanceTest, WholeWritesChangeNothingAndDoNotReadTheClock) {
  EXPECT_EQ(write(100, 0), 0);
  EXPECT_EQ(write(100, 5), 0);
  EXPECT_EQ(clock_reads_, 0);
}

TEST_F(UnsentAllowanceTest, APeerWhoMakesRoomAtOnceIsGivenMoreOnce) {
  EXPECT_EQ(write(40, 0), 0);
  EXPECT_EQ(write(40, kQuick), kWide);
  EXPECT_EQ(write(40, kQuick), 0);
}

TEST_F(UnsentAllowanceTest, APeerWhoTakesItsTimeIsNot) {
  EXPECT_EQ(write(40, 0), 0);
  EXPECT_EQ(write(40, kQuick + 1), 0);
  EXPECT_EQ(write(40, kSlow), 0);
}

TEST_F(UnsentAllowanceTest, ARefusedWriteMakesNoRoom) {
  EXPECT_EQ(write(40, 0), 0);
  EXPECT_EQ(write(0, 1), 0);
  EXPECT_EQ(write(40, kQuick), 0) << "the time counts from the first cut write on";
}

TEST_F(UnsentAllowanceTest, AFirstWriteThatIsRefusedStartsTheWait) {
  EXPECT_EQ(write(0, 0), 0);
  EXPECT_EQ(write(100, kQuick), kWide);
}

TEST_F(UnsentAllowanceTest, TheTimeBetweenResponsesDoesNotCount) {
  EXPECT_EQ(write(40, 0), 0);
  EXPECT_EQ(write(100, 1), kWide);
  EXPECT_EQ(write(40, kSlow * 10), 0);
}

TEST_F(UnsentAllowanceTest, WhoStopsReadingLosesIt) {
  EXPECT_EQ(write(40, 0), 0);
  EXPECT_EQ(write(40, 1), kWide);
  EXPECT_EQ(write(40, kSlow - 1), 0);
  EXPECT_EQ(write(40, kSlow), kNarrow);
  EXPECT_EQ(write(40, 1), kWide);
}

}  // namespace
}  // namespace weir

// A disk backend that is killed, or whose machine loses power, at moments that chance chooses. The
// seed is printed: WEIR_TEST_SEED=N plays that one again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "tests/backends/disk/disk_kit.h"

namespace weir::backends::testing {
namespace {

using Maybe = std::optional<std::string>;

unsigned seed_of_run() {
  const char* const given = std::getenv("WEIR_TEST_SEED");
  return given ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
}

class DiskCrash : public ::testing::Test, protected DiskKit {
 protected:
  DiskCrash() {
    RecordProperty("seed", static_cast<int>(seed_));
    std::printf("seed %u\n", seed_);
  }

  unsigned chance(unsigned below) { return static_cast<unsigned>(random_() % below); }
  std::string any_key() { return "key" + std::to_string(chance(40)); }
  std::string any_body() {
    return std::string(chance(3000), static_cast<char>('a' + chance(26))) +
           std::to_string(++bodies_);
  }

  // One thing that an app, or a visitor, may cause.
  void do_something() {
    const std::string key = any_key();
    switch (chance(10)) {
      case 0:
        at().erase(key);
        now_.erase(key);
        break;
      case 1:
        if (chance(20) == 0) {
          at().backend().clear();
          now_.clear();
        }
        break;
      default: {
        const std::string body = any_body();
        ever_[key].insert(body);
        ASSERT_EQ(put(key, body), StoreResult::Stored);
        now_[key] = body;
      }
    }
  }

  const unsigned seed_ = seed_of_run();
  std::mt19937 random_{seed_};
  std::map<std::string, std::string> now_;             // what stands there
  std::map<std::string, std::set<std::string>> ever_;  // what ever did
  int bodies_ = 0;
};

TEST_F(DiskCrash, KilledItLosesNothingThatWasWritten) {
  // Every store that was reported is there, and nothing that was erased.
  open();
  for (int life = 0; life < 25; ++life) {
    for (unsigned i = chance(60); i > 0; --i) do_something();
    wait_for_writes();
    now_["settled"] = "x";
    kill();
    wait_for_objects(now_.size());
    for (int i = 0; i < 40; ++i) {
      const std::string key = "key" + std::to_string(i);
      const auto stands = now_.find(key);
      ASSERT_EQ(body_at(key), stands == now_.end() ? std::nullopt : Maybe(stands->second))
          << key << " in life " << life << ", seed " << seed_;
    }
  }
}

TEST_F(DiskCrash, WithoutPowerItServesNothingButWhatWasStored) {
  // Sectors and names are lost as it happens; what is found is whole, and its key's own.
  options.max_size = 1024 * 1024;
  open();
  int found = 0;
  for (int life = 0; life < 40; ++life) {
    for (unsigned i = chance(120); i > 0; --i) do_something();
    lose_power(random_);
    for (int i = 0; i < 4; ++i) wait_for_writes();  // recovery takes turns with them
    for (int i = 0; i < 40; ++i) {
      const std::string key = "key" + std::to_string(i);
      const Maybe body = body_at(key);
      if (!body) continue;
      ++found;
      ASSERT_TRUE(ever_[key].contains(*body)) << key << " in life " << life << ", seed " << seed_;
    }
  }
  EXPECT_GT(found, 0) << "seed " << seed_;
}

// ---- times ----

class DiskTimes : public ::testing::Test, protected DiskKit {
 protected:
  static constexpr std::int64_t kHour = 3'600'000;

  std::int64_t age_ms(std::string_view key) {
    const EntryRef entry = at().find(key);
    return entry ? clock.now_ms() - entry->meta().response_ms : -1;
  }
};

TEST_F(DiskTimes, AgeGoesOnWhileTheMachineRuns) {
  // Whatever somebody does to the wall clock meanwhile.
  open();
  put("a", "1");
  for (const std::int64_t step : {std::int64_t{0}, 24 * kHour, -48 * kHour}) {
    clock.set_wall(clock.wall_ms() + step);
    clock.advance(kHour);
    const std::int64_t before = age_ms("a");
    restart();
    wait_for_objects(1);
    EXPECT_EQ(age_ms("a"), before) << step;
  }
  EXPECT_EQ(age_ms("a"), 3 * kHour);
  put("b", "2");
  restart();
  wait_for_objects(2);
  EXPECT_EQ(age_ms("b"), 0);
}

TEST_F(DiskTimes, AcrossStartsOfTheMachineTheWallClockTells) {
  open();
  put("a", "1");
  close();
  clock.advance(5 * kHour);
  clock.reboot();
  open();
  wait_for_objects(1);
  EXPECT_EQ(age_ms("a"), 5 * kHour);
}

TEST_F(DiskTimes, AClockThatWasSetBackMakesNothingImmortalAndKillsNothing) {
  // The newest time in the folder counts as now, and ages go on from there, over further starts.
  open();
  put("old", "1");
  clock.advance(2 * kHour);
  put("new", "2");
  close();
  clock.set_wall(clock.wall_ms() - 240 * kHour);
  clock.reboot();
  open();
  wait_for_objects(2);
  EXPECT_EQ(age_ms("old"), 2 * kHour);
  EXPECT_EQ(age_ms("new"), 0);
  clock.advance(3 * kHour);
  EXPECT_EQ(age_ms("new"), 3 * kHour);
  put("third", "3");
  close();
  clock.reboot();
  open();
  wait_for_objects(3);
  EXPECT_EQ(age_ms("old"), 5 * kHour);
  EXPECT_EQ(age_ms("third"), 0);
}

TEST_F(DiskTimes, AClockThatWasSetForwardAgesWhatIsThere) {
  open();
  put("a", "1");
  close();
  clock.set_wall(clock.wall_ms() + 24 * kHour);
  clock.reboot();
  open();
  wait_for_objects(1);
  EXPECT_EQ(age_ms("a"), 24 * kHour);
  put("b", "2");
  EXPECT_EQ(age_ms("b"), 0);
}

}  // namespace
}  // namespace weir::backends::testing

#include "base/net/timer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/net/fd_event.h"
#include "tests/support/fake_clock.h"
#include "tests/support/manual_loop.h"

namespace weir {
namespace {

using test::advance_and_turn;
using test::FakeClock;

class TimerTest : public ::testing::Test {
 protected:
  void advance(std::int64_t ms) { advance_and_turn(loop_, clock_, ms); }

  FakeClock clock_;
  EventLoop loop_{clock_};
  std::string order_;
};

TEST_F(TimerTest, FiresOnceWhenItsTimeHasComeAndNotBefore) {
  Timer timer(loop_, [&] { order_ += 'x'; });
  timer.start(5);
  EXPECT_TRUE(timer.active());
  advance(4);
  clock_.advance_us(999);
  loop_.turn();
  EXPECT_EQ(order_, "");
  clock_.advance_us(1);
  loop_.turn();
  EXPECT_EQ(order_, "x");
  EXPECT_FALSE(timer.active());
  advance(100);
  EXPECT_EQ(order_, "x");
}

TEST_F(TimerTest, SeveralFireInTheOrderOfTheirTimesAndThenOfTheirStarts) {
  Timer a(loop_, [&] { order_ += 'a'; });
  Timer b(loop_, [&] { order_ += 'b'; });
  Timer c(loop_, [&] { order_ += 'c'; });
  Timer d(loop_, [&] { order_ += 'd'; });
  d.start(7);
  c.start(3);
  a.start(3);
  clock_.advance(1);
  b.start(2);
  clock_.advance(50);  // all of them at once, late
  loop_.turn();
  EXPECT_EQ(order_, "cabd");
}

TEST_F(TimerTest, AStoppedOneDoesNotFire) {
  Timer kept(loop_, [&] { order_ += 'k'; });
  Timer stopped(loop_, [&] { order_ += 's'; });
  stopped.start(1);
  kept.start(2);
  stopped.stop();
  EXPECT_FALSE(stopped.active());
  advance(10);
  EXPECT_EQ(order_, "k");
}

TEST_F(TimerTest, AnotherStartReplacesTheFirst) {
  Timer sooner(loop_, [&] { order_ += 's'; });
  Timer later(loop_, [&] { order_ += 'l'; });
  sooner.start(10);
  later.start(1);
  sooner.start(2);
  later.start(8);
  advance(7);
  EXPECT_EQ(order_, "s");
  advance(1);
  EXPECT_EQ(order_, "sl");
  advance(20);
  EXPECT_EQ(order_, "sl");
}

TEST_F(TimerTest, MayBeStartedAgainByItsOwnCallback) {
  std::vector<std::int64_t> fired_ms;
  const std::int64_t began_ms = clock_.now_ms();
  std::unique_ptr<Timer> every;
  every = std::make_unique<Timer>(loop_, [&] {
    fired_ms.push_back(clock_.now_ms() - began_ms);
    every->start(10);
  });
  every->start(10);
  advance(35);
  EXPECT_EQ(fired_ms, (std::vector<std::int64_t>{10, 20, 30}));
}

TEST_F(TimerTest, MayBeDestroyedByItsOwnCallback) {
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop_, [&] {
    timer.reset();
    order_ += 'x';
  });
  timer->start(1);
  advance(1);
  EXPECT_EQ(order_, "x");
}

TEST_F(TimerTest, ACallbackMayStopOrDestroyOneThatIsDueAtTheSameTime) {
  std::unique_ptr<Timer> destroyed;
  Timer stopped(loop_, [&] { order_ += 's'; });
  Timer first(loop_, [&] {
    order_ += 'f';
    stopped.stop();
    destroyed.reset();
  });
  destroyed = std::make_unique<Timer>(loop_, [&] { order_ += 'd'; });
  Timer last(loop_, [&] { order_ += 'l'; });
  first.start(1);
  stopped.start(1);
  destroyed->start(1);
  last.start(1);
  advance(1);
  EXPECT_EQ(order_, "fl");
}

TEST_F(TimerTest, ATaskThatACallbackPostsRunsInTheSameTurn) {
  Timer timer(loop_, [&] { loop_.post([&] { order_ += 'p'; }); });
  timer.start(0);
  loop_.turn();
  EXPECT_EQ(order_, "p");
}

TEST_F(TimerTest, OneWithoutDelayThatACallbackStartsWaitsForTheNextTurn) {
  Timer second(loop_, [&] { order_ += '2'; });
  Timer first(loop_, [&] {
    order_ += '1';
    second.start(0);
  });
  first.start(0);
  loop_.turn();
  EXPECT_EQ(order_, "1");
  loop_.turn();
  EXPECT_EQ(order_, "12");
}

// Any order of starts, restarts and stops, against a list that is searched through.
TEST_F(TimerTest, ManyOfThemKeepTheirOrder) {
  constexpr int kTimers = 200;
  struct Expected {
    std::int64_t due_ms;
    int start;
    int timer;
    auto operator<=>(const Expected&) const = default;
  };
  std::vector<Expected> expected;
  std::vector<int> fired;
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < kTimers; ++i) {
    timers.push_back(std::make_unique<Timer>(loop_, [&fired, i] { fired.push_back(i); }));
  }
  std::mt19937 random(20240229);
  for (int step = 0; step < 5000; ++step) {
    const int timer = static_cast<int>(random() % kTimers);
    std::erase_if(expected, [&](const Expected& e) { return e.timer == timer; });
    if (random() % 3 == 0) {
      timers[timer]->stop();
      continue;
    }
    const auto delay_ms = static_cast<std::int64_t>(random() % 50);
    timers[timer]->start(delay_ms);
    expected.push_back({delay_ms, step, timer});
  }
  advance(50);
  std::ranges::sort(expected);
  std::vector<int> order;
  for (const Expected& e : expected) order.push_back(e.timer);
  EXPECT_EQ(fired, order);
}

// Tells of each byte that it reads.
class ByteReader final : public FdHandler {
 public:
  ByteReader(EventLoop& loop, std::function<void()> on_byte) : on_byte_(std::move(on_byte)) {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
    event_ = std::make_unique<FdEvent>(loop, ends_[0], *this);
    event_->want(true, false);
  }
  ~ByteReader() override {
    event_.reset();
    close(ends_[0]);
    close(ends_[1]);
  }
  void send() { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
  void on_fd(bool, bool) override {
    char byte = 0;
    EXPECT_EQ(read(ends_[0], &byte, 1), 1);
    on_byte_();
  }

 private:
  std::array<int, 2> ends_{};
  std::function<void()> on_byte_;
  std::unique_ptr<FdEvent> event_;
};

TEST_F(TimerTest, OneWithoutDelayFiresBehindTheEventsOfTheNextPoll) {
  // What was started while this poll's events run does not fire with them: the next poll hears of
  // the second byte first.
  ByteReader second(loop_, [&] { order_ += '2'; });
  Timer timer(loop_, [&] { order_ += 't'; });
  Timer earlier(loop_, [&] { order_ += 'e'; });
  ByteReader first(loop_, [&] {
    order_ += '1';
    timer.start(0);
    second.send();
  });
  earlier.start(0);
  first.send();
  loop_.turn();
  EXPECT_EQ(order_, "1e");
  loop_.turn();
  EXPECT_EQ(order_, "1e2t");
}

// The machine's time, and how often the loop asked for it.
class CountingClock final : public Clock {
 public:
  std::int64_t now_us() const override {
    ++reads;
    return system_clock().now_us();
  }
  std::int64_t wall_ms() const override { return system_clock().wall_ms(); }
  SinceBoot since_boot() const override { return system_clock().since_boot(); }
  mutable int reads = 0;
};

TEST(RealTimer, NeitherFiresEarlyNorSpinsUntilItIsDue) {
  CountingClock clock;
  EventLoop loop(clock);
  Timer timer(loop, [&] { loop.stop(); });
  for (const std::int64_t delay_ms : {0, 1, 2, 3, 40}) {
    clock.reads = 0;
    const std::int64_t began_us = system_clock().now_us();
    timer.start(delay_ms);
    loop.run();
    EXPECT_GE(system_clock().now_us() - began_us, delay_ms * 1000);
    // Once to start it, and each time that the poll ends: the kernel's coarse clock is at most one
    // of its ticks early.
    EXPECT_LE(clock.reads, 2 + 10) << delay_ms;
  }
}

// How often this thread has waited in the kernel so far. A poll that waits, however shortly, does.
long waits_so_far() {
  rusage usage{};
  EXPECT_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
  return usage.ru_nvcsw;
}

TEST(RealTimer, OneWithoutDelayThatACallbackStartsMakesNobodyWait) {
  constexpr int kStarts = 200;
  EventLoop loop;
  int fired = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    if (++fired == kStarts) return loop.stop();
    timer->start(0);
  });
  timer->start(0);
  const long before = waits_so_far();
  loop.run();
  EXPECT_EQ(fired, kStarts);
  EXPECT_LT(waits_so_far() - before, kStarts / 2);
}

TEST(RealTimer, OneWithoutDelayDoesNotWaitForOneThatIsOverdue) {
  // The kernel's coarse clock comes some milliseconds late: what is due by the loop's own clock
  // does not wait for it.
  constexpr int kRounds = 40;
  EventLoop loop;
  Timer overdue(loop, [] {});
  Timer timer(loop, [&] { loop.stop(); });
  long waits = 0;
  for (int round = 0; round < kRounds; ++round) {
    overdue.start(1);
    const std::int64_t due_us = loop.clock().now_us() + 1000;
    while (loop.clock().now_us() <= due_us) {
    }
    timer.start(0);
    const long before = waits_so_far();
    loop.run();
    waits += waits_so_far() - before;
  }
  EXPECT_LT(waits, kRounds / 2);
}

TEST(Timer, DoesNotCareWhatTheWallClockIsSetTo) {
  FakeClock clock;
  EventLoop loop(clock);
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  timer.start(1000);
  clock.set_wall(clock.wall_ms() + 3'600'000);
  loop.turn();
  EXPECT_EQ(fired, 0);
  clock.set_wall(0);
  advance_and_turn(loop, clock, 1000);
  EXPECT_EQ(fired, 1);
}

using DeadlineTest = TimerTest;

TEST_F(DeadlineTest, ComesAtItsTimeAndOnce) {
  Deadline deadline(loop_, [&] { order_ += 'x'; });
  deadline.set(clock_.now_ms() + 5);
  advance(4);
  EXPECT_EQ(order_, "");
  EXPECT_TRUE(deadline.is_set());
  advance(1);
  EXPECT_EQ(order_, "x");
  EXPECT_FALSE(deadline.is_set());
  advance(100);
  EXPECT_EQ(order_, "x");
}

TEST_F(DeadlineTest, AMovedOneDoesNotComeAtItsOldTime) {
  // The timer below it looks again when it fires, and finds the deadline further on.
  Deadline later(loop_, [&] { order_ += 'l'; });
  Deadline sooner(loop_, [&] { order_ += 's'; });
  later.set(clock_.now_ms() + 2);
  later.set(clock_.now_ms() + 20);
  sooner.set(clock_.now_ms() + 30);
  sooner.set(clock_.now_ms() + 10);
  advance(19);
  EXPECT_EQ(order_, "s");
  advance(1);
  EXPECT_EQ(order_, "sl");
}

TEST_F(DeadlineTest, AClearedOneNeverComesUntilItIsSetAgain) {
  Deadline deadline(loop_, [&] { order_ += 'x'; });
  deadline.set(clock_.now_ms() + 1);
  deadline.clear();
  advance(10);
  EXPECT_EQ(order_, "");
  deadline.set(clock_.now_ms() + 3);
  advance(3);
  EXPECT_EQ(order_, "x");
}

TEST_F(DeadlineTest, ThoseOfOneMillisecondComeTogether) {
  // However the microseconds lie within it when they are set.
  Deadline first(loop_, [&] { order_ += '1'; });
  Deadline second(loop_, [&] { order_ += '2'; });
  first.set(clock_.now_ms() + 5);
  clock_.advance_us(700);
  second.set(clock_.now_ms() + 5);
  clock_.advance_us(4300);
  loop_.turn();
  EXPECT_EQ(order_, "12");
}

TEST_F(DeadlineTest, OneThatHasPassedComesInTheNextTurn) {
  Deadline deadline(loop_, [&] { order_ += 'x'; });
  deadline.set(clock_.now_ms() - 5);
  EXPECT_EQ(order_, "");
  loop_.turn();
  EXPECT_EQ(order_, "x");
}

TEST_F(DeadlineTest, MayBeDestroyedByItsOwnCallback) {
  std::unique_ptr<Deadline> deadline;
  deadline = std::make_unique<Deadline>(loop_, [&] {
    deadline.reset();
    order_ += 'x';
  });
  deadline->set(clock_.now_ms() + 1);
  advance(1);
  EXPECT_EQ(order_, "x");
}

}  // namespace
}  // namespace weir

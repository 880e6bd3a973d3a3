#include "base/net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/net/fd_event.h"
#include "base/net/timer.h"

namespace weir {
namespace {

TEST(EventLoop, RunsTasksOfAThreadInOrder) {
  EventLoop loop;
  std::string order;
  loop.post([&] { order += 'a'; });
  loop.post([&] {
    order += 'b';
    loop.post([&] {
      order += 'd';
      loop.stop();
    });
    order += 'c';  // a task never runs inside the call that posts it
  });
  loop.run();
  EXPECT_EQ(order, "abcd");
}

TEST(EventLoop, IsWokenByOtherThreads) {
  EventLoop loop;
  int ran = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&] { ++ran; });
    loop.stop();
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran, 1000) << "tasks posted before the stop still run";
}

TEST(Timer, FiresOnceAndMayBeStopped) {
  EventLoop loop;
  int fired = 0;
  Timer kept(loop, [&] {
    ++fired;
    loop.stop();
  });
  Timer stopped(loop, [&] { fired += 100; });
  stopped.start(1);
  stopped.stop();
  kept.start(2);
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, MayDestroyItselfWhenItFires) {
  EventLoop loop;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    timer.reset();
    loop.stop();
  });
  timer->start(0);
  loop.run();
  EXPECT_EQ(timer, nullptr);
}

// A clock that the test advances.
class HandClock final : public Clock {
 public:
  std::int64_t now_ms() const override { return now; }
  std::int64_t wall_s() const override { return now / 1000; }
  std::int64_t now = 1'000;
};

TEST(Deadline, AMovedDeadlineDoesNotFireAtItsOldTime) {
  // The timer below it looks again when it fires, and finds the deadline further on.
  HandClock clock;
  EventLoop loop(clock);
  int fired = 0;
  Deadline deadline(loop, [&] {
    ++fired;
    loop.stop();
  });
  deadline.set(clock.now + 1);
  deadline.set(clock.now + 5);
  Timer tick(loop, [&] {
    EXPECT_EQ(fired, 0);
    clock.now += 10;
    deadline.set(clock.now);
  });
  tick.start(10);
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Deadline, AClearedOneNeverFires) {
  EventLoop loop;
  int fired = 0;
  Deadline deadline(loop, [&] { ++fired; });
  deadline.set(loop.now_ms() + 1);
  deadline.clear();
  Timer end(loop, [&] { loop.stop(); });
  end.start(10);
  loop.run();
  EXPECT_EQ(fired, 0);
}

class Reader final : public FdHandler {
 public:
  Reader(EventLoop& loop, int fd) : loop_(loop), fd_(fd), event_(loop, fd, *this) {
    event_.want(true, false);
  }
  void on_fd(bool readable, bool) override {
    EXPECT_TRUE(readable);
    char byte = 0;
    EXPECT_EQ(read(fd_, &byte, 1), 1);
    if (++calls == 2) loop_.stop();
  }
  int calls = 0;

 private:
  EventLoop& loop_;
  int fd_;
  FdEvent event_;
};

TEST(FdEvent, IsLevelTriggered) {
  // What one call leaves unread brings the next.
  EventLoop loop;
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  Reader reader(loop, ends[0]);
  ASSERT_EQ(write(ends[1], "ab", 2), 2);
  loop.run();
  EXPECT_EQ(reader.calls, 2);
  close(ends[1]);
}

}  // namespace
}  // namespace weir

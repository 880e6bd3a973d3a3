#include "base/net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "base/net/fd_event.h"

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

TEST(EventLoop, AStopBeforeItRunsIsNotLostAndCountsOnce) {
  EventLoop loop;
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.stop();
  loop.run();
  EXPECT_EQ(ran, 1);
  loop.post([&] {
    ++ran;
    loop.post([&] {
      ++ran;
      loop.stop();
    });
  });
  loop.run();  // ends by the second stop, not by what is left of the first
  EXPECT_EQ(ran, 3);
}

TEST(EventLoop, ATurnRunsWhatIsReadyAndDoesNotWait) {
  EventLoop loop;
  std::string order;
  loop.turn();
  loop.post([&] {
    order += 'a';
    loop.post([&] { order += 'b'; });
  });
  loop.turn();
  EXPECT_EQ(order, "ab");
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

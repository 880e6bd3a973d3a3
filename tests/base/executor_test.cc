#include "base/executor.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

namespace weir {
namespace {

TEST(ThreadPoolTest, RunsWhatItWasGivenBeforeItEnds) {
  std::atomic<int> done = 0;
  {
    ThreadPool pool(3);
    for (int i = 0; i < 100; ++i) {
      pool.run([&pool, &done] {
        ++done;
        pool.run([&done] { ++done; });
      });
    }
  }
  EXPECT_EQ(done, 200);
}

TEST(ThreadPoolTest, OneLongTaskHoldsUpNobodyElse) {
  std::binary_semaphore other_ran(0);
  std::atomic<bool> ended = false;
  {
    ThreadPool pool(2);
    pool.run([&] {
      other_ran.acquire();  // for ever, if the second had to wait for the first
      ended = true;
    });
    pool.run([&] { other_ran.release(); });
  }
  EXPECT_TRUE(ended);
}

TEST(ThreadPoolTest, ItsThreadsComeAfterTheOneThatMadeThem) {
  const int own = getpriority(PRIO_PROCESS, 0);
  std::promise<int> seen;
  {
    ThreadPool pool(1);
    pool.run([&] { seen.set_value(getpriority(PRIO_PROCESS, 0)); });
  }
  EXPECT_EQ(seen.get_future().get(), std::min(own + 5, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
}

TEST(ThreadPoolTest, RunsNoTaskInsideOfTheCall) {
  std::mutex mutex;
  int done = 0;
  {
    ThreadPool pool(2);
    for (int i = 0; i < 100; ++i) {
      const std::lock_guard lock(mutex);  // for ever, if the call ran the task
      pool.run([&] {
        const std::lock_guard inside(mutex);
        ++done;
      });
    }
  }
  EXPECT_EQ(done, 100);
}

TEST(ThreadPoolTest, LetsGoOfATaskOnceItHasRun) {
  const auto held = std::make_shared<int>();
  std::binary_semaphore gone(0);
  ThreadPool pool(1);
  pool.run([held] {});
  pool.run([&] { gone.release(); });  // one thread: the other task is over
  gone.acquire();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(SerialTasksTest, NeverOverlapAndKeepTheirOrder) {
  std::vector<int> order;  // no lock: a race would be seen by the sanitizer
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  {
    ThreadPool pool(4);
    SerialTasks tasks(pool);
    std::binary_semaphore last(0);
    for (int i = 0; i < 1000; ++i) {
      tasks.run([&, i] {
        if (++inside != 1) overlapped = true;
        order.push_back(i);
        --inside;
        if (i == 999) last.release();
      });
    }
    last.acquire();
    while (!tasks.idle()) std::this_thread::yield();
  }
  EXPECT_FALSE(overlapped);
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(SerialTasksTest, TwoQueuesOfOneExecutorRunBesideEachOther) {
  ThreadPool pool(2);
  SerialTasks one(pool);
  SerialTasks two(pool);
  std::binary_semaphore other_ran(0);
  std::binary_semaphore done(0);
  one.run([&] {
    other_ran.acquire();
    done.release();
  });
  two.run([&] { other_ran.release(); });
  done.acquire();
  while (!one.idle() || !two.idle()) std::this_thread::yield();
}

}  // namespace
}  // namespace weir

// Who makes room for others: in which order, on which loop, and that nobody does so twice.
#include "proxy/front/open_clients.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace weir::front {
namespace {

class OpenClientsTest : public testing::Test {
 protected:
  using Spent = std::unique_ptr<OpenClients::Spent>;

  OpenClientsTest() {
    for (std::uint32_t i = 0; i < kMost; ++i) EXPECT_TRUE(enter());
  }
  bool enter() { return clients.enter(kMost); }
  // One that writes down its name when it is told to end.
  Spent spent(EventLoop& on, char name) {
    return std::make_unique<OpenClients::Spent>(clients, on, [this, name] { told += name; });
  }
  void turn_all() {
    loop.turn();
    other_loop.turn();
  }

  static constexpr std::uint32_t kMost = 3;
  EventLoop loop;
  EventLoop other_loop;
  OpenClients clients;
  std::string told;
};

TEST_F(OpenClientsTest, AreSoManyAtMost) {
  EXPECT_FALSE(enter());
  EXPECT_EQ(clients.count(), kMost);
  clients.leave();
  EXPECT_TRUE(enter());
  EXPECT_FALSE(enter());
}

TEST_F(OpenClientsTest, WhoHasBeenSpentForLongestIsToldFirst) {
  // Whatever loop they are of, and whoever has gone meanwhile.
  const Spent a = spent(loop, 'a');
  Spent b = spent(other_loop, 'b');
  const Spent c = spent(loop, 'c');
  const Spent d = spent(other_loop, 'd');
  b.reset();
  const Spent e = spent(loop, 'e');
  for (const char* expected : {"a", "ac", "acd", "acde"}) {
    EXPECT_TRUE(enter());
    turn_all();
    EXPECT_EQ(told, expected);
  }
  EXPECT_FALSE(enter()) << "nobody is told twice";
  EXPECT_EQ(clients.count(), kMost + 4);
}

TEST_F(OpenClientsTest, IsToldOnItsOwnLoop) {
  const Spent a = spent(other_loop, 'a');
  EXPECT_TRUE(enter());
  EXPECT_EQ(told, "");
  loop.turn();
  EXPECT_EQ(told, "");
  other_loop.turn();
  EXPECT_EQ(told, "a");
}

TEST_F(OpenClientsTest, WhoIsToldAndGoesByItselfIsNotReplaced) {
  Spent a = spent(loop, 'a');
  const Spent b = spent(loop, 'b');
  EXPECT_TRUE(enter());
  a.reset();
  turn_all();
  EXPECT_EQ(told, "");
  EXPECT_TRUE(enter()) << "the other one makes room still";
  turn_all();
  EXPECT_EQ(told, "b");
}

TEST_F(OpenClientsTest, MayGoWhenItIsTold) {
  Spent a;
  a = std::make_unique<OpenClients::Spent>(clients, loop, [&] { a.reset(); });
  EXPECT_TRUE(enter());
  turn_all();
  EXPECT_FALSE(a);
}

TEST_F(OpenClientsTest, ACrowdThatLeavesCostsNoMoreThanItsNumber) {
  // Looking for each of them among all would take minutes.
  const auto began = std::chrono::steady_clock::now();
  std::vector<Spent> crowd;
  for (int i = 0; i < 100'000; ++i) crowd.push_back(spent(i < 50'000 ? loop : other_loop, 'x'));
  while (!crowd.empty()) crowd.pop_back();
  EXPECT_FALSE(enter());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

}  // namespace
}  // namespace weir::front

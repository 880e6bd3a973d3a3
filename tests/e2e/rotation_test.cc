// Signals of those who rotate logs: the access log goes on in a new file, no line is lost, and none
// of them ends the process.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

class Rotation : public E2e {
 protected:
  void SetUp() override { origin_.on("/a", cacheable("hello")); }
  void start_with_log() { start(std::string(kCacheAll) + "access_log: { to: " + path_ + " }\n"); }
  void signal(int number) { weir().process().signal(number); }
  std::size_t lines_in(const std::string& path) const {
    std::ifstream file(path);
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }

  TempDir folder_;
  const std::string path_ = folder_.file("access.log");
};

TEST_F(Rotation, TheAccessLogGoesOnInANewFile) {
  // At SIGUSR1 as at SIGHUP.
  start_with_log();
  for (const int number : {SIGUSR1, SIGHUP}) {
    const std::string old = path_ + "." + std::to_string(number);
    get("/a");
    ASSERT_TRUE(eventually([&] { return lines_in(path_) == 1; }));
    std::filesystem::rename(path_, old);
    signal(number);
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(path_); }));
    get("/a");
    ASSERT_TRUE(eventually([&] { return lines_in(path_) == 1; }));
    EXPECT_EQ(lines_in(old), 1U);
    std::filesystem::remove(path_);
    signal(number);
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(path_); }));
  }
}

TEST_F(Rotation, TheOldFileGoesOnWhereNoNewOneCanBeMade) {
  start_with_log();
  const std::string moved = folder_.file("moved.log");
  std::filesystem::rename(path_, moved);
  std::filesystem::create_directory(path_);
  signal(SIGUSR1);
  ASSERT_TRUE(eventually(
      [&] { return weir().log_text().find("cannot open the access log") != std::string::npos; }));
  get("/a");
  EXPECT_TRUE(eventually([&] { return lines_in(moved) == 1; }));
}

TEST_F(Rotation, NoSignalOfItEndsTheProcess) {
  // Without a file to rotate too, and while it drains.
  const Gate gate;
  origin_.on("/slow", Reply(200).gate(gate).body("x"));
  start(kCacheAll);
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) signal(number);
  ASSERT_TRUE(eventually([&] { return weir().log_text().find("SIGUSR2") != std::string::npos; }));
  EXPECT_EQ(get("/a").body, "hello");
  Client slow = client();
  slow.send(Client::message("GET", "/slow"));
  origin_.await_hits("/slow", 1);
  signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return weir().log_text().find("draining") != std::string::npos; }));
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) signal(number);
  gate.open();
  EXPECT_EQ(slow.read().body, "x");
  EXPECT_EQ(weir().wait(), 0);
}

TEST_F(Rotation, AThousandOfThemUnderLoadLoseNoLine) {
  // Clients ask without a pause while the file is moved away again and again.
  start_with_log();
  constexpr int kSignals = 1000;
  constexpr int kMostSignals = 1'000'000;  // where Weir hardly gets a turn between them
  std::atomic<bool> over{false};
  std::atomic<std::size_t> asked{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      Client one = client();
      while (!over) {
        if (one.get("/a").body == "hello") ++asked;
      }
    });
  }
  int moves = 0;
  for (int i = 0; i < kSignals || (moves < 10 && i < kMostSignals); ++i) {
    const std::string old = path_ + "." + std::to_string(moves);
    if (std::rename(path_.c_str(), old.c_str()) == 0) ++moves;  // else the new one is not there yet
    signal(SIGUSR1);
  }
  over = true;
  for (std::thread& one : clients) one.join();
  ASSERT_EQ(weir().stop(), 0);
  std::size_t lines = lines_in(path_);
  for (int i = 0; i < moves; ++i) lines += lines_in(path_ + "." + std::to_string(i));
  EXPECT_EQ(lines, asked.load());
  EXPECT_GE(moves, 10);
}

}  // namespace
}  // namespace weir::test

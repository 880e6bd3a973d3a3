#include "base/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>

namespace weir {
namespace {

constexpr std::size_t kMostWaiting = 1000;
constexpr std::string_view kLeftOut = "lines left out here";

class LineWriterTest : public testing::Test {
 protected:
  LineWriterTest() {
    EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
    room_ = static_cast<std::size_t>(fcntl(ends_[1], F_SETPIPE_SZ, 4096));
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
  }
  ~LineWriterTest() override {
    for (const int end : ends_) close(end);
  }
  // Its thread may outlive the test, and has an end of its own, which stays open.
  int end_for_writer() const { return dup(ends_[1]); }
  void fill_pipe() const {
    const std::string bytes(room_, 'x');
    EXPECT_EQ(write(ends_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(room_));
  }
  // Waits for so many bytes.
  std::string read_bytes(std::size_t count) const {
    std::string out;
    std::array<char, 4096> bytes;
    while (out.size() < count) {
      const ssize_t got = read(ends_[0], bytes.data(), std::min(bytes.size(), count - out.size()));
      if (got <= 0) break;
      out.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return out;
  }

  std::array<int, 2> ends_{};
  std::size_t room_ = 0;
};

TEST_F(LineWriterTest, WritesWholeLinesInTheirOrder) {
  LineWriter writer(end_for_writer(), kMostWaiting);
  writer.write("one\n");
  writer.write("two\n");
  EXPECT_EQ(read_bytes(8), "one\ntwo\n");
}

TEST_F(LineWriterTest, LeavesOutWhatNobodyReadsAndSaysSo) {
  fill_pipe();
  LineWriter writer(end_for_writer(), kMostWaiting);
  // One line is with the thread, which waits for the pipe, or still waits for the thread; so much
  // as there is room for waits behind it.
  const std::string line(99, 'a');
  for (int i = 0; i < 10'000; ++i) writer.write(line + "\n");
  EXPECT_EQ(read_bytes(room_), std::string(room_, 'x'));
  std::string read;
  while (read.find(kLeftOut) == std::string::npos) {
    read += read_bytes(1);
    writer.write("next\n");
  }
  const std::size_t at = read.find(kLeftOut);
  EXPECT_EQ(at % 100, 0U) << "behind whole lines";
  EXPECT_LE(at, 2 * kMostWaiting);
}

TEST_F(LineWriterTest, EndsThoughNobodyReads) {
  fill_pipe();
  auto writer = std::make_unique<LineWriter>(end_for_writer(), kMostWaiting);
  writer->write("never read\n");
  writer.reset();
  read_bytes(room_);  // lets the thread go
  EXPECT_EQ(read_bytes(11), "never read\n");
}

TEST_F(LineWriterTest, WritesAllBeforeItEnds) {
  LineWriter(end_for_writer(), kMostWaiting).write("last words\n");
  const int flags = fcntl(ends_[0], F_GETFL);
  fcntl(ends_[0], F_SETFL, flags | O_NONBLOCK);
  EXPECT_EQ(read_bytes(11), "last words\n");
}

TEST_F(LineWriterTest, GoesOnWhereTheReaderIsGone) {
  LineWriter writer(end_for_writer(), kMostWaiting);
  close(ends_[0]);
  for (int i = 0; i < 10'000; ++i) writer.write("nobody reads it\n");
  ends_[0] = dup(ends_[1]);  // to be closed
}

}  // namespace
}  // namespace weir

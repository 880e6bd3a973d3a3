#include "base/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

namespace weir {
namespace {

class LineWriterTest : public testing::Test {
 protected:
  LineWriterTest() {
    EXPECT_EQ(pipe2(ends_.data(), O_CLOEXEC), 0);
    room_ = static_cast<std::size_t>(fcntl(ends_[1], F_SETPIPE_SZ, 4096));
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~LineWriterTest() override {
    for (const int end : ends_) close(end);
  }
  // All that lies in the pipe.
  std::string read_all() const {
    std::string out(room_, '\0');
    const ssize_t got = read(ends_[0], out.data(), out.size());
    out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return out;
  }

  std::array<int, 2> ends_{};
  std::size_t room_ = 0;
};

TEST_F(LineWriterTest, LeavesOutWhatNobodyReadsAndSaysSo) {
  LineWriter writer(ends_[1]);
  const std::string line(room_ - 1, 'x');
  writer.write(line + "\n");
  for (int i = 0; i < 1'000; ++i) writer.write("lost\n");  // and does not wait for each
  EXPECT_EQ(read_all(), line + "\n");
  writer.write("next\n");
  EXPECT_EQ(read_all(), "lines left out here, since nobody read them in time: 1000\nnext\n");
  writer.write("after\n");
  EXPECT_EQ(read_all(), "after\n");
}

TEST_F(LineWriterTest, ALineThatIsCutEndsWhereItIsCut) {
  LineWriter writer(ends_[1]);
  writer.write(std::string(2 * room_, 'x') + "\n");
  EXPECT_EQ(read_all(), std::string(room_, 'x'));
  writer.write("next\n");
  EXPECT_EQ(read_all(), "\nlines left out here, since nobody read them in time: 1\nnext\n");
}

TEST_F(LineWriterTest, GoesOnWhereTheReaderIsGone) {
  std::signal(SIGPIPE, SIG_IGN);  // as the program does
  LineWriter writer(ends_[1]);
  close(ends_[0]);
  for (int i = 0; i < 10'000; ++i) writer.write("nobody reads it\n");
  ends_[0] = dup(ends_[1]);  // to be closed
  LineWriter(-1).write("nor that\n");
}

}  // namespace
}  // namespace weir

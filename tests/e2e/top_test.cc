// `weir top` against a running instance: once, and live on a terminal.
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <vector>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A terminal with `weir top` in it.
class TerminalWithTop {
 public:
  explicit TerminalWithTop(const std::string& admin) {
    const winsize size{.ws_row = 40, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
    const std::string program = weir_binary();
    if (openpty(&master_, &line_, nullptr, nullptr, &size) != 0) throw TimedOut("no terminal");
    tcgetattr(line_, &before_);
    pid_ = fork();
    if (pid_ == 0) {
      login_tty(line_);
      execl(program.c_str(), "weir", "top", "--admin", admin.c_str(), "--interval", "0.1", nullptr);
      _exit(127);
    }
  }
  ~TerminalWithTop() {
    if (!ended_) kill(pid_, SIGKILL);
    if (!ended_) waitpid(pid_, nullptr, 0);
    close(master_);
    close(line_);
  }
  TerminalWithTop(const TerminalWithTop&) = delete;
  TerminalWithTop& operator=(const TerminalWithTop&) = delete;

  // Reads on until this has come, once more than before.
  void await(std::string_view text) {
    const Deadline deadline;
    while (true) {
      const std::size_t found = seen_.find(text, at_);
      if (found != seen_.npos) {
        at_ = found + text.size();
        return;
      }
      pollfd ready{.fd = master_, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, deadline.remaining_ms()) <= 0) throw TimedOut(seen_);
      char bytes[4096];
      const ssize_t got = read(master_, bytes, sizeof bytes);
      if (got <= 0) throw TimedOut(seen_);
      seen_.append(bytes, static_cast<std::size_t>(got));
    }
  }
  // What was drawn last, between the two marks that await() has read.
  std::string last_frame() const {
    const std::size_t begin = seen_.rfind("\x1b[H", at_);
    return seen_.substr(begin, at_ - begin);
  }
  void press(std::string_view keys) {
    ASSERT_EQ(write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void tell(int signal) const { kill(pid_, signal); }
  void resize(unsigned short columns, unsigned short rows) const {
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ioctl(master_, TIOCSWINSZ, &size);
  }
  int exit_code() {
    int status = 0;
    waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  // Whether it takes keys as it did before the program.
  bool is_restored() const {
    termios now{};
    tcgetattr(line_, &now);
    return now.c_lflag == before_.c_lflag;
  }

 private:
  int master_ = -1;
  int line_ = -1;
  pid_t pid_ = -1;
  termios before_{};
  bool ended_ = false;
  std::string seen_;
  std::size_t at_ = 0;
};

class Top : public E2e {
 protected:
  void run(std::string_view more = "") {
    start("admin: 127.0.0.1:0\n" + std::string(more) + std::string(kCacheAll));
  }
  std::string admin() { return "127.0.0.1:" + std::to_string(weir().admin_port()); }
};

TEST_F(Top, OnceItPrintsAReport) {
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run();
  for (int i = 0; i < 4; ++i) get("/page");
  get("/page", {{"Cookie", "sid=7"}});
  Outcome top;
  ASSERT_TRUE(eventually([&] {
    top = run_weir({"top", "--admin", admin()});  // its output is no terminal: once
    return top.out.contains("cookie sid, all") && top.out.contains("hit ratio 75.0 %");
  })) << top.out;
  EXPECT_EQ(top.exit_code, 0) << top.err;
  EXPECT_THAT(top.out, StartsWith("weir "));
  EXPECT_THAT(top.out, HasSubstr(" at " + admin() + ", up "));
  EXPECT_THAT(top.out, HasSubstr("hit ratio 75.0 %"));
  EXPECT_THAT(top.out, HasSubstr("cookie sid, all: cookies: { ignore: [sid] }"));
  EXPECT_EQ(top.out.find('\x1b'), top.out.npos);
}

TEST_F(Top, GivesTheAnswerAsItCame) {
  run();
  const Outcome top = run_weir({"top", "--json", "--admin", admin()});
  EXPECT_EQ(top.exit_code, 0) << top.err;
  EXPECT_THAT(top.out, StartsWith("{\"version\":"));
}

TEST_F(Top, SaysWhenNobodyAnswers) {
  const Outcome top = run_weir({"top", "--admin", "127.0.0.1:1"});
  EXPECT_EQ(top.exit_code, 1);
  EXPECT_THAT(top.err, StartsWith("weir top: nobody answers at 127.0.0.1:1"));
  EXPECT_EQ(std::ranges::count(top.err, '\n'), 1);
}

TEST_F(Top, NeedsTheToken) {
  run("admin_token: secret\n");
  const Outcome without = run_weir({"top", "--admin", admin()});
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.err, HasSubstr("admin_token"));
  const Outcome with =
      run_weir({"top", "--admin", admin()},
               {.arguments = {}, .environment = {{"WEIR_ADMIN_TOKEN", "secret"}}, .folder = {}});
  EXPECT_EQ(with.exit_code, 0) << with.err;
}

TEST_F(Top, LivesInATerminalAndLeavesItAsItWas) {
  origin_.otherwise([](const Request&) { return cacheable("a page"); });
  run();
  for (const char* keys : {"q", "\x03"}) {
    TerminalWithTop terminal(admin());
    terminal.await("\x1b[?1049h");         // a screen of its own
    terminal.await("; since the start");   // the first look
    terminal.await("; over 0.");           // rates from the second on
    EXPECT_FALSE(terminal.is_restored());  // keys come as they are
    terminal.press(keys);
    terminal.await("\x1b[?1049l");
    EXPECT_EQ(terminal.exit_code(), 0);
    EXPECT_TRUE(terminal.is_restored());
  }
}

TEST_F(Top, FollowsTheTerminalsSize) {
  run();
  TerminalWithTop terminal(admin());
  terminal.await("LATENCY");
  terminal.resize(12, 3);
  // Three lines of twelve columns, and nothing below them.
  ASSERT_TRUE(eventually([&] {
    terminal.await("\x1b[H");
    terminal.await("\x1b[J");
    return terminal.last_frame().size() < 80;
  }));
  terminal.press("q");
  EXPECT_EQ(terminal.exit_code(), 0);
}

TEST_F(Top, EndsInOrderWhenItIsTold) {
  run();
  TerminalWithTop terminal(admin());
  terminal.await("LATENCY");
  terminal.tell(SIGTERM);
  terminal.await("\x1b[?1049l");
  EXPECT_EQ(terminal.exit_code(), 0);
  EXPECT_TRUE(terminal.is_restored());
}

TEST_F(Top, WaitsForAnInstanceThatIsGone) {
  // The view goes on, says what is wrong, and comes back with the instance.
  run();
  TerminalWithTop terminal(admin());
  terminal.await("LATENCY");
  EXPECT_EQ(weir().stop(), 0);
  terminal.await("nobody answers at");
  terminal.press("q");
  EXPECT_EQ(terminal.exit_code(), 0);
}

}  // namespace
}  // namespace weir::test

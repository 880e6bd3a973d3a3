#include "proxy/admin/top.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "base/net/event_loop.h"
#include "base/net/fd_event.h"
#include "base/net/signals.h"
#include "base/net/timer.h"
#include "proxy/admin/asking.h"
#include "proxy/admin/stats_sample.h"
#include "proxy/admin/terminal.h"
#include "proxy/admin/top_view.h"

namespace weir::admin {
namespace {

// While it waits nobody can end the view.
constexpr long kPatience_ms = 3'000;

// The answer's body, or a sentence that says why there is none.
std::expected<std::string, std::string> ask(const conf::AdminTarget& admin) {
  const auto answer = upstream::ask_once({.address = admin.address,
                                          .token = admin.token,
                                          .path = "/v1/stats",
                                          .body = {},
                                          .timeout_ms = kPatience_ms});
  if (!answer) return std::unexpected(nobody_at(admin, answer.error().message));
  if (answer->status != 200) return std::unexpected(complaint_of(*answer));
  return answer->body;
}

std::expected<Sample, std::string> look(const conf::AdminTarget& admin) {
  const auto body = ask(admin);
  if (!body) return std::unexpected(body.error());
  auto sample = read_sample(*body);
  if (!sample) return std::unexpected(admin.address.text + " is no admin address of Weir's");
  return std::move(*sample);
}

// Looks and draws until somebody wants no more. Its loop serves nobody else, so that it may wait
// for an answer.
class LiveView final : FdHandler {
 public:
  LiveView(const conf::TopCommand& command, Sample first)
      : command_(command),
        now_(std::move(first)),
        keys_(loop_, terminal_.keys(), *this),
        signals_(loop_, {SIGINT, SIGTERM, SIGHUP, SIGWINCH},
                 [this](int signal) { on_signal(signal); }),
        tick_(loop_, [this] { look_again(); }) {}
  ~LiveView() override { keys_.want(false, false); }

  void run() {
    keys_.want(true, false);
    draw();
    wait();
    loop_.run();
  }

 private:
  void on_fd(bool, bool) override {
    constexpr char kCtrlC = 3;
    constexpr char kCtrlD = 4;
    std::array<char, 64> pressed;
    const ssize_t got = read(terminal_.keys(), pressed.data(), pressed.size());
    if (got <= 0) return loop_.stop();
    for (const char key : std::string_view(pressed.data(), static_cast<std::size_t>(got))) {
      if (key == 'q' || key == 'Q' || key == kCtrlC || key == kCtrlD) loop_.stop();
    }
  }

  void on_signal(int signal) {
    if (signal != SIGWINCH) return loop_.stop();
    draw();
  }

  void look_again() {
    auto next = look(command_.admin);
    if (next) {
      before_ = std::exchange(now_, std::move(*next));
      draw();
    } else {
      terminal_.show(next.error() + "\n");
    }
    wait();
  }

  void draw() {
    terminal_.show(draw_top(now_, before_, command_.admin.address.text, terminal_.size()));
  }
  void wait() { tick_.start(static_cast<std::int64_t>(command_.interval_s * 1000)); }

  const conf::TopCommand& command_;
  Sample now_;
  std::optional<Sample> before_;
  EventLoop loop_;
  Terminal terminal_;
  FdEvent keys_;
  SignalWatcher signals_;
  Timer tick_;
};

int print_json(const conf::TopCommand& command) {
  const auto body = ask(command.admin);
  if (!body) return complain("top", body.error());
  fmt::print("{}", *body);
  return 0;
}

}  // namespace

int top(const conf::TopCommand& command) {
  if (command.json) return print_json(command);
  auto first = look(command.admin);
  if (!first) return complain("top", first.error());
  if (command.once || !Terminal::is_there()) {
    fmt::print("{}", draw_top(*first, std::nullopt, command.admin.address.text, {}));
    return 0;
  }
  block_signals({SIGINT, SIGTERM, SIGHUP, SIGWINCH});
  LiveView(command, std::move(*first)).run();
  return 0;
}

}  // namespace weir::admin

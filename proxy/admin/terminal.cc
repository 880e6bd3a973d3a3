#include "proxy/admin/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace weir::admin {
namespace {

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // another screen, no cursor
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";

void put(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written <= 0) return;  // it is gone, which its hang-up tells of
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

bool Terminal::is_there() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

Terminal::Terminal() {
  tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);  // Ctrl-C comes as a key
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  put(kEnter);
}

Terminal::~Terminal() {
  put(kLeave);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

int Terminal::keys() const {
  return STDIN_FILENO;
}

ViewSize Terminal::size() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {.columns = 80, .rows = 24};
  }
  return {.columns = size.ws_col, .rows = size.ws_row};
}

// Without a line's end behind the last, or a full screen would move up.
void Terminal::show(std::string_view lines) const {
  std::string out = "\x1b[H";
  for (const char c : lines) {
    if (c == '\n') {
      out += "\x1b[K\r\n";
    } else {
      out += c;
    }
  }
  if (lines.ends_with('\n')) out.resize(out.size() - 2);
  out += "\x1b[J";
  put(out);
}

}  // namespace weir::admin

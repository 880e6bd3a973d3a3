#include "base/line_writer.h"

#include <fmt/format.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace weir {
namespace {

constexpr int kPatience_ms = 100;

}  // namespace

void LineWriter::write(std::string_view line) {
  std::string text;
  if (missing_ > 0) {
    text = fmt::format("{}lines left out here, since nobody read them in time: {}\n",
                       is_cut_ ? "\n" : "", missing_);
  }
  text += line;
  if (put(text, missing_ == 0 ? kPatience_ms : 0)) {
    missing_ = 0;
  } else {
    ++missing_;
  }
}

// False: it was not written whole.
bool LineWriter::put(std::string_view bytes, int patience_ms) {
  while (!bytes.empty()) {
    pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    const int ready = poll(&room, 1, patience_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    // A pipe with any room takes so much at once.
    const std::size_t most = std::min<std::size_t>(bytes.size(), PIPE_BUF);
    const ssize_t sent = ::write(descriptor_, bytes.data(), most);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (sent <= 0) return true;  // there is nobody to read it
    bytes.remove_prefix(static_cast<std::size_t>(sent));
    is_cut_ = !bytes.empty();
  }
  return true;
}

}  // namespace weir

#include "proxy/front/access_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iterator>
#include <utility>

#include "base/log.h"

namespace weir::front {
namespace {

// Longer texts are cut: a log line is not a place to store a request.
constexpr std::size_t kMaxTextBytes = 2048;
// How long a writer that is told to stop waits for a reader of its pipe.
constexpr int kLastWordsMs = 1000;
// The writer gathers lines for this long: one write for many lines, and few wake-ups.
constexpr auto kGather = std::chrono::milliseconds(20);

bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

// JSON string contents. Bytes that are not ASCII stand as \u00XX: a log is read by people and
// parsers, and raw bytes of a request may be no valid UTF-8.
void append_json_text(std::string& out, std::string_view text) {
  text = text.substr(0, kMaxTextBytes);
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (is_plain(c)) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  out.append(text, plain);
}

void append_json_field(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":\"";
  append_json_text(out, value);
  out += '"';
}

// As nginx does: \xHH for what could break the line.
void append_combined_text(std::string& out, std::string_view text) {
  for (const char raw : text.substr(0, kMaxTextBytes)) {
    const auto c = static_cast<unsigned char>(raw);
    if (is_plain(c)) {
      out += raw;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02X}", c);
    }
  }
}

// A pipe that polls as ready takes PIPE_BUF bytes; a larger write could block past a stop.
std::size_t max_write(int fd) {
  struct stat info{};
  const bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  return regular ? 1024 * 1024 : 4096;
}

Result<int> open_file(const std::string& path, int more_flags) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | more_flags;
  const int fd = ::open(path.c_str(), flags, 0640);
  if (fd >= 0) return fd;
  return fail(ErrorCode::System,
              fmt::format("cannot open the access log {}: {}", path, std::strerror(errno)));
}

// Both time formats change once a second; each thread keeps its last.
struct CachedSecond {
  std::int64_t second = -1;
  std::string json;
  std::string combined;
};

const CachedSecond& second_text(std::int64_t second) {
  thread_local CachedSecond cached;
  if (cached.second == second) return cached;
  const std::time_t time = second;
  std::tm tm{};
  gmtime_r(&time, &tm);
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
  cached.json = text;
  std::strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S +0000", &tm);
  cached.combined = text;
  cached.second = second;
  return cached;
}

}  // namespace

void append_json_line(std::string& out, const LogRecord& r) {
  auto to = std::back_inserter(out);
  fmt::format_to(to, "{{\"time\":\"{}.{:03}Z\"", second_text(r.wall_ms / 1000).json,
                 r.wall_ms % 1000);
  append_json_field(out, "client", r.client);
  append_json_field(out, "method", r.method);
  append_json_field(out, "target", r.target);
  append_json_field(out, "host", r.host);
  fmt::format_to(to, ",\"version\":\"1.{}\",\"status\":{},\"bytes\":{}", r.minor_version, r.status,
                 r.bytes);
  append_json_field(out, "route", r.route);
  append_json_field(out, "cache", r.cache);
  append_json_field(out, "detail", r.detail);
  if (!r.subject.empty()) append_json_field(out, "subject", r.subject);
  if (r.upstream_ms >= 0) fmt::format_to(to, ",\"upstream_ms\":{}", r.upstream_ms);
  fmt::format_to(to, ",\"total_ms\":{}.{:03}", r.total_us / 1000, r.total_us % 1000);
  append_json_field(out, "referer", r.referer);
  append_json_field(out, "user_agent", r.user_agent);
  out += "}\n";
}

void append_combined_line(std::string& out, const LogRecord& r) {
  auto to = std::back_inserter(out);
  append_combined_text(out, r.client.empty() ? "-" : r.client);
  fmt::format_to(to, " - - [{}] \"", second_text(r.wall_ms / 1000).combined);
  append_combined_text(out, r.method);
  out += ' ';
  append_combined_text(out, r.target);
  fmt::format_to(to, " HTTP/1.{}\" {} {} \"", r.minor_version, r.status, r.bytes);
  append_combined_text(out, r.referer.empty() ? "-" : r.referer);
  out += "\" \"";
  append_combined_text(out, r.user_agent.empty() ? "-" : r.user_agent);
  out += "\"\n";
}

Result<std::unique_ptr<AccessLog>> AccessLog::open(const conf::AccessLog& options) {
  if (options.to.empty()) return std::unique_ptr<AccessLog>();
  if (options.to == "stdout" || options.to == "stderr") {
    const int fd = options.to == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
    return std::unique_ptr<AccessLog>(new AccessLog(fd, {}, options.format));
  }
  const Result<int> fd = open_file(options.to, 0);
  if (!fd) return std::unexpected(fd.error());
  return std::unique_ptr<AccessLog>(new AccessLog(*fd, options.to, options.format));
}

AccessLog::AccessLog(int fd, std::string path, conf::AccessLog::Format format)
    : path_(std::move(path)),
      format_(format),
      fd_(fd),
      write_bytes_(max_write(fd)),
      writer_([this] { run(); }) {}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  writer_.join();
  if (!path_.empty()) close(fd_);
}

void AccessLog::reopen() {
  if (path_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    to_reopen_ = true;
  }
  wake_.notify_one();
}

void AccessLog::write(const LogRecord& record) {
  // Formatted outside of the lock, into a buffer that the thread keeps.
  thread_local std::string line;
  line.clear();
  if (format_.load(std::memory_order_relaxed) == conf::AccessLog::Format::Json) {
    append_json_line(line, record);
  } else {
    append_combined_line(line, record);
  }
  const std::lock_guard lock(mutex_);
  if (buffer_.size() + line.size() > kMaxBufferedBytes) {
    ++dropped_;
    return;
  }
  const bool was_empty = buffer_.empty();
  buffer_ += line;
  if (was_empty) wake_.notify_one();
}

std::uint64_t AccessLog::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void AccessLog::run() {
  std::string taken;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || to_reopen_ || !buffer_.empty(); });
    if (!stopping_) {
      // Gather a batch; a stop cuts the wait short, and so does a new file.
      wake_.wait_for(lock, kGather, [this] { return stopping_ || to_reopen_; });
    }
    if (buffer_.empty() && stopping_) return;
    taken.clear();
    taken.swap(buffer_);
    const std::uint64_t dropped = dropped_;
    const bool reopening = std::exchange(to_reopen_, false);
    lock.unlock();
    // First: whoever moved the old file away may take it for complete.
    if (reopening) open_anew();
    const bool written = write_out(taken);
    if (dropped > dropped_told_) {
      log_warn("the access log could not keep up: {} lines dropped so far", dropped);
      dropped_told_ = dropped;
    }
    lock.lock();
    if (!written)
      dropped_ += static_cast<std::uint64_t>(std::count(taken.begin(), taken.end(), '\n'));
    if (!written && stopping_) return;
  }
}

// Without waiting for a reader, should it be a named pipe by now.
void AccessLog::open_anew() {
  const Result<int> fd = open_file(path_, O_NONBLOCK);
  if (!fd) return log_error("{}; the one that is open goes on", fd.error().message);
  close(fd_);
  fd_ = *fd;
  write_bytes_ = max_write(fd_);
}

bool AccessLog::write_out(std::string_view bytes) {
  int patience_ms = kLastWordsMs;
  while (!bytes.empty()) {
    pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
    // In slices, so that a stop is noticed while a pipe is blocked.
    constexpr int kSliceMs = 100;
    if (poll(&ready, 1, kSliceMs) == 0) {
      patience_ms -= kSliceMs;
      const std::lock_guard lock(mutex_);
      if (stopping_ && patience_ms <= 0) return false;
      if (!stopping_) patience_ms = kLastWordsMs;
      continue;
    }
    const ssize_t written = ::write(fd_, bytes.data(), std::min(bytes.size(), write_bytes_));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace weir::front

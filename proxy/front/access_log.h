// The access log: one line a request, formatted on the loop, written by a thread of its own, so
// that a blocked pipe or a slow disk never holds a request up. When the buffer is full lines are
// dropped and counted, and the count is logged when writing goes on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "conf/config.h"

namespace weir::front {

// What a line says. Views; text from outside is escaped when the line is written.
struct LogRecord {
  std::int64_t wall_ms = 0;
  std::string_view client;
  std::string_view method;
  std::string_view target;
  std::string_view host;
  std::uint8_t minor_version = 1;
  int status = 0;
  std::uint64_t bytes = 0;  // of the response's body
  std::string_view route;
  std::string_view cache;
  std::string_view detail;
  std::string_view subject;
  std::int64_t upstream_ms = -1;
  std::int64_t total_us = 0;
  std::string_view referer;
  std::string_view user_agent;
};

// Pure: appends the line with its newline.
void append_json_line(std::string& out, const LogRecord& record);
void append_combined_line(std::string& out, const LogRecord& record);

class AccessLog {
 public:
  // Null when the configuration says off.
  static Result<std::unique_ptr<AccessLog>> open(const conf::AccessLog& options);
  // Writes what is buffered (for a bounded time) and ends the thread.
  ~AccessLog();

  // Any thread; never blocks on the file.
  void write(const LogRecord& record);
  // Any thread: opens the file anew, since the old one may have been moved away. No line is lost,
  // and each that is written after this call is in the new file. Where it cannot be opened the old
  // one goes on. Nothing to do for stdout and stderr.
  void reopen();
  // Any thread: of lines from now on.
  void set_format(conf::AccessLog::Format format) {
    format_.store(format, std::memory_order_relaxed);
  }
  std::uint64_t dropped() const;

 private:
  static constexpr std::size_t kMaxBufferedBytes = 8 * 1024 * 1024;

  AccessLog(int fd, std::string path, conf::AccessLog::Format format);
  void run();
  void open_anew();
  bool write_out(std::string_view bytes);

  const std::string path_;  // empty: fd_ is one of the process's own
  std::atomic<conf::AccessLog::Format> format_;

  // Writer only, once it runs.
  int fd_;
  std::size_t write_bytes_;  // most for one write, so that a pipe never blocks it

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string buffer_;              // guarded by mutex_
  std::uint64_t dropped_ = 0;       // guarded by mutex_
  std::uint64_t dropped_told_ = 0;  // writer only
  bool stopping_ = false;           // guarded by mutex_
  bool to_reopen_ = false;          // guarded by mutex_
  std::thread writer_;
};

}  // namespace weir::front

// The program's own log (not the access log): human lines on stderr, by spdlog. Any thread. Nobody
// waits for whoever reads it (base/line_writer.h). A message is one line, whatever is in it;
// quote() shows where outside text begins and ends.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

// Sets the pattern and the level (WEIR_LOG=debug|info|warn|error, default info). Once, at start.
void init_log();

enum class LogLevel : std::uint8_t { Info, Warn, Error };
void log_line(LogLevel level, std::string_view message);

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::Info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::Warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::Error, fmt::format(format, std::forward<Args>(args)...));
}

// Without control characters, and no longer than a line of a log may be.
std::string plain_line(std::string_view message);

// Text in double quotes with control and non-ASCII bytes escaped, cut after `max_bytes`.
std::string quote(std::string_view text, std::size_t max_bytes = 120);

}  // namespace weir

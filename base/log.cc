#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

namespace weir {

void init_log() {
  auto logger = spdlog::stderr_logger_mt("weir");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  const char* level = std::getenv("WEIR_LOG");
  logger->set_level(level ? spdlog::level::from_str(level) : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_line(LogLevel level, std::string_view message) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::debug("{}", message);
    case LogLevel::Info:
      return spdlog::info("{}", message);
    case LogLevel::Warn:
      return spdlog::warn("{}", message);
    case LogLevel::Error:
      return spdlog::error("{}", message);
  }
}

std::string quote(std::string_view text, std::size_t max_bytes) {
  std::string out = "\"";
  for (const char raw : text.substr(0, max_bytes)) {
    const auto c = static_cast<unsigned char>(raw);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += raw;
    } else if (c < 0x20 || c >= 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += raw;
    }
  }
  out += text.size() > max_bytes ? "\"..." : "\"";
  return out;
}

}  // namespace weir

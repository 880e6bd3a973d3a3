#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "base/text.h"

namespace weir {

void init_log() {
  auto logger = spdlog::stderr_logger_mt("weir");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  const char* given = std::getenv("WEIR_LOG");
  const std::string name = given ? to_lower(given) : "";
  auto level = name.empty() ? spdlog::level::info : spdlog::level::from_str(name);
  // The library takes a word it does not know for "off", and would then have nothing to say of it.
  const bool unknown = level == spdlog::level::off && name != "off";
  if (unknown) level = spdlog::level::info;
  logger->set_level(level);
  spdlog::set_default_logger(std::move(logger));
  if (unknown) {
    log_warn("WEIR_LOG: {} is not a level (debug, info, warn or error); info is taken",
             quote(given));
  }
}

void log_line(LogLevel level, std::string_view message) {
  switch (level) {
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

#include "base/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/line_writer.h"
#include "base/text.h"

namespace weir {
namespace {

constexpr std::size_t kMostLineBytes = 4000;
constexpr std::size_t kMostWaitingBytes = std::size_t{1} << 20U;

class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_.write({line.data(), line.size()});
  }
  void flush_() override {}

  LineWriter writer_{STDERR_FILENO, kMostWaitingBytes};
};

// How many bytes of a control character a text begins with. Terminals obey U+0080 to U+009F as
// well.
std::size_t control_bytes(std::string_view text) {
  const auto byte_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte_at(0) < 0x20 || byte_at(0) == 0x7f) return 1;
  return text.size() > 1 && byte_at(0) == 0xc2 && byte_at(1) < 0xa0 ? 2 : 0;
}

std::string escaped(char c) {
  return fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

}  // namespace

void init_log() {
  auto logger = std::make_shared<spdlog::logger>("weir", std::make_shared<StderrSink>());
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

std::string plain_line(std::string_view message) {
  std::string out;
  for (std::size_t i = 0; i < message.size();) {
    if (out.size() >= kMostLineBytes && !continues_character(message[i])) return out + "...";
    const std::size_t control = control_bytes(message.substr(i));
    for (const char c : message.substr(i, control)) out += escaped(c);
    if (control == 0) out += message[i];
    i += std::max<std::size_t>(control, 1);
  }
  return out;
}

void log_line(LogLevel level, std::string_view text) {
  const std::string message = plain_line(text);
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
      out += escaped(raw);
    } else {
      out += raw;
    }
  }
  out += text.size() > max_bytes ? "\"..." : "\"";
  return out;
}

}  // namespace weir

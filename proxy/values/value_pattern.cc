#include "proxy/values/value_pattern.h"

#include <algorithm>
#include <array>

#include "cachekeys/percent.h"

namespace weir::values {
namespace {

bool is_unreserved(char c) {
  constexpr std::string_view kMarks = "-._~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.contains(c);
}

}  // namespace

std::optional<std::string> decode_percent(std::string_view text, bool form) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && form) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = keys::hex_value(text[i + 1]);
      const int low = keys::hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string encode_percent(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

std::optional<ValuePattern> ValuePattern::parse(std::string_view text, bool form) {
  ValuePattern pattern;
  while (true) {
    const std::size_t star = text.find('*');
    std::optional<std::string> part = decode_percent(text.substr(0, star), form);
    if (!part) return std::nullopt;
    pattern.parts_.push_back(std::move(*part));
    if (star == std::string_view::npos) return pattern;
    text.remove_prefix(star + 1);
  }
}

// The first and the last part stand at the ends; each of the others where it is met first.
bool ValuePattern::matches(std::string_view name) const {
  if (!has_star()) return name == parts_.front();
  if (!name.starts_with(parts_.front())) return false;
  name.remove_prefix(parts_.front().size());
  if (!name.ends_with(parts_.back())) return false;
  name.remove_suffix(parts_.back().size());
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    const std::size_t at = name.find(parts_[i]);
    if (at == std::string_view::npos) return false;
    name.remove_prefix(at + parts_[i].size());
  }
  return true;
}

}  // namespace weir::values

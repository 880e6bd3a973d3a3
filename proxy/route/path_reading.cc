#include "proxy/route/path_reading.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace weir::route {
namespace {

constexpr std::array<bool, 256> make_set(std::string_view others) {
  std::array<bool, 256> set{};
  for (int c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool other = c != 0 && others.find(static_cast<char>(c)) != std::string_view::npos;
    set[static_cast<std::size_t>(c)] = alnum || other;
  }
  return set;
}

// pchar of RFC 3986 3.3 but `;`, which many apps take for a delimiter.
constexpr std::array<bool, 256> kSegment = make_set("-._~!$&'()*+,=:@");

bool may_stand(char c) {
  return kSegment[static_cast<unsigned char>(c)];
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = ascii_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// The byte that text[at, at + 3) escapes, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
  if (text[at] != '%' || at + 2 >= text.size()) return -1;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void append_escape(std::string& out, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  out += '%';
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 15U];
}

// Escaped delimiters as they are once decoded; what follows an escaped `?`, `#` or NUL is gone.
std::string with_delimiters(std::string_view canonical) {
  std::string out;
  for (std::size_t i = 0; i < canonical.size(); ++i) {
    const int byte = escaped_byte(canonical, i);
    if (byte == '?' || byte == '#' || byte == 0) break;
    if (byte == '/' || byte == '\\') {
      out += '/';
      i += 2;
    } else {
      out += canonical[i];
    }
  }
  return out;
}

}  // namespace

bool is_plain_path(std::string_view path) {
  bool behind_slash = false;
  for (const char c : path) {
    if (c == '/') {
      if (behind_slash) return false;
      behind_slash = true;
    } else {
      if (!may_stand(c) || (behind_slash && c == '.')) return false;
      behind_slash = false;
    }
  }
  return true;
}

void append_canonical(std::string_view path, std::string& out) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int byte = escaped_byte(path, i);
    if (byte >= 0) {
      const char c = static_cast<char>(byte);
      if (may_stand(c)) {
        out += c;
      } else {
        append_escape(out, static_cast<unsigned char>(byte));
      }
      i += 2;
    } else if (may_stand(path[i]) || path[i] == '/' || path[i] == ';' || path[i] == '%') {
      out += path[i];
    } else {
      append_escape(out, static_cast<unsigned char>(path[i]));
    }
  }
}

std::string resolved_reading(std::string_view canonical) {
  const std::string text = with_delimiters(canonical);
  std::vector<std::string_view> segments;
  bool folder = false;  // ends in "/"
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    std::string_view segment = std::string_view(text).substr(at, end - at);
    segment = segment.substr(0, segment.find(';'));
    at = end + 1;
    folder = segment.empty() || segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!folder) segments.push_back(segment);
  }
  std::string out;
  for (const std::string_view segment : segments) {
    out += '/';
    out += segment;
  }
  if (folder || out.empty()) out += '/';
  return out;
}

}  // namespace weir::route

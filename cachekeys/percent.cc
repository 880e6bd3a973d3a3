#include "cachekeys/percent.h"

#include <algorithm>

#include "base/text.h"

namespace weir::keys {
namespace {

bool is_unreserved(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// The byte that the escape at `at` stands for, or -1.
int escape_at(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool has_malformed_escape(std::string_view text) {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 3)) {
    if (escape_at(text, at) < 0) return true;
  }
  return false;
}

// `text` has no malformed escape.
void append_decoded(std::string_view text, std::string& out) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      out.push_back(text[at++]);
      continue;
    }
    const char byte = static_cast<char>(escape_at(text, at));
    if (is_unreserved(byte)) {
      out.push_back(byte);
    } else {
      out.append(text.substr(at, 3));
    }
    at += 3;
  }
}

// One or two dots, escaped or not; some servers put what stands behind a ';' aside.
bool is_dot_segment(std::string_view segment) {
  segment = segment.substr(0, segment.find(';'));
  std::size_t dots = 0;
  while (!segment.empty()) {
    const bool escaped = segment.starts_with("%2e") || segment.starts_with("%2E");
    if (!escaped && segment.front() != '.') return false;
    segment.remove_prefix(escaped ? 3 : 1);
    ++dots;
  }
  return dots == 1 || dots == 2;
}

}  // namespace

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void append_normal_escapes(std::string_view text, std::string& out) {
  if (text.find('%') == text.npos || has_malformed_escape(text)) {
    out.append(text);
    return;
  }
  append_decoded(text, out);
}

void append_normal_path(std::string_view path, std::string& out) {
  if (path.find('%') == path.npos || has_malformed_escape(path)) {
    out.append(path);
    return;
  }
  while (true) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    if (is_dot_segment(segment)) {
      out.append(segment);
    } else {
      append_decoded(segment, out);
    }
    if (end == path.size()) return;
    out.push_back('/');
    path.remove_prefix(end + 1);
  }
}

std::string_view decoded_name(std::string_view name, std::string& scratch) {
  if (name.find('%') == name.npos && name.find('+') == name.npos) return name;
  scratch.clear();
  for (std::size_t at = 0; at < name.size();) {
    const int byte = name[at] == '%' ? escape_at(name, at) : -1;
    if (byte >= 0) {
      scratch.push_back(static_cast<char>(byte));
      at += 3;
    } else {
      scratch.push_back(name[at] == '+' ? ' ' : name[at]);
      ++at;
    }
  }
  return scratch;
}

}  // namespace weir::keys

#include "cachekeys/percent.h"

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

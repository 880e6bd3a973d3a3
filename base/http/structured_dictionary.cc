#include "base/http/structured_dictionary.h"

#include <algorithm>

#include "base/http/char_class.h"
#include "base/text.h"

namespace weir::http {
namespace {

// As many as RFC 8941 3.2 asks a parser to take.
constexpr std::size_t kMaxMembers = 1024;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return is_lower(ascii_lower(c));
}
bool is_key_char(char c) {
  return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}
bool is_base64(char c) {
  return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '=';
}

// One method for each production of RFC 8941 4.2; false means that the whole field is invalid.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool dictionary(std::vector<DictionaryMember>& out) {
    skip(" ");
    while (!rest_.empty()) {
      DictionaryMember member;
      if (!key(member.key) || !member_value(member) || !parameters()) return false;
      std::erase_if(out, [&](const DictionaryMember& old) { return old.key == member.key; });
      out.push_back(std::move(member));
      if (out.size() > kMaxMembers) return false;
      skip(" \t");
      if (rest_.empty()) return true;
      if (!take(',')) return false;
      skip(" \t");
      if (rest_.empty()) return false;  // a trailing comma
    }
    return true;
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip(std::string_view blanks) {
    rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(blanks)));
  }

  template <class Predicate>
  std::string_view take_while(Predicate predicate) {
    const auto end = std::ranges::find_if_not(rest_, predicate);
    const auto taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  bool key(std::string& out) {
    if (rest_.empty() || !(is_lower(rest_.front()) || rest_.front() == '*')) return false;
    out = take_while(is_key_char);
    return true;
  }

  bool member_value(DictionaryMember& member) {
    if (!take('=')) return true;  // a bare key is true
    return rest_.starts_with('(') ? inner_list(member) : bare_item(member);
  }

  bool inner_list(DictionaryMember& member) {
    member.type = ItemType::InnerList;
    take('(');
    for (;;) {
      skip(" ");
      if (take(')')) return true;
      DictionaryMember element;
      if (!bare_item(element) || !parameters()) return false;
      if (!rest_.starts_with(' ') && !rest_.starts_with(')')) return false;
    }
  }

  bool parameters() {
    while (take(';')) {
      skip(" ");
      DictionaryMember value;
      if (!key(value.key)) return false;
      if (take('=') && !bare_item(value)) return false;
    }
    return true;
  }

  bool bare_item(DictionaryMember& out) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    if (c == '-' || is_digit(c)) return number(out);
    if (c == '"') return string(out);
    if (c == '*' || is_alpha(c)) return token(out);
    if (c == ':') return bytes(out);
    return c == '?' && boolean(out);
  }

  bool number(DictionaryMember& out) {
    const bool negative = take('-');
    const std::string_view whole = take_while(is_digit);
    if (whole.empty()) return false;
    if (take('.')) {
      const std::string_view fraction = take_while(is_digit);
      out.type = ItemType::Decimal;
      return whole.size() <= 12 && !fraction.empty() && fraction.size() <= 3;
    }
    if (whole.size() > 15) return false;
    out.type = ItemType::Integer;
    out.integer = static_cast<std::int64_t>(parse_decimal(whole).value_or(0));
    if (negative) out.integer = -out.integer;
    return true;
  }

  bool string(DictionaryMember& out) {
    out.type = ItemType::String;
    take('"');
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\') {
        if (!rest_.starts_with('"') && !rest_.starts_with('\\')) return false;
        c = rest_.front();
        rest_.remove_prefix(1);
      } else if (c < 0x20 || c > 0x7e) {
        return false;
      }
      out.text += c;
    }
    return false;
  }

  bool token(DictionaryMember& out) {
    out.type = ItemType::Token;
    out.text = take_while([](char c) { return is_char(c, kTokenChar) || c == ':' || c == '/'; });
    return true;
  }

  bool bytes(DictionaryMember& out) {
    out.type = ItemType::Bytes;
    take(':');
    take_while(is_base64);
    return take(':');
  }

  bool boolean(DictionaryMember& out) {
    take('?');
    out.boolean = rest_.starts_with('1');
    return take('1') || take('0');
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<DictionaryMember>> parse_structured_dictionary(std::string_view text) {
  std::vector<DictionaryMember> members;
  // Values are trimmed by whoever parsed them; SP behind the last member is allowed.
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (!Reader(text).dictionary(members)) return std::nullopt;
  return members;
}

}  // namespace weir::http

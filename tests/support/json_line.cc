#include "tests/support/json_line.h"

#include <cctype>
#include <stdexcept>

namespace weir::test {
namespace {

// Bytes of the well-formed UTF-8 sequence at the front; 0 when there is none (RFC 3629).
std::size_t utf8_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t size = first < 0x80                     ? 1
                           : first >= 0xc2 && first <= 0xdf ? 2
                           : first >= 0xe0 && first <= 0xef ? 3
                           : first >= 0xf0 && first <= 0xf4 ? 4
                                                            : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return size;
}

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  std::map<std::string, std::string> object() {
    std::map<std::string, std::string> members;
    expect('{');
    do {
      std::string name = string();
      expect(':');
      space();
      std::string value = peek() == '"' ? string() : literal();
      if (!members.emplace(name, value).second) fail("repeated name " + name);
    } while (take(','));
    expect('}');
    space();
    if (at_ != text_.size()) fail("more behind the object");
    return members;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error("bad JSON at " + std::to_string(at_) + ": " + what + " in " +
                             std::string(text_));
  }
  char peek() const {
    if (at_ >= text_.size()) fail("ends early");
    return text_[at_];
  }
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("no ") + c);
  }

  std::string string() {
    expect('"');
    std::string out;
    while (peek() != '"') {
      if (static_cast<unsigned char>(peek()) < 0x20) fail("raw control byte");
      if (peek() == '\\') {
        escape(out);
        continue;
      }
      const std::size_t size = utf8_size(text_.substr(at_));
      if (size == 0) fail("bad UTF-8");
      out += text_.substr(at_, size);
      at_ += size;
    }
    ++at_;
    return out;
  }

  void escape(std::string& out) {
    ++at_;
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (const auto i = kNames.find(c); i != std::string_view::npos) {
      out += kBytes[i];
    } else if (c == 'u') {
      const std::string_view digits = text_.substr(at_, 4);
      if (digits.size() < 4) fail("short \\u");
      for (const char d : digits)
        if (!std::isxdigit(static_cast<unsigned char>(d))) fail("bad \\u");
      const int code = std::stoi(std::string(digits), nullptr, 16);
      out += code < 0x80 ? std::string(1, static_cast<char>(code)) : "\\u" + std::string(digits);
      at_ += 4;
    } else {
      fail("bad escape");
    }
  }

  std::string literal() {
    const std::size_t from = at_;
    while (at_ < text_.size() && text_.find_first_of(",} \t", at_) != at_) ++at_;
    std::string word(text_.substr(from, at_ - from));
    if (word == "true" || word == "false" || word == "null") return word;
    std::size_t used = 0;
    try {
      std::stod(word, &used);
    } catch (const std::exception&) {
      fail("not a value: " + word);
    }
    if (used != word.size() || word[0] == '+' || word[0] == '.') fail("not a number: " + word);
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::map<std::string, std::string> parse_json_line(std::string_view line) {
  return Cursor(line).object();
}

}  // namespace weir::test

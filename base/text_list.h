// A list of strings in one run of bytes, each with its length in front (LEB128): read in place,
// without an allocation. Views only; whoever made the bytes keeps them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Takes a number in LEB128 from the front of `bytes`; empty when that is cut or does not fit.
std::optional<std::uint64_t> take_count(std::string_view& bytes);
// Writes it, in as few bytes as it needs. Inline: every part of every key passes here.
inline void append_count(std::string& out, std::uint64_t count) {
  for (; count >= 0x80; count >>= 7U) out.push_back(static_cast<char>(count | 0x80U));
  out.push_back(static_cast<char>(count));
}

class TextList {
 public:
  TextList() = default;
  // Bytes that append() wrote, or that is_valid() has found to be such.
  explicit TextList(std::string_view bytes) : bytes_(bytes) {}

  static void append(std::string& out, std::string_view text);
  static bool is_valid(std::string_view bytes);

  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    explicit Iterator(std::string_view rest) : rest_(rest) { read(); }
    std::string_view operator*() const { return text_; }
    Iterator& operator++() {
      read();
      return *this;
    }
    void operator++(int) { read(); }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.at_end_ == b.at_end_ && (a.at_end_ || a.text_.data() == b.text_.data());
    }

   private:
    void read();

    std::string_view rest_;
    std::string_view text_;
    bool at_end_ = true;
  };
  Iterator begin() const { return Iterator(bytes_); }
  Iterator end() const { return {}; }
  bool empty() const { return bytes_.empty(); }
  std::string_view bytes() const { return bytes_; }

  std::vector<std::string> to_vector() const;
  friend bool operator==(const TextList& list, const std::vector<std::string>& texts);

 private:
  std::string_view bytes_;
};

}  // namespace weir

// A pattern of names: `*` stands for any bytes, none included. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::values {

class ValuePattern {
 public:
  // `text` is percent-encoded; in it `*` is a star, and `%2A` the byte. Empty: an escape is none.
  // `form`: '+' is a space, as in a query.
  static std::optional<ValuePattern> parse(std::string_view text, bool form);

  bool has_star() const { return parts_.size() > 1; }
  // Of one without a star: the name that it is.
  const std::string& name() const { return parts_.front(); }
  bool matches(std::string_view name) const;

 private:
  std::vector<std::string> parts_;  // between the stars; never empty
};

// The bytes that a percent-encoded text stands for; empty where an escape is none.
std::optional<std::string> decode_percent(std::string_view text, bool form);
// A text that stands for these bytes, good for a path or a query: all but unreserved ones escaped.
std::string encode_percent(std::string_view bytes);

}  // namespace weir::values

// Commands as bytes for the wire, by hiredis' formatter. Pure; any thread.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::backends::redis {

// Commands that belong together: they leave with one write, and their replies come together.
class Commands {
 public:
  // The command and its arguments, of any bytes.
  Commands& add(std::span<const std::string_view> words);
  Commands& add(std::initializer_list<std::string_view> words) {
    return add(std::span(words.begin(), words.size()));
  }

  std::string_view bytes() const { return bytes_; }
  std::size_t count() const { return ends_.size(); }
  // The same, with that one before each.
  Commands each_behind(std::string_view word) const;

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;  // of each, in bytes_
};

}  // namespace weir::backends::redis

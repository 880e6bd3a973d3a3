#include "base/text_list.h"

#include <algorithm>

namespace weir {

std::optional<std::uint64_t> take_count(std::string_view& bytes) {
  std::uint64_t count = 0;
  for (unsigned shift = 0; shift < 63 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    count |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80U) == 0) return count;
  }
  return std::nullopt;
}

void TextList::append(std::string& out, std::string_view text) {
  append_count(out, text.size());
  out += text;
}

bool TextList::is_valid(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = take_count(bytes);
    if (!size || *size > bytes.size()) return false;
    bytes.remove_prefix(*size);
  }
  return true;
}

void TextList::Iterator::read() {
  const auto size = take_count(rest_);
  at_end_ = !size;
  if (at_end_) return;
  text_ = rest_.substr(0, *size);
  rest_.remove_prefix(text_.size());
}

std::vector<std::string> TextList::to_vector() const {
  std::vector<std::string> texts;
  for (const std::string_view text : *this) texts.emplace_back(text);
  return texts;
}

bool operator==(const TextList& list, const std::vector<std::string>& texts) {
  auto at = list.begin();
  for (const std::string& text : texts) {
    if (at == list.end() || *at != text) return false;
    ++at;
  }
  return at == list.end();
}

}  // namespace weir

#include "base/http/framing.h"

#include "base/http/char_class.h"
#include "base/text.h"

namespace weir::http {
namespace {

bool matches_with_underscores(std::string_view name, std::string_view real) {
  if (name.size() != real.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i] == '_' ? '-' : ascii_lower(name[i]);
    if (c != real[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> parse_content_length(std::string_view value) {
  if (value.size() > 18) return std::nullopt;
  return parse_decimal(value);
}

TransferCoding parse_transfer_encoding(std::string_view value) {
  if (equals_ignore_case(value, "chunked")) return TransferCoding::Chunked;
  // Not for_each_list_element: an empty element is skipped there and a fault here.
  for (std::string_view rest = value;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view coding = trim_ows(rest.substr(0, comma));
    if (!is_token(coding)) return TransferCoding::Malformed;
    if (comma == std::string_view::npos) return TransferCoding::Unknown;
    if (equals_ignore_case(coding, "chunked")) return TransferCoding::Malformed;
    rest.remove_prefix(comma + 1);
  }
}

bool is_framing_alias(std::string_view name) {
  return name.find('_') != std::string_view::npos &&
         (matches_with_underscores(name, "content-length") ||
          matches_with_underscores(name, "transfer-encoding"));
}

}  // namespace weir::http

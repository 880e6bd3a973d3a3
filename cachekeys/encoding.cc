#include <array>

#include "base/text.h"
#include "cachekeys/field_lines.h"
#include "cachekeys/normalize.h"
#include "cachekeys/weights.h"

namespace weir::keys {
namespace {

// RFC 9110 8.4.1: x-gzip and x-compress are old names of the same codings.
std::string_view canonical(std::string_view coding) {
  const bool old = equals_ignore_case(coding, "x-gzip") || equals_ignore_case(coding, "x-compress");
  return old ? coding.substr(2) : coding;
}

constexpr int kNotNamed = -1;

// A malformed weight counts as 0, which is safe; of two weights for one coding the first holds.
void note_weight(int weight, int& noted) {
  if (noted == kNotNamed) noted = weight == kMalformedWeight ? 0 : weight;
}

// What the client says of codings: one pass for any number of them.
template <std::size_t N>
std::array<bool, N> accepted(const http::RequestHead& head,
                             const std::array<std::string_view, N>& codings) {
  std::array<int, N> named;
  named.fill(kNotNamed);
  int any = kNotNamed;
  for_each_line(head, http::FieldId::AcceptEncoding, [&](std::string_view line) {
    for_each_list_element(line, [&](std::string_view element) {
      const Weighted weighted = parse_weighted(element);
      const std::string_view coding = canonical(weighted.value);
      if (coding == "*") note_weight(weighted.weight, any);
      for (std::size_t i = 0; i < N; ++i) {
        if (equals_ignore_case(coding, codings[i])) note_weight(weighted.weight, named[i]);
      }
    });
  });
  std::array<bool, N> result;
  for (std::size_t i = 0; i < N; ++i) result[i] = (named[i] == kNotNamed ? any : named[i]) > 0;
  return result;
}

}  // namespace

void append_accept_encoding(const http::RequestHead& head, std::string& out) {
  if (!head.has(http::FieldId::AcceptEncoding)) return;
  constexpr std::array<std::string_view, 3> kCodings = {"zstd", "br", "gzip"};
  const std::array<bool, 3> takes = accepted(head, kCodings);
  const std::size_t start = out.size();
  for (std::size_t i = 0; i < kCodings.size(); ++i) {
    if (!takes[i]) continue;
    if (out.size() > start) out.append(", ");
    out.append(kCodings[i]);
  }
}

bool accepts_encoding(const http::RequestHead& head, std::string_view content_encoding) {
  bool all = true;
  for_each_list_element(content_encoding, [&](std::string_view coding) {
    // A list that holds "identity" is a mistake of the app's and means nothing.
    if (equals_ignore_case(coding, "identity")) return;
    all = all && accepted(head, std::array{canonical(coding)}).front();
  });
  return all;
}

}  // namespace weir::keys

// What an answer leaves unsaid (docs/POLICY.md, "Vary left out"). Many apps answer by Origin or
// Accept-Encoding and name it in Vary only when a request had it. So an answer that does not name
// it is of no use to a request that shows more of it than the one that was answered. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backends/entry.h"
#include "base/http/message.h"
#include "cachekeys/recipe.h"

namespace weir::policy {

// What a request, as the app is sent it, shows of the two.
struct Shown {
  std::uint16_t origin = backends::EntryMeta::kNoOrigin;  // or a tag of it
  bool encoding = false;
};
Shown shown_by(const http::RequestHead& request, const keys::Recipe& recipe);

// Notes in `meta` for whom an answer to such a request is; `vary` as read_vary() gives it. One that
// says Access-Control-Allow-Origin: * is for every Origin.
void note_unsaid(backends::EntryMeta& meta, const http::HeaderBlock& answer,
                 const std::vector<std::string>& vary, const Shown& shown);

bool serves(const backends::EntryMeta& meta, const Shown& shown);

// Whether a stored answer may be used for this request. Asked at every hit.
inline bool serves(const backends::EntryMeta& meta, const http::RequestHead& request,
                   const keys::Recipe& recipe) {
  const bool by_origin =
      meta.origin != backends::EntryMeta::kAnyOrigin && request.has(http::FieldId::Origin);
  const bool by_encoding = meta.without_encoding && request.has(http::FieldId::AcceptEncoding);
  return (!by_origin && !by_encoding) || serves(meta, shown_by(request, recipe));
}

// Which of the two tell a new answer apart from a fresh one of the same name, so that neither may
// take the other's place: the new one is for fewer requests, or the two differ in their coding.
std::vector<std::string> told_apart_by(const backends::EntryMeta& stored,
                                       std::string_view stored_coding,
                                       const backends::EntryMeta& arrived,
                                       std::string_view arrived_coding);

}  // namespace weir::policy

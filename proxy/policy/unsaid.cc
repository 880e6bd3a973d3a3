#include "proxy/policy/unsaid.h"

#include <algorithm>

#include "base/hash.h"
#include "cachekeys/field_lines.h"
#include "cachekeys/normalize.h"
#include "cachekeys/passage.h"

namespace weir::policy {
namespace {

using backends::EntryMeta;
using http::FieldId;

// Of the secret hash, so that nobody finds an Origin that passes for another. It means nothing in
// another process: there the answer is for no Origin.
std::uint16_t tag_of(std::string_view origin) {
  const auto tag = static_cast<std::uint16_t>(hash128(origin).low);
  return std::max(tag, EntryMeta::kFirstOriginTag);
}

bool names(const std::vector<std::string>& vary, std::string_view name) {
  return std::ranges::find(vary, name) != vary.end();
}

}  // namespace

Shown shown_by(const http::RequestHead& request, const keys::Recipe& recipe) {
  Shown shown;
  const http::FieldView origin{FieldId::Origin, http::field_name(FieldId::Origin), {}};
  thread_local std::string text;
  text.clear();
  if (request.has(FieldId::Origin) &&
      keys::passage_of(origin, request, recipe, keys::Audience::Everybody) == keys::Passage::AsIs) {
    keys::for_each_line(request, FieldId::Origin,
                        [](std::string_view line) { text.append(line).push_back('\n'); });
    shown.origin = tag_of(text);
  }
  text.clear();
  keys::append_accept_encoding(request, text);
  shown.encoding = !text.empty();
  return shown;
}

void note_unsaid(EntryMeta& meta, const http::HeaderBlock& answer,
                 const std::vector<std::string>& vary, const Shown& shown) {
  const bool any_origin =
      names(vary, "origin") || answer.value(FieldId::AccessControlAllowOrigin) == "*";
  meta.origin = any_origin ? EntryMeta::kAnyOrigin : shown.origin;
  meta.without_encoding = !shown.encoding && !names(vary, "accept-encoding");
  meta.varies = !vary.empty();
}

bool serves(const EntryMeta& meta, const Shown& shown) {
  const bool origin = shown.origin == EntryMeta::kNoOrigin ||
                      meta.origin == EntryMeta::kAnyOrigin || meta.origin == shown.origin;
  return origin && (!meta.without_encoding || !shown.encoding);
}

std::vector<std::string> told_apart_by(const EntryMeta& stored, std::string_view stored_coding,
                                       const EntryMeta& arrived, std::string_view arrived_coding) {
  std::vector<std::string> fields;
  const bool fewer = arrived.without_encoding && !stored.without_encoding;
  if (fewer || stored_coding != arrived_coding) fields.emplace_back("accept-encoding");
  if (stored.origin != EntryMeta::kNoOrigin && arrived.origin != EntryMeta::kAnyOrigin &&
      stored.origin != arrived.origin) {
    fields.emplace_back("origin");
  }
  return fields;
}

}  // namespace weir::policy

#include "proxy/front/ignored_fields.h"

#include <fmt/format.h>

#include "base/log.h"

namespace weir::front {
namespace {

using conf::TrustedField;
using http::FieldId;

// In the order of conf::TrustedField.
constexpr FieldId kIds[] = {FieldId::XForwardedFor,    FieldId::XForwardedProto,
                            FieldId::XForwardedHost,   FieldId::XForwardedPort,
                            FieldId::XForwardedPrefix, FieldId::Forwarded};
static_assert(std::size(kIds) == std::size(conf::kTrustedFieldNames));

// Names one behind the other, as they stand in a list.
void append_name(std::string& list, std::string_view name) {
  if (!list.empty()) list += ", ";
  list += name;
}

}  // namespace

void IgnoredFields::note(const http::RequestHead& head, std::string_view peer) {
  const conf::TrustedFields news = take_news(head);
  if (!news.empty()) log_warn("{}", ignored_fields_line(believed_, news, peer));
}

conf::TrustedFields IgnoredFields::take_news(const http::RequestHead& head) {
  conf::TrustedFields news;
  for (std::size_t i = 0; i < std::size(kIds); ++i) {
    const auto field = static_cast<TrustedField>(i);
    if (believed_.has(field) || !head.has(kIds[i])) continue;
    // Read first: a line that is always written to would travel between the processors.
    if (noted_[i].load(std::memory_order_relaxed)) continue;
    if (!noted_[i].exchange(true)) news.add(field);
  }
  return news;
}

std::string ignored_fields_line(conf::TrustedFields believed, conf::TrustedFields ignored,
                                std::string_view peer) {
  std::string fields;
  std::string admitting;
  for (std::size_t i = 0; i < std::size(kIds); ++i) {
    const auto field = static_cast<TrustedField>(i);
    if (ignored.has(field)) append_name(fields, http::field_name(kIds[i]));
    if (ignored.has(field) || believed.has(field)) {
      append_name(admitting, conf::kTrustedFieldNames[i]);
    }
  }
  return fmt::format(
      "{} of the trusted proxy {} ignored; if the proxy sets that itself, whatever a visitor "
      "sends, this admits it: \"trusted_fields: [{}]\"",
      fields, peer, admitting);
}

}  // namespace weir::front

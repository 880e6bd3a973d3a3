#include "proxy/policy/app_word.h"

#include <algorithm>
#include <string>

#include "base/http/date.h"
#include "base/text.h"

namespace weir::policy {
namespace {

using http::FieldId;

// RFC 9111 1.2.2: what stands for every larger number of seconds.
constexpr std::int64_t kMaxSeconds = std::int64_t{1} << 31;

std::size_t count(const http::HeaderBlock& fields, FieldId id) {
  std::size_t found = 0;
  fields.for_each([&](const http::FieldView& field) { found += field.id == id ? 1 : 0; });
  return found;
}

// When the app says that it made the response; else when it arrived (RFC 9110 6.6.1).
std::int64_t date_value(const http::HeaderBlock& fields, std::int64_t wall_s) {
  return http::parse_date(fields.value(FieldId::Date), wall_s).value_or(wall_s);
}

// RFC 9111 5.3: invalid means expired, and so do two of them, which no date can be.
std::int64_t expires_lifetime(const http::HeaderBlock& fields, std::int64_t wall_s) {
  if (count(fields, FieldId::Expires) > 1) return 0;
  const auto expires = http::parse_date(fields.value(FieldId::Expires), wall_s);
  if (!expires) return 0;
  return std::clamp<std::int64_t>(*expires - date_value(fields, wall_s), 0, kMaxSeconds);
}

// RFC 9111 5.1: the first member counts; what is no number is ignored.
std::int64_t age_value(const http::HeaderBlock& fields) {
  const std::string_view value = fields.value(FieldId::Age);
  const std::string_view first = trim_ows(value.substr(0, value.find(',')));
  if (!is_decimal(first)) return 0;
  const auto seconds = parse_decimal(first);
  if (!seconds || *seconds > static_cast<std::uint64_t>(kMaxSeconds)) return kMaxSeconds;
  return static_cast<std::int64_t>(*seconds);
}

// The values that frameworks send when nobody asked them to: Rails and others write the first
// three in an order that has changed between releases, Symfony and Laravel always sort theirs.
bool is_framework_default(const http::HeaderBlock& fields, std::int64_t wall_s) {
  bool max_age = false;
  bool is_private = false;
  bool must_revalidate = false;
  std::string all;
  std::size_t members = 0;
  for_each_list_element(fields.joined(FieldId::CacheControl), [&](std::string_view directive) {
    ++members;
    all += to_lower(directive);
    all += ',';
    max_age = max_age || equals_ignore_case(directive, "max-age=0");
    is_private = is_private || equals_ignore_case(directive, "private");
    must_revalidate = must_revalidate || equals_ignore_case(directive, "must-revalidate");
  });
  const bool rails = members == 3 && max_age && is_private && must_revalidate;
  if (!rails && all != "no-cache,private,") return false;
  // An Expires that only repeats "not cacheable" belongs to the default; one in the future is the
  // app's own word. Pragma means nothing in a response (RFC 9111 5.4).
  return !fields.has(FieldId::Expires) || expires_lifetime(fields, wall_s) == 0;
}

void read_lifetime(AppWord& word, const http::HeaderBlock& fields, std::int64_t wall_s) {
  if (word.control.s_maxage_s) {
    word.lifetime_s = word.control.s_maxage_s;
    word.source = "s-maxage";
  } else if (word.control.max_age_s) {
    word.lifetime_s = word.control.max_age_s;
    word.source = "max-age";
  } else if (!word.targeted && !word.set_aside && fields.has(FieldId::Expires)) {
    word.lifetime_s = expires_lifetime(fields, wall_s);
    word.source = "Expires";
  }
}

}  // namespace

AppWord read_app_word(const http::ResponseHead& head, conf::OriginMode origin,
                      std::int64_t wall_s) {
  AppWord word;
  word.control = http::parse_cdn_cache_control(head.fields);
  word.targeted = word.control.any;
  if (!word.targeted) {
    word.control = http::parse_response_cache_control(head.fields);
    if (origin == conf::OriginMode::Framework && is_framework_default(head.fields, wall_s)) {
      word.control = {};
      word.set_aside = true;
    }
  }
  read_lifetime(word, head.fields, wall_s);
  return word;
}

std::int64_t corrected_initial_age_s(const http::HeaderBlock& fields, std::int64_t wall_s,
                                     std::int64_t response_delay_s) {
  const std::int64_t since_date = wall_s - date_value(fields, wall_s);
  const std::int64_t apparent = since_date <= 1 ? 0 : since_date;
  const std::int64_t corrected = age_value(fields) + std::max<std::int64_t>(response_delay_s, 0);
  return std::min(std::max(apparent, corrected), kMaxSeconds);
}

}  // namespace weir::policy

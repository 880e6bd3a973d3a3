// Any bytes as Cache-Control, CDN-Cache-Control and a date: lifetimes stay in their range, no
// line hides the next one's no-store, and a date read is the date written.
#include <string>

#include "base/http/cache_control.h"
#include "base/http/date.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace weir;
using namespace weir::http;

constexpr std::int64_t kNow = 1767225600;

void check_delta(const std::optional<std::int64_t>& delta) {
  WEIR_CHECK(!delta || (*delta >= 0 && *delta <= std::int64_t{1} << 31));
}

void check_deltas(const ResponseCacheControl& control) {
  check_delta(control.max_age_s);
  check_delta(control.s_maxage_s);
  check_delta(control.stale_while_revalidate_s);
  check_delta(control.stale_if_error_s);
}

void check_date(std::string_view text) {
  const auto seconds = parse_date(text, kNow);
  if (!seconds || *seconds < 0) return;
  WEIR_CHECK(parse_date(format_date(*seconds), kNow) == seconds);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  HeaderBlock fields;
  fields.add(FieldId::CacheControl, message);
  fields.add(FieldId::CdnCacheControl, message);
  check_deltas(parse_response_cache_control(fields));
  check_deltas(parse_cdn_cache_control(fields));

  // Whatever stands in one line hides nothing in the next.
  fields.add(FieldId::CacheControl, "no-store");
  WEIR_CHECK(parse_response_cache_control(fields).no_store);

  RequestHead head;
  head.add({FieldId::CacheControl, "Cache-Control", message});
  const RequestCacheControl request = parse_request_cache_control(head);
  check_delta(request.max_age_s);
  check_delta(request.min_fresh_s);
  check_date(message);
  return 0;
}

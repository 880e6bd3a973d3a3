// What the app says about caching in a response's head, as the route's `origin` lets it be heard
// (RFC 9111 4.2.1, 4.2.3, 5.2.2; 9213 2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/http/cache_control.h"
#include "base/http/message.h"
#include "conf/config.h"

namespace weir::policy {

struct AppWord {
  // The directives that govern: CDN-Cache-Control's when it is valid, else Cache-Control's; none
  // where a framework's untouched default was set aside.
  http::ResponseCacheControl control;
  bool targeted = false;                   // they are CDN-Cache-Control's
  bool set_aside = false;                  // `origin: framework` found an untouched default
  std::optional<std::int64_t> lifetime_s;  // explicit freshness; 0 when it says "stale"
  std::string_view source = "duration";    // which directive or field gave the lifetime

  // RFC 9111 3.5, in the words of the policy's rule 4: may go to requests with credentials.
  bool allows_personal() const {
    return control.is_public || control.s_maxage_s || (targeted && control.max_age_s);
  }
};

AppWord read_app_word(const http::ResponseHead& head, conf::OriginMode origin, std::int64_t wall_s);

// RFC 9111 4.2.3: max(apparent_age, age_value + response_delay), in seconds. Age is dated by whole
// seconds: a Date one second back is its own resolution, not age.
std::int64_t corrected_initial_age_s(const http::HeaderBlock& fields, std::int64_t wall_s,
                                     std::int64_t response_delay_s);

}  // namespace weir::policy

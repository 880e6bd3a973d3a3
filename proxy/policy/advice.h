// What somebody may do about it when requests are not served from the cache: as a rule one line of
// a route's `cache:`, else a word to the app. Pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/policy/reason.h"

namespace weir::policy {

struct Advice {
  std::string yaml;  // the line that would change it; empty where none does
  std::string note;  // when that is right, or what else helps; empty where it is as it should be
};

// `subject`: what the reason is about, as in a Refusal.
Advice advice_on(Reason reason, std::string_view subject);

}  // namespace weir::policy

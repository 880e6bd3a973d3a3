// What a response's Set-Cookie fields forbid, by the route's `set_cookie`. Pure.
#pragma once

#include "base/http/message.h"
#include "conf/config.h"
#include "proxy/policy/reason.h"

namespace weir::policy {

// The first cookie that the rule neither strips nor stores, or no refusal.
Refusal set_cookie_refusal(const http::HeaderBlock& fields, const conf::SetCookieRule& rule);

}  // namespace weir::policy

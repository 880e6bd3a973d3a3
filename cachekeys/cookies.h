// The cookies of a request that are in its key, in the order in which the key holds them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cachekeys/normalize.h"

namespace weir::keys {

// Sorted by name, equal names in the request's order. Views into `head`; the list itself is valid
// until the next call on this thread.
std::span<const Cookie> keyed_cookies(const http::RequestHead& head, const conf::CookieRule& rule);

// The Cookie field that tells the app exactly these cookies; nothing when there are none.
void append_cookie_field(std::span<const Cookie> cookies, std::string& out);

}  // namespace weir::keys

// From a request and its route's recipe to the base key, and to the one reason why it may not use
// the shared cache. Runs on every request: allocates nothing in the steady state. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/http/message.h"
#include "base/text_list.h"
#include "cachekeys/destination.h"
#include "cachekeys/key.h"
#include "cachekeys/recipe.h"

namespace weir::keys {

// What makes a request personal (rule 4 of the policy).
enum class Personal : std::uint8_t {
  No,
  Cookie,         // a cookie that is neither in the key nor harmless nor ignored
  SessionCookie,  // a cookie that the rule calls a session
  Credential,     // Authorization, or a field that counts as such and is not in the key
  UsedOnce,       // a cookie that would be withheld, and a URL that must not be fetched twice
};

struct KeyVerdict {
  Personal personal = Personal::No;
  std::string_view subject;  // the cookie's or field's name; a view into the request
};

// Builds and seals the base key into `out` whatever the verdict.
KeyVerdict build_key(const http::RequestHead& head, const Recipe& recipe,
                     const Destination& destination, KeyBuffer& out);

// The variant key: the base key and what `vary` names (lower case, sorted) hold in the request as
// it is sent to the app.
void build_variant_key(KeyView base, const std::vector<std::string>& vary,
                       const http::RequestHead& head, const Recipe& recipe,
                       std::string_view authority, KeyBuffer& out);
// The same for names that lie in a stored marker.
void build_variant_key(KeyView base, TextList vary, const http::RequestHead& head,
                       const Recipe& recipe, std::string_view authority, KeyBuffer& out);

}  // namespace weir::keys

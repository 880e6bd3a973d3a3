// What makes a request personal, and the framework fields that its key holds: one scan of the
// fields finds both.
#pragma once

#include <vector>

#include "base/http/message.h"
#include "cachekeys/key_builder.h"
#include "cachekeys/recipe.h"

namespace weir::keys {

// The first credential of the request, if any; the framework fields are added to `framework`.
KeyVerdict scan_fields(const http::RequestHead& head, const Recipe& recipe,
                       std::vector<http::FieldView>& framework);

// The verdict of the whole request, cookies included, given that of its fields. A session cookie
// outweighs a credential, which outweighs any other cookie; UsedOnce is said of none of these.
KeyVerdict with_cookies(const http::RequestHead& head, const Recipe& recipe, KeyVerdict fields);

// Both at once, for who needs no key.
bool is_personal(const http::RequestHead& head, const Recipe& recipe);

}  // namespace weir::keys

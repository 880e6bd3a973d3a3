// What becomes of each field of a request on its way to the app: the one place that decides, so
// that what is sent and what Vary is judged by cannot differ.
#pragma once

#include <cstdint>

#include "base/http/message.h"
#include "cachekeys/recipe.h"

namespace weir::keys {

enum class Passage : std::uint8_t {
  Drop,     // the app does not see it, or the caller writes it afresh
  AsIs,     // sent line by line as it came
  Rebuilt,  // sent in its normal form: Accept, Accept-Encoding, Accept-Language, Cookie
};

enum class Audience : std::uint8_t {
  Everybody,  // the answer may be shared
  OneClient,  // a personal request: it keeps its cookies, credentials, conditionals and Range
};

// Fields that the caller writes afresh, or that belong to the client's connection only.
bool is_callers_field(http::FieldId id);

// Whether the base key holds whatever the app sees of this field: Host, and what a proxy may tell
// of where its visitor was going. Vary has nothing to add to it.
bool is_in_base_key(http::FieldId id);

// X-Forwarded-Port and -Prefix: they travel as they came where Destination::passes them, and
// otherwise never.
bool is_believed_or_gone(http::FieldId id);

// What a Destination passes is above this.
Passage passage_of(const http::FieldView& field, const http::RequestHead& head,
                   const Recipe& recipe, Audience audience);

// Appends the normal form of a field that is Rebuilt; nothing when none is sent.
void append_rebuilt(http::FieldId id, const http::RequestHead& head, const Recipe& recipe,
                    std::string& out);

}  // namespace weir::keys

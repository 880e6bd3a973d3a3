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

// Which rule of docs/KEYS.md makes a field Drop or Rebuilt.
enum class PassageRule : std::uint8_t {
  None,          // it is AsIs
  Callers,       // is_callers_field()
  NotBelieved,   // is_believed_or_gone(), and the route does not key it
  TakenBack,     // the client's Connection names it
  CacheControl,  // a client's directives are for Weir
  Selector,      // conditionals and Range: Weir answers them itself
  NormalForm,    // Rebuilt
  ForgeryToken,  // X-CSRF-Token and its like
  Sealed,        // the route is sealed
  OddName,       // servers read it as another field
  Poisoning,     // X-Original-URL and its like
};
struct PassageRuling {
  Passage passage = Passage::AsIs;
  PassageRule rule = PassageRule::None;
};

// What a Destination passes is above this.
PassageRuling rule_on(const http::FieldView& field, const http::RequestHead& head,
                      const Recipe& recipe, Audience audience);
inline Passage passage_of(const http::FieldView& field, const http::RequestHead& head,
                          const Recipe& recipe, Audience audience) {
  return rule_on(field, head, recipe, audience).passage;
}

// Appends the normal form of a field that is Rebuilt; nothing when none is sent.
void append_rebuilt(http::FieldId id, const http::RequestHead& head, const Recipe& recipe,
                    std::string& out);

}  // namespace weir::keys

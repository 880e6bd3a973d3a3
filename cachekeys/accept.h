// Accept as it is sent to the app (docs/KEYS.md, "Accept").
#pragma once

#include <string>

#include "base/http/message.h"
#include "cachekeys/recipe.h"

namespace weir::keys {

// Appends what the app is sent as Accept, for rules that do not key the whole field: the type that
// is in the key; else the client's own list without the types that no browser names beside HTML
// or images, which an app might answer with and never Vary on; on a sealed route "*/*". Nothing
// when no Accept is sent.
void append_sent_accept(const http::RequestHead& head, const Recipe& recipe, std::string& out);

}  // namespace weir::keys

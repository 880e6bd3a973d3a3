// Accept's kinds (docs/KEYS.md, "Accept"): what the key holds of it, and what the app is sent. The
// second follows from the first, so that no answer can depend on what the key leaves out. For rules
// that do not key the whole field. Pure; any thread.
#pragma once

#include <string>

#include "base/http/message.h"
#include "cachekeys/recipe.h"

namespace weir::keys {

// Appends the kind for the key: nothing for anything; "text/html" for a page; "image/*", or which
// of AVIF and WebP the client names; else the preferred type itself, with its parameters.
void append_accept_kind(const http::RequestHead& head, std::string& out);

// Appends the Accept that every request of the same kind shows the app; never empty.
void append_sent_accept(const http::RequestHead& head, std::string& out);

}  // namespace weir::keys

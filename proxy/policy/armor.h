// Armour against cache deception: a page served under a name that looks like a file
// (`/account/x.css`, `/account;x.css`, `/account%2fx.css`). Pure.
#pragma once

#include <string_view>

namespace weir::policy {

// The static-looking extension in the path's last segment, lower case, that `content_type`
// contradicts; empty when there is none. Escapes are decoded first, and an extension counts before
// any delimiter, not only at the end. A missing or empty type contradicts nothing, nor does
// application/octet-stream, which is what servers say when they do not know.
std::string_view contradicted_extension(std::string_view path, std::string_view content_type);

}  // namespace weir::policy

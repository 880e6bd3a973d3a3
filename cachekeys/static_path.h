// Paths that end like static files. Pure; any thread; no allocation.
#pragma once

#include <string_view>

namespace weir::keys {

// Whether the last segment ends in an extension of what web servers keep as files: styles, scripts,
// images, fonts, sound and film, archives. No data formats (.json, .xml, .txt): apps make those,
// and may make a page of the same name.
bool ends_like_static_file(std::string_view path);

}  // namespace weir::keys

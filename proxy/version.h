// Which program this is.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// What `weir version` prints.
std::string version_text();
std::string version_json();           // the same for programs
std::string_view version_number();    // "0.1.0"
std::string_view version_revision();  // of the sources

}  // namespace weir

// What `weir version` prints.
#pragma once

#include <string>

namespace weir {

std::string version_text();

}  // namespace weir

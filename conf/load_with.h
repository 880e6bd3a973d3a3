// Loading with the machine given: what load.h's functions call, and tests too, so that what they
// assert does not depend on where they run.
#pragma once

#include <string>
#include <string_view>

#include "conf/load.h"
#include "conf/resources.h"

namespace weir::conf {

LoadResult load_text_with(std::string_view text, const std::string& file_name,
                          const Overrides& overrides, const Environment& environment,
                          const Resources& resources);
LoadResult load_builtin_with(const Overrides& overrides, const Environment& environment,
                             const Resources& resources);

}  // namespace weir::conf

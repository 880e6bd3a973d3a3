// `${NAME}` and `${NAME:-default}` in a value. `$${` is a literal `${`. What is put in is not
// looked into again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "conf/load.h"

namespace weir::conf {

// A variable that is not set and has no default is an error; as in a shell, `:-` also stands in
// for one that is set but empty.
Result<std::string> expand(std::string_view text, const Environment& environment);

// A secret that is given as a file of its own: its first line, without blanks around it. Nothing
// where it cannot be read.
std::optional<std::string> read_secret(const std::string& path);

}  // namespace weir::conf

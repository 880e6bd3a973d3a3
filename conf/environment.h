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

// A variable that is set and not empty.
std::optional<std::string> variable(const Environment& environment, const std::string& name);

// A secret that is given in a variable, or in a file that NAME_FILE names: its first line, without
// blanks around it.
struct Secret {
  std::string from;                 // the variable that gave it
  std::string path;                 // of the file; else empty
  std::optional<std::string> text;  // nothing: the file cannot be read
};
std::optional<Secret> secret(const Environment& environment, const std::string& name);
inline constexpr const char* kAdminToken = "WEIR_ADMIN_TOKEN";

}  // namespace weir::conf

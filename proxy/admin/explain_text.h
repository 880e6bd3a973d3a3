// An explanation for a person at a terminal, from its JSON (explain_json.h): the same text whether
// it was made here or by a running instance. Pure; what is missing in the JSON is left out.
#pragma once

#include <string>

#include "proxy/admin/json.h"

namespace weir::admin {

std::string explanation_text(const Json& explanation);

}  // namespace weir::admin

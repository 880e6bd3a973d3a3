// The program's own log (not the access log): human lines on stderr. Any thread. Messages hold no
// raw bytes of requests; quote() makes outside text safe for one line.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

namespace weir {

// Sets the pattern and the level (WEIR_LOG=debug|info|warn|error, default info). Once, at start.
void init_log();

// Text in double quotes with control and non-ASCII bytes escaped, cut after `max_bytes`.
std::string quote(std::string_view text, std::size_t max_bytes = 120);

}  // namespace weir

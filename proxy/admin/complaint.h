// What commands that ask a running instance say when it does not answer, or says no.
#pragma once

#include <string>
#include <string_view>

#include "conf/cli.h"
#include "proxy/upstream/ask_once.h"

namespace weir::admin {

// To stderr, in the command's name. Returns the exit code of a failure, 1.
int complain(std::string_view command, std::string_view message);
std::string nobody_at(const conf::AdminTarget& admin, std::string_view why);
// What an error of the admin address says.
std::string complaint_of(const upstream::Answered& answer);

}  // namespace weir::admin

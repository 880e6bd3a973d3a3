// The commands that ask a running instance. Each prints what came of it and returns the exit code.
#pragma once

#include <string>
#include <string_view>

#include "conf/cli.h"
#include "proxy/upstream/ask_once.h"

namespace weir::admin {

int purge(const conf::PurgeCommand& command);
int health(const conf::HealthCommand& command);

// What there is to say when nobody answers, and what an error of the admin address says.
std::string nobody_at(const conf::AdminTarget& admin, std::string_view why);
std::string complaint_of(const upstream::Answered& answer);

}  // namespace weir::admin

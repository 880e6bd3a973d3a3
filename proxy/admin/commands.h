// The commands that ask a running instance. Each prints what came of it and returns the exit code.
#pragma once

#include "conf/cli.h"

namespace weir::admin {

int purge(const conf::PurgeCommand& command);
int handle_value(const conf::ValueCommand& command);
int health(const conf::HealthCommand& command);

}  // namespace weir::admin

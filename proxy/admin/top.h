// `weir top`: what a running instance does, live or once.
#pragma once

#include "conf/cli.h"

namespace weir::admin {

// Returns the exit code.
int top(const conf::TopCommand& command);

}  // namespace weir::admin

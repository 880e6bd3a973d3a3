// weir explain: prints why a request is served from the cache or is not, and returns the exit code.
#pragma once

#include <memory>

#include "conf/cli.h"
#include "conf/config.h"

namespace weir {

// By a configuration alone: no app and no instance is asked, and no disk is opened.
int explain_offline(const conf::ExplainCommand& command,
                    const std::shared_ptr<const conf::Config>& config);

// Asks the instance at `command.admin`.
int explain_live(const conf::ExplainCommand& command);

}  // namespace weir

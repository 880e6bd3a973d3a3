// What the commands that ask a running instance share: how they ask, and what they say when that
// fails. Command line only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "conf/cli.h"
#include "proxy/upstream/ask_once.h"

namespace weir::admin {

inline constexpr int kFailure = 1;

// Prints why, for people; kFailure.
int complain(std::string_view command, std::string_view message);
std::string nobody_at(const conf::AdminTarget& admin, std::string_view why);
// What an error of the admin address says; empty: it is none of Weir's.
struct AdminError {
  std::string field;
  std::string message;
};
std::optional<AdminError> error_of(const upstream::Answered& answer);
// The same for people.
std::string complaint_of(const upstream::Answered& answer);
// The answer, or nothing: then it was said that nobody answers.
std::optional<upstream::Answered> ask_instance(std::string_view command,
                                               const conf::AdminTarget& admin,
                                               upstream::AskOnce ask);

}  // namespace weir::admin

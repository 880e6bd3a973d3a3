#include "proxy/admin/asking.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "base/text.h"
#include "proxy/admin/json.h"

namespace weir::admin {

int complain(std::string_view command, std::string_view message) {
  fmt::print(stderr, "weir {}: {}\n", command, terminal_text(message));
  return kFailure;
}

std::string nobody_at(const conf::AdminTarget& admin, std::string_view why) {
  return fmt::format(
      "nobody answers at {} ({}): is weir running, with that admin address? "
      "--admin names another",
      admin.address.text, why);
}

std::optional<AdminError> error_of(const upstream::Answered& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) {
    return std::nullopt;
  }
  const Json& error = json["error"];
  return AdminError{error.value("field", ""), error.value("message", "")};
}

std::string complaint_of(const upstream::Answered& answer) {
  const auto error = error_of(answer);
  if (!error) return fmt::format("status {}: that is no admin address of Weir's", answer.status);
  return error->field.empty() ? error->message
                              : fmt::format("{}: {}", error->field, error->message);
}

std::optional<upstream::Answered> ask_instance(std::string_view command,
                                               const conf::AdminTarget& admin,
                                               upstream::AskOnce ask) {
  ask.address = admin.address;
  ask.token = admin.token;
  auto answer = upstream::ask_once(ask);
  if (answer) return std::move(*answer);
  complain(command, nobody_at(admin, answer.error().message));
  return std::nullopt;
}

}  // namespace weir::admin

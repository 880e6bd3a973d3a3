#include "proxy/admin/commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "proxy/admin/json.h"

namespace weir::admin {
namespace {

constexpr int kFailure = 1;

int complain(std::string_view command, std::string_view message) {
  fmt::print(stderr, "weir {}: {}\n", command, message);
  return kFailure;
}

std::string order_of(const conf::PurgeCommand& command) {
  Json order;
  if (command.field == "all") {
    order["all"] = true;
  } else {
    order[command.field] = command.text;
  }
  if (command.soft) order["soft"] = true;
  return text_of(order);
}

std::string what_was_done(const conf::PurgeCommand& command, const Json& answer) {
  if (answer.value("purged", Json()) == 0) {
    return fmt::format("nothing to purge: no route caches {}", command.text);
  }
  const std::string what =
      command.field == "all" ? "everything" : fmt::format("{} {}", command.field, command.text);
  const Json instances = answer.value("instances", Json::object());
  return fmt::format("{}: {} ({} of {} instances, {} ms)", command.soft ? "made stale" : "purged",
                     what, instances.value("acked", 0), instances.value("live", 0),
                     answer.value("took_ms", 0));
}

}  // namespace

std::string nobody_at(const conf::AdminTarget& admin, std::string_view why) {
  return fmt::format(
      "nobody answers at {} ({}): is weir running, with that admin address? "
      "--admin names another",
      admin.address.text, why);
}

std::string complaint_of(const upstream::Answered& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) {
    return fmt::format("status {}: that is no admin address of Weir's", answer.status);
  }
  const Json& error = json["error"];
  const std::string message = error.value("message", "");
  const std::string field = error.value("field", "");
  return field.empty() ? message : fmt::format("{}: {}", field, message);
}

int purge(const conf::PurgeCommand& command) {
  const auto answer = upstream::ask_once({.address = command.admin.address,
                                          .token = command.admin.token,
                                          .path = "/v1/purge",
                                          .body = order_of(command)});
  if (!answer) return complain("purge", nobody_at(command.admin, answer.error().message));
  if (command.json) fmt::print("{}", answer->body);
  if (answer->status != 200 && answer->status != 202) {
    return complain("purge", complaint_of(*answer));
  }
  const Json json = Json::parse(answer->body, nullptr, false);
  if (!json.is_object()) return complain("purge", complaint_of(*answer));
  if (!command.json) fmt::print("{}\n", what_was_done(command, json));
  return 0;
}

int health(const conf::HealthCommand& command) {
  constexpr long kPatience_ms = 3'000;  // who checks containers waits no longer as a rule
  const auto answer = upstream::ask_once({.address = command.admin.address,
                                          .token = command.admin.token,
                                          .path = "/readyz",
                                          .body = {},
                                          .timeout_ms = kPatience_ms});
  if (!answer) return complain("health", nobody_at(command.admin, answer.error().message));
  const bool known = answer->body == "ready\n" || answer->body == "draining\n";
  if (!known) return complain("health", complaint_of(*answer));
  fmt::print("{}", answer->body);
  return answer->status == 200 ? 0 : kFailure;
}

}  // namespace weir::admin

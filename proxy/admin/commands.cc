#include "proxy/admin/commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <string>

#include "proxy/admin/asking.h"
#include "proxy/admin/json.h"

namespace weir::admin {
namespace {

std::string order_of(const conf::PurgeCommand& command) {
  Json order;
  if (command.field == "all") {
    order["all"] = true;
  } else if (command.field == "tags") {
    order["tags"] = command.tags;
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
      command.field == "all"
          ? "everything"
          : fmt::format("{} {}{}", command.field, command.text, fmt::join(command.tags, ", "));
  const Json instances = answer.value("instances", Json::object());
  return fmt::format("{}: {} ({} of {} instances, {} ms)", command.soft ? "made stale" : "purged",
                     what, instances.value("acked", 0), instances.value("live", 0),
                     answer.value("took_ms", 0));
}

}  // namespace

int purge(const conf::PurgeCommand& command) {
  const auto answer =
      ask_instance("purge", command.admin, {.path = "/v1/purge", .body = order_of(command)});
  if (!answer) return kFailure;
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
  const auto answer = ask_instance("health", command.admin,
                                   {.path = "/readyz", .body = {}, .timeout_ms = kPatience_ms});
  if (!answer) return kFailure;
  const bool known = answer->body == "ready\n" || answer->body == "draining\n";
  if (!known) return complain("health", complaint_of(*answer));
  const bool ready = answer->status == 200;
  fmt::print("{}", command.json ? text_of({{"ready", ready}}) : answer->body);
  return ready ? 0 : kFailure;
}

}  // namespace weir::admin

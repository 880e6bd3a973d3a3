#include "proxy/explain_command.h"

#include <fmt/format.h>

#include <cstdio>

#include "backends/tiered.h"
#include "proxy/admin/asking.h"
#include "proxy/admin/explain_body.h"
#include "proxy/admin/explain_json.h"
#include "proxy/admin/explain_text.h"
#include "proxy/flow/outlook.h"
#include "proxy/make_site.h"
#include "proxy/upstream/ask_once.h"

namespace weir {
namespace {

constexpr int kUsage = 2;

flow::Question question_of(const conf::ExplainCommand& command) {
  return {.url = command.url, .method = command.method, .headers = command.headers};
}

int complain(int code, std::string_view message) {
  admin::complain("explain", message);
  return code;
}

// A site whose backends are of the right bounds, and empty: rules are asked, and nothing is looked
// for. So memory stands in for every kind of them.
std::shared_ptr<const flow::Site> dry_site(const std::shared_ptr<const conf::Config>& config) {
  BackendMap named;
  for (const conf::Backend& backend : config->backends) {
    named[backend.name] = backends::make_ram_backend(ram_options(backend));
  }
  return make_site(config, make_upstreams(*config), named, &backends::make_tiered);
}

void print(const admin::Json& json, bool as_json) {
  fmt::print("{}", as_json ? admin::text_of(json) : admin::explanation_text(json));
}

}  // namespace

int explain_offline(const conf::ExplainCommand& command,
                    const std::shared_ptr<const conf::Config>& config) {
  const auto asked = flow::read_question(question_of(command), *config);
  if (!asked) {
    return complain(kUsage, fmt::format("{}: {}", asked.error().field, asked.error().message));
  }
  const std::shared_ptr<const flow::Site> site = dry_site(config);
  const flow::Planned planned = flow::plan_question(*asked, *site);
  const flow::Outlook outlook = flow::outlook_of_first(*asked, planned);
  const flow::Explanation explanation = flow::explain(*asked, planned, outlook.form, *site);
  print(admin::explanation_json(explanation, outlook, nullptr), command.json);
  return 0;
}

int explain_live(const conf::ExplainCommand& command) {
  const auto answer = upstream::ask_once({.address = command.admin.address,
                                          .token = command.admin.token,
                                          .path = "/v1/explain",
                                          .body = admin::explain_body(question_of(command))});
  if (!answer) {
    return complain(admin::kFailure, admin::nobody_at(command.admin, answer.error().message));
  }
  const admin::Json json = admin::Json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || !json.is_object() || !json.contains("request")) {
    return complain(answer->status == 400 ? kUsage : admin::kFailure, admin::complaint_of(*answer));
  }
  print(json, command.json);
  return 0;
}

}  // namespace weir

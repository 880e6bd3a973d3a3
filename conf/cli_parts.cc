#include "conf/cli_parts.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "conf/addresses.h"
#include "conf/environment.h"

namespace weir::conf {

Leave usage_error(std::string_view command, std::string_view message) {
  const std::string name = command.empty() ? "weir" : fmt::format("weir {}", command);
  return {kUsageError, "", fmt::format("{}: {}\nTry \"{} --help\".\n", name, message, name)};
}

Overrides from_environment(const Environment& environment) {
  return {variable(environment, "WEIR_UPSTREAM"), variable(environment, "WEIR_LISTEN"),
          variable(environment, "WEIR_ADMIN")};
}

void add_file(CLI::App& app, std::optional<std::string>& file) {
  app.add_option("-c,--config", file, "the configuration")->option_text("FILE");
}

void add_overrides(CLI::App& app, Overrides& overrides) {
  app.add_option("--upstream", overrides.upstream, "where the app is")->option_text("URL");
  app.add_option("--listen", overrides.listen, "where clients connect")->option_text("ADDR");
  app.add_option("--admin", overrides.admin, "the admin address")->option_text("ADDR|off");
}

void add_admin(CLI::App& app, std::string& address, const Environment& environment) {
  address = variable(environment, "WEIR_ADMIN").value_or(kDefaultAdmin);
  app.add_option("--admin", address, "the instance's admin address")->option_text("ADDR");
}

std::variant<AdminTarget, Leave> read_target(std::string_view command, const std::string& address,
                                             const Environment& environment) {
  AdminTarget target;
  Result<ListenAddress> parsed = parse_listen_address(address, Audience::Admin);
  if (!parsed) return usage_error(command, "--admin: " + parsed.error().message);
  target.address = std::move(*parsed);
  const std::optional<Secret> token = secret(environment, kAdminToken);
  if (token && !token->text) {
    return usage_error(command, token->from + ": " + token->path + " cannot be read");
  }
  if (token) target.token = *token->text;
  return target;
}

}  // namespace weir::conf

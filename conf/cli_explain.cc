// weir explain.
#include <CLI/CLI.hpp>

#include "base/text.h"
#include "conf/cli_parts.h"

namespace weir::conf {
namespace {

constexpr std::string_view kFooter =
    "URL is a whole one, https://example.com/blog?page=2, or a path alone. An https URL stands for "
    "a\n"
    "proxy that ends TLS and says so in X-Forwarded-Proto. The configuration is found as for "
    "\"weir "
    "run\";\n"
    "one that does not say where the app is will do, since the app is not asked.\n"
    "--live asks a running instance instead, which adds what is stored, where, its age and its "
    "ttl,\n"
    "and why the key's last answer was refused. Such a look changes nothing.\n"
    "\n"
    "Examples:\n"
    "  weir explain -c weir.yaml -H 'Cookie: sid=1' 'https://example.com/blog?page=2'\n"
    "  weir explain --live /blog\n"
    "\n"
    "Exit codes: 0; 1 when no instance answers; 2 for a URL or header that is none, or a bad\n"
    "configuration.\n";

}  // namespace

Command read_explain(const Take& take, const Environment& environment) {
  ExplainCommand explain;
  explain.overrides = from_environment(environment);
  explain.overrides.needs_upstream = false;
  std::string address;
  std::vector<std::string> lines;
  CLI::App app(
      "Tells why a request is served from the cache or is not: its route, every part of "
      "its key, what the app is sent, what would forbid storing the answer.");
  add_file(app, explain.file);
  app.add_option("url", explain.url, "what is asked for")->option_text("URL");
  app.add_option("--method,-X", explain.method, "its method; GET unless given")
      ->option_text("METHOD");
  app.add_option("--header,-H", lines, "a header of the request, as often as needed")
      ->option_text("'Name: value'")
      ->allow_extra_args(false);
  app.add_flag("--live", explain.live, "ask a running instance");
  app.add_flag("--json", explain.json, "as JSON");
  add_admin(app, address, environment);
  app.footer(std::string(kFooter));
  if (auto leave = take(app)) return *leave;
  if (explain.url.empty()) return usage_error("explain", "wants a URL, or a path");
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(':');
    if (colon == line.npos || colon == 0) {
      return usage_error("explain", "-H wants a header such as 'Accept-Language: de'");
    }
    explain.headers.emplace_back(line.substr(0, colon),
                                 trim_ows(std::string_view(line).substr(colon + 1)));
  }
  if (!explain.live) return explain;
  auto target = read_target("explain", address, environment);
  if (auto* const leave = std::get_if<Leave>(&target)) return std::move(*leave);
  explain.admin = std::get<AdminTarget>(std::move(target));
  return explain;
}

}  // namespace weir::conf

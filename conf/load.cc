#include "conf/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "conf/load_with.h"
#include "conf/readers.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

// What a start without any file means.
constexpr std::string_view kBuiltin = "routes: [{match: /**, cache: {duration: 5s}}]";

// Parts of the contract that this version does not have: said so, rather than "unknown key".
// They are taken only where they stand, so that no slip is answered with the name of one.
void refuse_unavailable(Section& top) {
  constexpr std::pair<std::string_view, std::string_view> kLater[] = {
      {"preset", "a preset"},     {"presets", "a preset"},         {"fleet", "a fleet"},
      {"tls", "TLS for clients"}, {"http2", "HTTP/2 for clients"},
  };
  for (const auto& [name, cursor] : top.all()) {
    for (const auto& [key, what] : kLater) {
      if (name != key || !top.take(key)) continue;
      top.at_key(key).error(fmt::format("{} is not available in this version", what));
    }
  }
}

void warn_of_memory(Reading& reading, const Config& config, const Resources& resources) {
  std::uint64_t sum = config.limits.fill_memory;
  for (const Backend& backend : config.backends) {
    if (backend.type == Backend::Type::Ram) sum += backend.max_size;
  }
  if (resources.memory == 0 || sum <= resources.memory) return;
  reading.add_file_warning(
      "", fmt::format("the RAM backends and limits.fill_memory may take {} together, but there is "
                      "{} of memory",
                      format_size(sum), format_size(resources.memory)));
}

std::shared_ptr<Config> read_config(Reading& reading, const NodeRef& root, const Outside& outside) {
  auto config = std::make_shared<Config>();
  // An empty file is a file with no keys.
  NodeRef node = root;
  if (root->kind == DocumentNode::Kind::Null) {
    auto empty = std::make_shared<DocumentNode>();
    empty->kind = DocumentNode::Kind::Map;
    empty->place = root->place;
    node = std::move(empty);
  }
  Section top(Cursor(reading, node, node->place, ""), "a map such as {upstream: …, routes: […]}");
  read_addresses(reading, top, outside, *config);
  read_process(top, outside, *config);
  read_upstream(reading, top, outside, *config);
  read_limits(top, outside, config->limits);
  const BackendNames backends = read_backends(reading, top, *config);
  CacheRule defaults;
  defaults.tiers = config->default_tiers;
  if (const auto cursor = top.take("defaults"); cursor && !cursor->is_null()) {
    if (cursor->is_map()) {
      read_cache_rule(*cursor, backends, defaults);
    } else {
      cursor->error_expected("a map such as {duration: 60s}");
    }
  }
  const std::vector<ReadRoute> routes = read_routes(reading, top, backends, defaults);
  refuse_unavailable(top);
  constexpr std::string_view kOfRoutes[] = {"cache", "match"};
  constexpr std::string_view kOfBackends[] = {"max_size", "default_expire", "threshold"};
  top.mistaken_for("listen", {"port", "host", "bind", "address"});
  top.elsewhere("within `defaults:`, or a route's `cache:`", kCacheKeys);
  top.elsewhere("in a route", kOfRoutes);
  top.elsewhere("in one of the `backends:`", kOfBackends);
  top.finish();
  warn_of_dead_routes(reading, routes);
  warn_of_stripped_cookies(reading, routes);
  warn_of_shared_servers(reading, routes, *config);
  for (const ReadRoute& route : routes) config->routes.push_back(route.route);
  if (routes.empty()) {
    reading.add_file_warning("routes", "none: every request is passed through, nothing is cached");
  }
  warn_of_memory(reading, *config, outside.resources);
  return config;
}

LoadResult finish(Reading& reading, std::shared_ptr<Config> config) {
  LoadResult result;
  result.problems = reading.take_problems();
  if (!result.problems.empty() || !config) return result;
  config->warnings = reading.take_warnings();
  result.config = std::move(config);
  return result;
}

// What a person did who got the parser to say this; empty when there is no telling.
std::string_view hint_for(const SyntaxError& fault, std::string_view line) {
  const std::string_view indentation = line.substr(0, line.find_first_not_of(" \t"));
  if (indentation.find('\t') != std::string_view::npos) return " (a tab does not indent in YAML)";
  const auto at = static_cast<std::size_t>(std::max(fault.place.column, 1)) - 1;
  const bool alias = at < line.size() && line[at] == '*';
  if (alias || fault.message.ends_with("alias not found after *")) {
    return " (a value that begins with * needs quotes, as in \"*.css\")";
  }
  if (line.find("${") != std::string_view::npos) {
    return " (within braces and brackets a ${...} needs quotes)";
  }
  if (fault.message.ends_with("end of sequence not found") ||
      fault.message.ends_with("end of map not found")) {
    return " (is this line indented like its neighbours?)";
  }
  if (fault.message.ends_with("illegal map value")) {
    return " (is this line indented deeper than its neighbours, or does the one before lack a "
           "colon with a blank behind it, or this one a dash?)";
  }
  if (fault.message.ends_with("end of map flow not found") ||
      fault.message.ends_with("end of sequence flow not found")) {
    return " (is a { or [ before it not closed?)";
  }
  return "";
}

void add_syntax_error(Reading& reading, const SyntaxError& fault) {
  if (fault.place.line == 0) {
    reading.add_file_problem("", fault.message);
    return;
  }
  const std::string_view hint = hint_for(fault, reading.line(fault.place.line));
  reading.add_problem(fault.place, "", fault.message + std::string(hint));
}

Result<std::string> read_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    return fail(ErrorCode::NotFound, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  // One byte more than is allowed, so that the parser sees that it is too long.
  std::string text(kMaxDocumentBytes + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file));
  const int error = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (error == 0) return text;
  return fail(ErrorCode::System, fmt::format("cannot be read: {}", std::strerror(error)));
}

}  // namespace

LoadResult load_text_with(std::string_view text, const std::string& file_name,
                          const Overrides& overrides, const Environment& environment,
                          const Resources& resources) {
  Reading reading(text, file_name, environment);
  const auto root = parse_document(text);
  if (!root) {
    add_syntax_error(reading, root.error());
    return finish(reading, nullptr);
  }
  return finish(reading, read_config(reading, *root, {overrides, environment, resources}));
}

LoadResult load_builtin_with(const Overrides& overrides, const Environment& environment,
                             const Resources& resources) {
  Reading reading(kBuiltin, "", environment);
  const auto root = parse_document(kBuiltin);
  if (!root) return finish(reading, nullptr);
  auto config = read_config(reading, *root, {overrides, environment, resources});
  for (Route& route : config->routes) route.source = {};
  return finish(reading, std::move(config));
}

LoadResult load_text(std::string_view text, const std::string& file_name,
                     const Overrides& overrides, const Environment& environment) {
  return load_text_with(text, file_name, overrides, environment, detect_resources());
}

LoadResult load_builtin(const Overrides& overrides, const Environment& environment) {
  return load_builtin_with(overrides, environment, detect_resources());
}

LoadResult load_file(const std::string& path, const Overrides& overrides,
                     const Environment& environment) {
  const Result<std::string> text = read_file(path);
  if (text) return load_text(*text, path, overrides, environment);
  return {nullptr, {Problem{Source{path, 0, 0}, "", text.error().message, ""}}};
}

}  // namespace weir::conf

#include "proxy/route/router.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "base/http/authority.h"
#include "base/text.h"
#include "proxy/route/glob.h"
#include "proxy/route/path_reading.h"

namespace weir::route {
namespace {

// Without port, and without the dot that may end a fully qualified name.
std::string_view host_of(std::string_view authority) {
  authority = http::without_port(authority);
  if (authority.ends_with('.')) authority.remove_suffix(1);
  return authority;
}

// The first eight bytes, or all there are and zeros.
std::uint64_t first_bytes(std::string_view text) {
  std::uint64_t bytes = 0;
  if (text.size() >= sizeof bytes) {
    std::memcpy(&bytes, text.data(), sizeof bytes);
    return bytes;
  }
  if (!text.empty()) std::memcpy(&bytes, text.data(), text.size());
  return bytes;
}

bool same_method(std::string_view wanted, std::string_view method) {
  return wanted == method || (wanted == "GET" && method == "HEAD");
}

}  // namespace

struct Router::Request {
  std::string_view method;
  std::string_view host;
  std::string_view path;  // canonical
};

// One alternative of a route's `match:`.
struct Router::Pattern {
  std::optional<Glob> path;
  std::unique_ptr<RE2> regex;
  std::string host;
  std::vector<std::string> methods;
  bool takes_all = false;  // every path that begins with a slash, whoever asks

  explicit Pattern(const conf::Matcher& matcher)
      : host(matcher.host),
        methods(matcher.methods),
        takes_all(matcher.path == "/**" && matcher.regex.empty() && host.empty() &&
                  methods.empty()) {
    if (!matcher.path.empty()) path.emplace(matcher.path);
    if (matcher.regex.empty()) return;
    regex = std::make_unique<RE2>(matcher.regex, RE2::Quiet);
    WEIR_CHECK(regex->ok());
  }

  // Cheapest first.
  bool matches(const Request& request) const {
    if (path && !path->match(request.path)) return false;
    const auto wanted = [&](const std::string& name) { return same_method(name, request.method); };
    if (!methods.empty() && std::none_of(methods.begin(), methods.end(), wanted)) return false;
    if (!host.empty() && !wildcard_match_ignore_case(host, request.host)) return false;
    if (!regex) return true;
    const re2::StringPiece text(request.path.data(), request.path.size());
    return regex->Match(text, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
  }
};

struct Router::Compiled {
  std::vector<std::vector<Pattern>> all_of;
  bool cached = false;

  explicit Compiled(const conf::Route& route) : cached(route.cache.has_value()) {
    for (const std::vector<conf::Matcher>& group : route.all_of) {
      all_of.emplace_back(group.begin(), group.end());
    }
  }

  bool takes_all() const {
    return std::all_of(all_of.begin(), all_of.end(), [](const std::vector<Pattern>& group) {
      return std::any_of(group.begin(), group.end(),
                         [](const Pattern& pattern) { return pattern.takes_all; });
    });
  }
  bool matches(const Request& request) const {
    return std::all_of(all_of.begin(), all_of.end(), [&](const std::vector<Pattern>& group) {
      return std::any_of(group.begin(), group.end(),
                         [&](const Pattern& pattern) { return pattern.matches(request); });
    });
  }
};

// Of the group that says most. Alternatives must agree on what is certain.
Router::Opening Router::opening_of(const Compiled& route) {
  std::string_view best;
  for (const std::vector<Pattern>& group : route.all_of) {
    std::optional<std::string_view> common;
    for (const Pattern& pattern : group) {
      const std::string_view head = pattern.path ? pattern.path->literal_head() : "";
      if (!common) common = head;
      const auto differ = std::mismatch(common->begin(), common->end(), head.begin(), head.end());
      common = common->substr(0, static_cast<std::size_t>(differ.first - common->begin()));
    }
    if (common && common->size() > best.size()) best = *common;
  }
  std::array<char, sizeof(Opening::mask)> certain{};
  std::fill_n(certain.begin(), std::min(best.size(), certain.size()), '\xff');
  return {first_bytes(best), first_bytes({certain.data(), certain.size()})};
}

Router::Router(const std::vector<conf::Route>& routes) : routes_(routes.begin(), routes.end()) {
  std::transform(routes_.begin(), routes_.end(), std::back_inserter(openings_), opening_of);
  first_takes_all_ = !routes_.empty() && routes_.front().takes_all();
  any_uncached_ = std::any_of(routes_.begin(), routes_.end(),
                              [](const Compiled& route) { return !route.cached; });
}

Router::~Router() = default;

bool Router::is_cached(int route) const {
  return route >= 0 && routes_[static_cast<std::size_t>(route)].cached;
}

int Router::first(const Request& request, std::size_t end, bool uncached_only) const {
  const std::uint64_t opening = first_bytes(request.path);
  for (std::size_t i = 0; i < end; ++i) {
    if (((opening ^ openings_[i].bytes) & openings_[i].mask) != 0) continue;
    if (uncached_only && routes_[i].cached) continue;
    if (routes_[i].matches(request)) return static_cast<int>(i);
  }
  return -1;
}

int Router::match_reading(Request request) const {
  const int found = first(request, routes_.size(), false);
  if (!any_uncached_ || !is_cached(found) || request.path.size() < 2) return found;
  if (!request.path.ends_with('/')) return found;
  // Most frameworks answer /login/ as they answer /login.
  request.path.remove_suffix(1);
  const int without_slash = first(request, static_cast<std::size_t>(found), true);
  return without_slash >= 0 ? without_slash : found;
}

int Router::match(std::string_view method, std::string_view authority,
                  std::string_view path) const {
  if (first_takes_all_ && path.starts_with('/')) return 0;  // in whatever reading
  Request request{method, host_of(authority), path};
  if (is_plain_path(path)) return match_reading(request);
  std::string canonical;
  append_canonical(path, canonical);
  request.path = canonical;
  const int as_sent = match_reading(request);
  if (!path.starts_with('/')) return as_sent;
  const std::string resolved = resolved_reading(canonical);
  request.path = resolved;
  const int as_resolved = match_reading(request);
  if (!is_cached(as_sent)) return as_sent;
  if (!is_cached(as_resolved)) return as_resolved;
  return std::min(as_sent, as_resolved);
}

}  // namespace weir::route

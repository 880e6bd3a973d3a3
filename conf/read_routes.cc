// `routes:`: what they match, which rule is theirs, and how modules become a flat list.

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "conf/patterns.h"
#include "conf/readers.h"

namespace weir::conf {
namespace {

constexpr std::size_t kMaxRoutes = 1'000;
constexpr std::size_t kMaxNameBytes = 128;

// A pattern of one kind; an error and nothing when it is bad.
template <class Check>
std::string read_pattern(const Cursor& cursor, std::string_view expected, Check check) {
  const auto text = cursor.text(expected);
  if (!text) return {};
  if (text->empty()) {
    cursor.error(fmt::format("is empty (expected {})", expected));
    return {};
  }
  if (const std::optional<std::string> complaint = check(*text)) {
    cursor.error(*complaint);
    return {};
  }
  return *text;
}

// What routers of frameworks, and regular expressions, write for a part of a path.
bool is_placeholder(std::string_view segment) {
  const bool named = segment.size() > 1 && (segment[0] == ':' || segment[0] == '$');
  const bool bracketed = segment.contains('<') && segment.contains('>');
  return named || bracketed || segment.contains('(') || segment.contains(".*") ||
         segment.contains(".+");
}

// A pattern of ours would wait for those very characters for ever.
void warn_of_placeholders(const Cursor& cursor, std::string_view path) {
  for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
    const std::string_view segment = path.substr(at + 1, path.find('/', at + 1) - at - 1);
    if (!is_placeholder(segment)) continue;
    cursor.warn(
        fmt::format("`{}` is taken literally; `*` is any one segment, and a regular "
                    "expression stands under `regex:`",
                    segment));
  }
}

std::string read_path(const Cursor& cursor) {
  std::string path = read_pattern(cursor, "a path pattern such as /blog/**", check_path_pattern);
  warn_of_placeholders(cursor, path);
  return path;
}

std::optional<std::string> check_method(std::string_view name) {
  if (auto complaint = check_token(name)) return complaint;
  const bool upper =
      std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (upper) return std::nullopt;
  std::string shout(name);
  for (char& c : shout) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return fmt::format("is not a method (they are upper case: {})", shout);
}

std::vector<std::string> read_methods(const Cursor& cursor) {
  if (cursor.is_list()) return read_names(cursor, "a list such as [GET, HEAD]", check_method);
  const auto name = read_name(cursor, check_method);
  return name ? std::vector<std::string>{*name} : std::vector<std::string>{};
}

Matcher read_matcher_map(const Cursor& cursor) {
  Matcher out;
  Section section(cursor, "");
  if (const auto path = section.take("path")) out.path = read_path(*path);
  if (const auto regex = section.take("regex")) {
    out.regex = read_pattern(*regex, "a regular expression such as \\.php$", check_regex);
  }
  if (const auto host = section.take("host")) {
    // Hosts compare without case; the router sees them in lower case.
    const auto check = [](const std::string& text) { return check_host_pattern(to_lower(text)); };
    out.host = to_lower(read_pattern(*host, "a host such as \"*.example.org\"", check));
  }
  const auto method = section.take("method");
  const auto methods = section.take("methods");
  if (method && methods) section.at_key("methods").error("give method or methods, not both");
  if (method) out.methods = read_methods(*method);
  if (methods) out.methods = read_methods(*methods);
  section.finish();
  if (cursor.node().entries.empty()) {
    cursor.error("is empty: give path, regex, host or method (/** matches everything)");
  }
  return out;
}

// What children take from their module, and top-level routes from `defaults:`.
struct Inherited {
  bool on = false;  // whether a silent route is cached
  CacheRule rule;
  std::vector<std::vector<Matcher>> groups;
};

class RouteReader {
 public:
  RouteReader(Reading& reading, const BackendNames& backends)
      : reading_(reading), backends_(backends) {}

  void read_list(const Cursor& cursor, const Inherited& inherited) {
    for (const Cursor& item : cursor.items("a list such as [{match: /blog/**, cache: true}]")) {
      if (routes_.size() >= kMaxRoutes) {
        item.error(fmt::format("more than {} routes", kMaxRoutes));
        return;
      }
      read_route(item, inherited);
    }
  }
  std::vector<ReadRoute> take() { return std::move(routes_); }

 private:
  void read_route(const Cursor& cursor, const Inherited& inherited) {
    Section section(cursor, "a map such as {match: /blog/**, cache: true}");
    if (!cursor.is_map()) return;
    Inherited own = inherited;
    const std::string name = read_route_name(section);
    if (const auto match = section.take("match")) {
      own.groups.push_back(read_match(*match));
    } else {
      cursor.error("match is missing (/** matches everything)");
    }
    if (const auto cache = section.take("cache")) read_cache(*cache, own);
    // Children first: their module is what is left of its paths.
    if (const auto children = section.take("routes"); children && !children->is_null()) {
      read_list(*children, own);
    }
    section.elsewhere("within `cache:`", kCacheKeys);
    section.finish();
    add(cursor, name, own);
  }

  static std::string read_route_name(Section& section) {
    const auto cursor = section.take("name");
    if (!cursor) return {};
    const auto name = cursor->text("a name");
    if (!name) return {};
    const bool plain = !name->empty() && name->size() <= kMaxNameBytes &&
                       std::none_of(name->begin(), name->end(), [](char c) {
                         return static_cast<unsigned char>(c) < ' ' || c == 0x7F;
                       });
    if (plain) return *name;
    cursor->error(fmt::format("{} is not a name for a route (1 to {} printable characters)",
                              quote(*name), kMaxNameBytes));
    return {};
  }

  void read_cache(const Cursor& cursor, Inherited& own) {
    if (!cursor.is_map()) {
      const auto on = cursor.boolean("true, false or a map such as {duration: 60s}");
      if (on) own.on = *on;
      return;
    }
    own.on = true;
    read_cache_rule(cursor, backends_, own.rule);
  }

  void add(const Cursor& cursor, const std::string& name, const Inherited& own) {
    Route route;
    route.name = name;
    route.source = cursor.source();
    route.all_of = own.groups;
    if (own.on) route.cache = own.rule;
    if (name.empty() && !own.groups.empty() && !own.groups.back().empty()) {
      const Matcher& first = own.groups.back().front();
      for (const std::string* text : {&first.path, &first.regex, &first.host}) {
        if (route.name.empty()) route.name = *text;
      }
      if (route.name.empty() && !first.methods.empty()) route.name = first.methods.front();
    }
    routes_.push_back({std::move(route), cursor.path()});
  }

  Reading& reading_;
  const BackendNames& backends_;
  std::vector<ReadRoute> routes_;
};

}  // namespace

std::vector<Matcher> read_match(const Cursor& cursor) {
  std::vector<Matcher> out;
  if (cursor.is_list() && cursor.node().items.empty()) {
    cursor.error("matches nothing: the list is empty");
  }
  for (const Cursor& item : cursor.one_or_more()) {
    if (item.is_map()) {
      out.push_back(read_matcher_map(item));
    } else if (item.is_scalar()) {
      out.push_back({read_path(item), {}, {}, {}});
    } else {
      item.error_expected("a path pattern such as /blog/**, or a map {path, regex, host, method}");
    }
  }
  return out;
}

std::vector<ReadRoute> read_routes(Reading& reading, Section& top, const BackendNames& backends,
                                   const CacheRule& defaults) {
  RouteReader reader(reading, backends);
  const auto cursor = top.take("routes");
  if (cursor && !cursor->is_null()) reader.read_list(*cursor, {false, defaults, {}});
  return reader.take();
}

}  // namespace weir::conf

// Putting removed query parameters back on redirects, so that a campaign's visitor arrives at
// "/en/?utm_source=x" from "/?utm_source=x" though the app never saw the parameter.
#include <string>

#include "base/text.h"
#include "cachekeys/query.h"
#include "cachekeys/sent_request.h"
#include "cachekeys/target.h"

namespace weir::keys {
namespace {

// Whether a Location names the host that the request was for. Scheme-relative and relative
// references do or do not by their form; http and https of one host are one site here.
bool is_same_site(std::string_view location, std::string_view authority) {
  std::string_view scheme;
  std::string_view rest = location;
  for (const std::string_view known : {"https", "http"}) {
    if (starts_with_ignore_case(location, known) && location.substr(known.size(), 1) == ":") {
      scheme = known;
      rest.remove_prefix(known.size() + 1);
      break;
    }
  }
  // Browsers read a backslash as a slash, so that one behind the first slash names another site.
  if (rest.find('\\') != rest.npos) return false;
  if (!rest.starts_with("//")) {
    // Relative, unless it has another scheme: a ':' before any '/', '?' or '#'.
    const std::size_t mark = rest.find_first_of(":/?#");
    return scheme.empty() && (mark == rest.npos || rest[mark] != ':');
  }
  rest.remove_prefix(2);
  std::string theirs;
  std::string ours;
  append_authority(scheme, rest.substr(0, rest.find_first_of("/?#\\")), theirs);
  append_authority(scheme, authority, ours);
  return theirs == ours;
}

bool has_parameter(std::string_view query, std::string_view parameter) {
  bool found = false;
  for_each_parameter(query, [&](std::string_view other) {
    found = found || parameter_name(other) == parameter_name(parameter);
  });
  return found;
}

}  // namespace

std::string restore_query(std::string_view location, std::string_view authority,
                          const SentRequest& sent) {
  if (sent.removed_query.empty() || location.empty() || location.front() == '#') return {};
  if (!is_same_site(location, authority) && !is_same_site(location, sent.host) &&
      !is_same_site(location, sent.told_host)) {
    return {};
  }

  const std::size_t fragment = location.find('#');
  const std::string_view before = location.substr(0, fragment);
  const std::size_t mark = before.find('?');
  const std::string_view query = mark == before.npos ? std::string_view{} : before.substr(mark + 1);
  std::string restored(before);
  char separator = mark == before.npos ? '?' : '&';
  if (mark != before.npos && query.empty()) separator = '\0';
  for_each_parameter(sent.removed_query, [&](std::string_view parameter) {
    if (has_parameter(query, parameter)) return;
    if (separator != '\0') restored.push_back(separator);
    restored.append(parameter);
    separator = '&';
  });
  if (restored.size() == before.size()) return {};
  if (fragment != location.npos) restored.append(location.substr(fragment));
  return restored;
}

}  // namespace weir::keys

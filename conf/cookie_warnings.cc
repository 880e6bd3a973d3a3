// Warnings of routes that strip cookies which visitors cannot do without. By what names usually
// mean: a cookie of another name may matter as much, and nobody here can know.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "conf/readers.h"

namespace weir::conf {
namespace {

// Whether some name fits both patterns. One row of the usual table at a time: reach[j] tells
// whether what was read of `a` and the first j characters of `b` can be one name.
bool overlap(std::string_view a, std::string_view b) {
  std::vector<bool> reach(b.size() + 1);
  reach[0] = true;
  for (std::size_t j = 0; j < b.size(); ++j) reach[j + 1] = reach[j] && b[j] == '*';
  for (const char c : a) {
    std::vector<bool> next(b.size() + 1);
    next[0] = reach[0] && c == '*';
    for (std::size_t j = 0; j < b.size(); ++j) {
      const bool star = c == '*' || b[j] == '*';
      next[j + 1] = star ? reach[j] || reach[j + 1] || next[j] : reach[j] && c == b[j];
    }
    reach = std::move(next);
  }
  return reach.back();
}

// What frameworks call the cookie that a form's token is held against, or that holds the token.
bool forms_need(std::string_view pattern) {
  constexpr std::string_view kParts[] = {"csrf", "xsrf", "sess", "antiforgery",
                                         "requestverification"};
  constexpr std::string_view kNames[] = {"csrftoken",         "_app_session", "laravel_session",
                                         "XSRF-TOKEN",        "connect.sid",  "PHPSESSID",
                                         "authenticity_token"};
  const std::string lower = to_lower(pattern);
  return std::ranges::any_of(kParts, [&](std::string_view part) { return lower.contains(part); }) ||
         std::ranges::any_of(kNames,
                             [&](std::string_view name) { return wildcard_match(pattern, name); });
}

// Whether a path's end names a file that is no page: "/**.css", but not "/**" or "/*.php".
bool ends_like_a_file(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || dot + 1 == name.size()) return false;
  const std::string_view extension = name.substr(dot + 1);
  constexpr std::string_view kPages[] = {"html", "htm", "xhtml", "php", "asp", "aspx", "jsp", "do"};
  return extension.find('*') == extension.npos &&
         std::ranges::find(kPages, extension) == std::end(kPages);
}

bool lies_among_files(std::string_view path) {
  constexpr std::string_view kFolders[] = {
      "/static/", "/assets/", "/media/", "/images/", "/img/",     "/css/",   "/js/",
      "/fonts/",  "/dist/",   "/build/", "/packs/",  "/uploads/", "/_next/", "/_nuxt/"};
  return std::ranges::any_of(kFolders,
                             [&](std::string_view folder) { return path.contains(folder); });
}

bool takes_files_only(const Matcher& matcher) {
  if (!matcher.regex.empty()) {
    return matcher.regex.contains("\\.") && matcher.regex.ends_with('$') &&
           !matcher.regex.contains("htm") && !matcher.regex.contains("php");
  }
  return ends_like_a_file(matcher.path) || lies_among_files(matcher.path);
}

bool may_take_pages(const Route& route) {
  return std::ranges::none_of(route.all_of, [](const std::vector<Matcher>& group) {
    return std::ranges::all_of(group, takes_files_only);
  });
}

// One pattern that is stripped, in words.
std::string stripped_words(const SetCookieRule& rule, const std::string& pattern) {
  return rule.mode == SetCookieRule::Mode::StripAll ? "every cookie" : quote(pattern);
}

// What a rule's set_cookie leaves visitors without.
std::vector<std::string> complaints(const Route& route) {
  const SetCookieRule& rule = route.cache->set_cookie;
  std::vector<std::string> patterns = rule.names;
  if (rule.mode == SetCookieRule::Mode::StripAll) patterns = {"*"};
  std::vector<std::string> out;
  for (const std::string& pattern : patterns) {
    const auto& sessions = route.cache->cookies.session;
    const auto session = std::ranges::find_if(
        sessions, [&](const std::string& name) { return overlap(pattern, name); });
    if (session != sessions.end()) {
      out.push_back(fmt::format(
          "set_cookie strips {}, and {} is a session here: nobody is logged in by such an answer "
          "(leave it out, and an answer that sets it is not stored)",
          stripped_words(rule, pattern), quote(*session)));
    } else if (may_take_pages(route) && forms_need(pattern)) {
      out.push_back(fmt::format(
          "set_cookie strips {}: the forms of such a page are sent without the cookie that "
          "their token belongs to, and the app refuses them (403, 419 or 422); strip it where "
          "there are no forms only",
          stripped_words(rule, pattern)));
    }
  }
  return out;
}

}  // namespace

void warn_of_stripped_cookies(Reading& reading, const std::vector<ReadRoute>& routes) {
  std::set<std::string> said;  // by many routes alike, when `defaults:` strips
  for (const ReadRoute& route : routes) {
    if (!route.route.cache) continue;
    for (std::string& complaint : complaints(route.route)) {
      if (!said.insert(complaint).second) continue;
      reading.add_warning({route.route.source.line, route.route.source.column}, route.path,
                          std::move(complaint));
    }
  }
}

}  // namespace weir::conf

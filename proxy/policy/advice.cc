#include "proxy/policy/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace weir::policy {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kRouteCache = "the route's cache";

// Quoted where YAML would read it as something else.
std::string yaml_text(std::string_view text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  });
  constexpr std::array<std::string_view, 9> kWords = {"true", "false", "yes", "no", "on",
                                                      "off",  "null",  "y",   "n"};
  const bool is_word = std::ranges::any_of(
      kWords, [text](std::string_view word) { return equals_ignore_case(word, text); });
  if (plain && !is_word && text.front() != '-' && text.front() != '.') return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string yaml_list(const Names& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(yaml_text(name));
  return "[" + out + "]";
}

Names with(Names names, const std::string& name) {
  if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  return names;
}

// The rule's `cookies`, as it would be written.
std::string yaml_cookies(const conf::CookieRule& cookies) {
  std::string out;
  const auto add = [&](std::string_view key, const Names& names) {
    if (names.empty()) return;
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", key, yaml_list(names));
  };
  add("key", cookies.key);
  add("session", cookies.session);
  add("ignore", cookies.ignore);
  if (cookies.other == conf::CookieRule::Other::Ignore) {
    out += fmt::format("{}other: ignore", out.empty() ? "" : ", ");
  }
  return fmt::format("cookies: {{ {} }}", out);
}

Advice for_cookie(const std::string& name, const conf::CacheRule& rule) {
  conf::CookieRule cookies = rule.cookies;
  cookies.ignore = with(cookies.ignore, name);
  return {yaml_cookies(cookies), std::string(kRouteCache),
          fmt::format("the app is then not shown {0} on this route: only where the page is the "
                      "same with and without it, never for the cookie of a log-in. If the page "
                      "depends on {0}, list it under `key` instead: one copy for each value",
                      name)};
}

Advice for_session(const std::string& name) {
  return {"", std::string(kRouteCache),
          fmt::format("{} is listed as a session: this visitor is logged in. What is for everybody "
                      "the app may mark (Cache-Control: public, max-age=60), and logged-in "
                      "visitors share it too",
                      name)};
}

Advice for_credential(const std::string& name, const conf::CacheRule& rule) {
  return {fmt::format("headers: {}", yaml_list(with(rule.headers, name))), std::string(kRouteCache),
          fmt::format("one copy for each value of {}, which is in the key then and so in the "
                      "backend. Or the app marks what is for everybody: Cache-Control: public, "
                      "max-age=60",
                      name)};
}

bool is_session(const std::string& name, const conf::CacheRule& rule) {
  return std::ranges::any_of(rule.cookies.session, [&name](const std::string& pattern) {
    return wildcard_match(pattern, name);
  });
}

Advice for_set_cookie(const std::string& name, const conf::CacheRule& rule) {
  if (is_session(name, rule)) {
    return {"", std::string(kRouteCache),
            fmt::format("{} is listed as a session: an answer that begins one is one visitor's. "
                        "On pages for everybody the app sets none",
                        name)};
  }
  const Names names = with(rule.set_cookie.names, name);
  return {fmt::format("set_cookie: {{ strip: {} }}", yaml_list(names)), std::string(kRouteCache),
          "the cookie is taken out of what is stored and sent: never for that of a session or of a "
          "form. Better: the app sets none on this page"};
}

// The rule's `statuses` and one more, as they would be written.
std::string yaml_statuses(const std::vector<conf::StatusRule>& statuses, std::string_view added) {
  std::string out;
  for (const conf::StatusRule& rule : statuses) {
    if (rule.status == 200) continue;  // which a map has anyway
    const std::string value = rule.explicit_only ? "explicit"
                              : rule.duration_s  ? std::to_string(*rule.duration_s)
                                                 : "10s";
    out += fmt::format("{}: {}, ", rule.status, value);
  }
  return fmt::format("statuses: {{ {}{} }}", out, added);
}

Advice for_status(const std::string& status, const conf::CacheRule& rule) {
  if (!is_decimal(status))
    return {"", "", "the app's answer says something about its body that must not be"};
  const bool failure = status.front() == '5';
  return {yaml_statuses(rule.statuses, fmt::format("{}: {}", status, failure ? "explicit" : "10s")),
          std::string(kRouteCache),
          failure ? "a failure is then stored for as long as the app itself says"
                  : "answers of this status are then stored, for so long where the app is silent"};
}

Advice in_app(std::string_view sentence) {
  return {"", "", std::string(sentence)};
}

Advice in_cache(std::string_view yaml, std::string_view sentence) {
  return {std::string(yaml), std::string(kRouteCache), std::string(sentence)};
}

// Of an answer's own word.
Advice for_word(const Refusal& refusal) {
  switch (refusal.reason) {
    case Reason::Private:
    case Reason::NoCache:
      return in_cache("origin: framework",
                      "sets aside a framework's untouched default (max-age=0, private, "
                      "must-revalidate; no-cache, private) and nothing else. If the app means it, "
                      "the page is one visitor's: leave it. `origin: override` sets aside whatever "
                      "the app says, and serves one visitor's page to all if that was private");
    case Reason::NoStore:
      return in_cache("origin: override",
                      "whatever the app says about caching is set aside: only where it says so by "
                      "mistake. Better: have the app say Cache-Control: public, max-age=60");
    case Reason::NoTtl:
      if (refusal.subject == "duration") {
        return in_cache("duration: 60", "the route's own duration is 0, and the app says none");
      }
      return in_cache("origin: override",
                      "the route's duration counts then, whatever the app says. Better: have the "
                      "app say max-age=60");
    default:
      return {};
  }
}

// Of an answer's form.
Advice for_form(Reason reason) {
  switch (reason) {
    case Reason::VaryStar:
      return in_app(
          "the app says that its answer depends on what cannot be told (Vary: *): name "
          "the fields instead");
    case Reason::Variants:
      return in_cache("max_variants: 64",
                      "more variants of a URL are kept; the app's Vary names a "
                      "field of many values");
    case Reason::TooLarge:
      return in_app(
          "larger than max_object_size of the route's backends, or there was no room for "
          "it just now (max_size, limits.fill_memory)");
    case Reason::Truncated:
      return in_app(
          "the app tells no length, and ends its answers as it would if it crashed: have "
          "it send Content-Length, or chunks");
    case Reason::Armor:
      return in_cache("armor: false",
                      "a page under a file's name is then stored: only where no "
                      "path of this route leads to a visitor's own page");
    case Reason::Stream:
      return in_app("an endless answer is handed through as it comes");
    default:
      return {};
  }
}

Advice for_request(const Refusal& refusal, std::string_view path) {
  switch (refusal.reason) {
    case Reason::NoRoute:
      return {fmt::format("- {{ match: {}, cache: {{ duration: 60 }} }}", yaml_text(path)),
              "routes", "a page that differs from visitor to visitor must say so itself"};
    case Reason::RouteOff:
      return {"cache: { duration: 60 }", "the route",
              "the route is passed through as it is; a page that differs from visitor to visitor "
              "must say so itself"};
    case Reason::Method:
      return in_app(refusal.subject == "HEAD"
                        ? "a HEAD is answered from a stored GET, and stores nothing itself: ask "
                          "with GET first"
                        : "only GET and HEAD are cached; other methods always reach the app");
    case Reason::Body:
      return in_app("a GET with a body means what its body says, which is not in the key");
    case Reason::Upgrade:
      return in_app("an upgrade is tunnelled");
    case Reason::ClientNoCache:
      return in_cache("client_no_cache: ignore", "clients then cannot force the app to be asked");
    case Reason::UpstreamError:
    case Reason::UpstreamTimeout:
      return in_cache("stale_if_error: 1h",
                      "stale copies are served meanwhile; the log says what is wrong with the app");
    case Reason::OnlyIfCached:
      return in_app("the client asked for a stored answer only (Cache-Control: only-if-cached)");
    default:
      return {};
  }
}

}  // namespace

Advice advice_for(const Refusal& refusal, const conf::CacheRule* rule, std::string_view path) {
  static const conf::CacheRule kNone;
  const conf::CacheRule& known = rule ? *rule : kNone;
  switch (refusal.reason) {
    case Reason::Cookie:
      if (refusal.subject.empty()) break;
      return for_cookie(refusal.subject, known);
    case Reason::Session:
      return for_session(refusal.subject);
    case Reason::Authorization:
      return for_credential(refusal.subject, known);
    case Reason::SetCookie:
      return for_set_cookie(refusal.subject, known);
    case Reason::Status:
      return for_status(refusal.subject, known);
    default:
      break;
  }
  if (Advice advice = for_request(refusal, path); !advice.means.empty()) return advice;
  if (Advice advice = for_word(refusal); !advice.means.empty()) return advice;
  return for_form(refusal.reason);
}

}  // namespace weir::policy

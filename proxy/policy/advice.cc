#include "proxy/policy/advice.h"

#include <algorithm>
#include <array>

namespace weir::policy {
namespace {

struct Row {
  Reason reason;
  std::string_view yaml;  // "$" stands for the subject
  std::string_view note;
};

constexpr std::array kRows = {
    Row{Reason::NoRoute, "- { match: \"/PATH/**\", cache: { duration: 60 } }",
        "a route for it, under routes:, if it is the same for several visitors"},
    Row{Reason::RouteOff, "cache: { duration: 60 }", "if it is the same for several visitors"},
    Row{Reason::Cookie, "cookies: { ignore: [$] }",
        "if the page does not depend on it; cookies: [$] if it does"},
    Row{Reason::Session, "", "a page of somebody's own, as the route's cookies: says"},
    Row{Reason::Authorization, "headers: [$]",
        "one copy for each value; or have the app mark what is for all with "
        "Cache-Control: public"},
    Row{Reason::SetCookie, "set_cookie: { strip: [$] }",
        "if visitors can do without it; better, have the app not set it on pages for all"},
    Row{Reason::NoStore, "origin: override", "if the app does not mean it; better, change the app"},
    Row{Reason::NoCache, "origin: framework",
        "if that is a framework's untouched default; better, change the app"},
    Row{Reason::Private, "origin: framework",
        "if that is a framework's untouched default; better, change the app"},
    Row{Reason::VaryStar, "", "have the app send a narrower Vary"},
    Row{Reason::Variants, "max_variants: 64",
        "or have the app vary on less, or put the field in headers:"},
    Row{Reason::Status, "statuses: { $: 10s }", "if this status is worth storing"},
    Row{Reason::TooLarge, "max_object_size: 64MiB",
        "of the backend; its max_size where there is no room"},
    Row{Reason::Truncated, "", "have the app send Content-Length, or chunked"},
    Row{Reason::Armor, "armor: false",
        "if pages are meant to have such names; better, correct the Content-Type"},
    Row{Reason::NoTtl, "duration: 60", "or have the app send max-age"},
    Row{Reason::ClientNoCache, "client_no_cache: ignore",
        "what clients' reloads then get is stored"},
    Row{Reason::Body, "", "have clients send a GET without a body"},
    Row{Reason::UpstreamError, "stale_if_error: 1h",
        "serves stale copies meanwhile; Weir's log says what is wrong with the app"},
    Row{Reason::UpstreamTimeout, "stale_if_error: 1h",
        "serves stale copies meanwhile; Weir's log says what is wrong with the app"},
};

// Names and numbers are what a line may be made of. What clients and apps send may be anything.
bool is_plain(std::string_view subject) {
  return !subject.empty() && std::ranges::all_of(subject, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string filled(std::string_view text, std::string_view subject) {
  std::string out;
  for (const char c : text) {
    if (c == '$') {
      out += is_plain(subject) ? subject : std::string_view("NAME");
    } else {
      out += c;
    }
  }
  return out;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Advice advice_on(Reason reason, std::string_view subject) {
  if (reason == Reason::Status && !is_number(subject)) return {};  // no list of statuses admits it
  const auto row = std::ranges::find(kRows, reason, &Row::reason);
  if (row == kRows.end()) return {};
  return {filled(row->yaml, subject), filled(row->note, subject)};
}

}  // namespace weir::policy

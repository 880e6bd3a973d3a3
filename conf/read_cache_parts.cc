// The parts of a `cache:` map that have a grammar of their own.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/http/status.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/readers.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

// A status that may stand in `statuses`.
std::optional<int> read_status(const Cursor& cursor, std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || text.size() != 3 || *number < 100 || *number > 599) {
    cursor.error(fmt::format("{} is not a status (200 to 599)", quote(text)));
    return std::nullopt;
  }
  const int status = static_cast<int>(*number);
  if (http::speaks_of_one_exchange(status)) {
    cursor.error(fmt::format("a {} is never stored", status));
    return std::nullopt;
  }
  return status;
}

void refuse_server_error(const Cursor& cursor, int status) {
  cursor.error(
      fmt::format("a {0} is stored with the app's own freshness only (statuses: "
                  "{{{0}: explicit}})",
                  status));
}

void read_status_list(const Cursor& cursor, std::vector<StatusRule>& statuses) {
  for (const Cursor& item : cursor.items("")) {
    const auto text = item.text("a status such as 404");
    const auto status = text ? read_status(item, *text) : std::nullopt;
    if (!status) continue;
    const bool twice = std::any_of(statuses.begin(), statuses.end(),
                                   [&](const StatusRule& rule) { return rule.status == *status; });
    if (twice) {
      item.error(fmt::format("{} is listed twice", *status));
    } else if (*status >= 500) {
      refuse_server_error(item, *status);
    } else {
      statuses.push_back({*status, std::nullopt, false});
    }
  }
  if (cursor.node().items.empty()) cursor.error("needs at least one status (try [200])");
  const bool has_ok = std::ranges::any_of(statuses, [](const auto& r) { return r.status == 200; });
  if (!statuses.empty() && !has_ok) {
    cursor.warn(
        "a list is the whole list: no 200 is stored (a map such as {404: 10s} adds to 200)");
  }
}

void read_status_map(const Cursor& cursor, std::vector<StatusRule>& statuses) {
  Section section(cursor, "");
  for (const auto& [key, value] : section.all()) {
    const auto status = read_status(section.at_key(key), key);
    if (!status) continue;
    StatusRule rule{*status, std::nullopt, false};
    const auto text = value.text("a duration such as 10s, or explicit");
    if (!text) continue;
    if (*text == "explicit") {
      rule.explicit_only = true;
    } else if (*status >= 500) {
      refuse_server_error(value, *status);
    } else if (const auto seconds = value.seconds()) {
      rule.duration_s = seconds;
    }
    statuses.push_back(rule);
  }
  const bool has_200 = std::any_of(statuses.begin(), statuses.end(),
                                   [](const StatusRule& rule) { return rule.status == 200; });
  if (!has_200) statuses.push_back({});
}

}  // namespace

void read_duration(const Cursor& cursor, Duration& duration) {
  constexpr std::string_view kWords[] = {"default", "app"};
  if (cursor.is_off()) {
    cursor.error("a duration is never off (to store nothing: cache: false)");
    return;
  }
  const auto text = cursor.text("a duration such as 60s, default or app");
  if (!text) return;
  if (*text == "default" || *text == "app") {
    duration = {*text == "app" ? Duration::Kind::App : Duration::Kind::Default, 0};
    return;
  }
  const bool word = !text->empty() && ascii_lower(text->front()) >= 'a';
  const auto near = word ? nearest_name(*text, kWords) : std::nullopt;
  if (near) {
    cursor.error(fmt::format("{} is not a duration (did you mean \"{}\"?)", quote(*text), *near));
  } else if (const auto seconds = cursor.seconds()) {
    duration = {Duration::Kind::Seconds, *seconds};
  }
}

void read_query(const Cursor& cursor, QueryRule& rule) {
  constexpr std::string_view kExpected =
      "true, false, a list such as [page], or a map such as {ignore: [ref]}";
  QueryRule out;
  if (cursor.is_list()) {
    out.only = read_names(cursor, kExpected, check_parameter);
    out.mode = out.only.empty() ? QueryRule::Mode::None : QueryRule::Mode::Only;
  } else if (cursor.is_map()) {
    Section section(cursor, kExpected);
    if (const auto ignore = section.take("ignore")) {
      out.ignore = read_names(*ignore, "a list such as [ref, \"y_*\"]", check_parameter);
    }
    enum class Tracking : std::uint8_t { Drop, Keep };
    auto tracking = Tracking::Drop;
    section.choice("tracking", tracking, {"drop", "keep"});
    out.keep_tracking = tracking == Tracking::Keep;
    section.finish();
  } else {
    const auto all = cursor.boolean(kExpected);
    if (!all) return;
    out.mode = *all ? QueryRule::Mode::All : QueryRule::Mode::None;
  }
  rule = std::move(out);
}

void read_language(const Cursor& cursor, LanguageRule& rule) {
  constexpr std::string_view kExpected = "true, false or a list such as [en, it]";
  LanguageRule out;
  if (cursor.is_list()) {
    out.mode = LanguageRule::Mode::List;
    out.list = read_names(cursor, kExpected, check_language, Case::Ignored);
    for (std::string& language : out.list) language = to_lower(language);
    if (cursor.node().items.empty())
      cursor.error("needs at least one language (try [en], or false)");
  } else if (cursor.is_scalar() && cursor.node().text == "no") {
    cursor.error("\"no\" may be Norwegian: write [no], or false");
  } else {
    const auto client = cursor.boolean(kExpected);
    if (!client) return;
    out.mode = *client ? LanguageRule::Mode::Client : LanguageRule::Mode::None;
  }
  rule = std::move(out);
}

// No name stands in two of the lists of a rule's cookies, for they say different things of it.
void refuse_common(const Cursor& cursor, const std::vector<std::string>& names,
                   std::string_view other_list, const std::vector<std::string>& others,
                   std::string_view either) {
  for (const std::string& name : names) {
    if (std::ranges::find(others, name) == others.end()) continue;
    cursor.error(fmt::format("{} is in {} as well: it either {}", quote(name), other_list, either));
  }
}

void read_cookies(const Cursor& cursor, CookieRule& rule) {
  constexpr std::string_view kExpected =
      "bypass, ignore, a list such as [theme], or a map such as {key: [theme]}";
  constexpr std::string_view kNames[] = {"bypass", "ignore"};
  CookieRule out;
  if (cursor.is_list()) {
    out.key = read_names(cursor, kExpected, check_token);
  } else if (cursor.is_map()) {
    Section section(cursor, kExpected);
    if (const auto key = section.take("key")) {
      out.key = read_names(*key, "a list such as [theme]", check_token);
    }
    if (const auto session = section.take("session")) {
      out.session = read_names(*session, "a list such as [sessionid, \"sid*\"]", check_token);
      refuse_common(*session, out.session, "key", out.key,
                    "names the response or bypasses the cache");
    }
    if (const auto ignore = section.take("ignore")) {
      out.ignore = read_names(*ignore, "a list such as [seen_banner]", check_token);
      refuse_common(*ignore, out.ignore, "key", out.key, "names the response or does not matter");
      refuse_common(*ignore, out.ignore, "session", out.session,
                    "bypasses the cache or does not matter");
    }
    section.choice("other", out.other, {"bypass", "ignore"});
    section.finish();
  } else if (cursor.is_scalar()) {
    const auto index = cursor.choice(kNames, "a list such as [theme]");
    if (!index) return;
    out.other = static_cast<CookieRule::Other>(*index);
  } else {
    cursor.error_expected(kExpected);
  }
  rule = std::move(out);
}

void read_statuses(const Cursor& cursor, std::vector<StatusRule>& statuses) {
  std::vector<StatusRule> out;
  if (cursor.is_list()) {
    read_status_list(cursor, out);
  } else if (cursor.is_map()) {
    read_status_map(cursor, out);
  } else {
    cursor.error_expected("a list such as [200, 404] or a map such as {404: 10s}");
  }
  if (out.empty()) return;
  std::sort(out.begin(), out.end(),
            [](const StatusRule& a, const StatusRule& b) { return a.status < b.status; });
  statuses = std::move(out);
}

void read_set_cookie(const Cursor& cursor, SetCookieRule& rule) {
  SetCookieRule out;
  if (cursor.is_map()) {
    Section section(cursor, "");
    out.mode = SetCookieRule::Mode::StripNames;
    if (const auto strip = section.take("strip")) {
      out.names = read_names(*strip, "a list such as [visit_id]", check_token);
    } else {
      cursor.error("strip is missing (try {strip: [visit_id]})");
    }
    section.finish();
  } else if (cursor.is_scalar()) {
    constexpr std::string_view kNames[] = {"refuse", "strip", "store"};
    constexpr SetCookieRule::Mode kModes[] = {
        SetCookieRule::Mode::Refuse, SetCookieRule::Mode::StripAll, SetCookieRule::Mode::Store};
    const auto index = cursor.choice(kNames);
    if (!index) return;
    out.mode = kModes[*index];
    if (out.mode == SetCookieRule::Mode::Store) {
      cursor.warn("dangerous: a stored Set-Cookie gives one visitor's cookie to all others");
    }
  } else {
    cursor.error_expected("refuse, strip, store or a map such as {strip: [visit_id]}");
  }
  rule = std::move(out);
}

}  // namespace weir::conf

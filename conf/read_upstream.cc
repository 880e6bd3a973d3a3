// `upstream:` and `limits:`.

#include <fmt/format.h>

#include <algorithm>

#include "base/http/h1_parser.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/addresses.h"
#include "conf/readers.h"

namespace weir::conf {
namespace {

// A wait that is not nothing and not for ever.
constexpr Range kTimeout = {1, 86'400'000};

using Listeners = std::vector<ListenAddress>;

void read_url(const Cursor& cursor, const Listeners& own, std::vector<UpstreamUrl>& urls) {
  const auto text = cursor.text("a URL such as http://127.0.0.1:8000");
  if (!text) return;
  Result<UpstreamUrl> url = parse_upstream_url(*text);
  if (!url) {
    cursor.error(url.error().message);
    return;
  }
  const auto self = std::find_if(own.begin(), own.end(), [&](const ListenAddress& address) {
    return leads_to(*url, address);
  });
  if (self != own.end()) {
    cursor.error(
        fmt::format("{} is Weir's own address (it listens on {}): every request would come back to "
                    "it",
                    quote(url->text), self->text));
    return;
  }
  const bool twice = std::any_of(urls.begin(), urls.end(), [&](const UpstreamUrl& other) {
    return other.kind == url->kind && other.host == url->host && other.port == url->port &&
           other.socket_path == url->socket_path;
  });
  if (twice) {
    cursor.error(fmt::format("{} is listed twice", quote(url->text)));
  } else {
    urls.push_back(std::move(*url));
  }
}

void read_host(const Cursor& cursor, Upstream& upstream) {
  constexpr std::string_view kWords[] = {"preserve", "upstream"};
  const auto text = cursor.text("preserve, upstream or a host");
  if (!text) return;
  if (*text == "preserve") {
    upstream.host = Upstream::Host::Preserve;
  } else if (*text == "upstream") {
    upstream.host = Upstream::Host::Upstream;
  } else if (const auto near = nearest_name(*text, kWords)) {
    cursor.error(fmt::format("unknown value {} (did you mean \"{}\"?)", quote(*text), *near));
  } else if (!is_authority(*text)) {
    const std::string_view hint = has_impossible_port(*text)
                                      ? kAppPorts
                                      : "preserve, upstream, or a name such as example.org";
    cursor.error(fmt::format("{} is not a host ({})", quote(*text), hint));
  } else {
    upstream.host = Upstream::Host::Fixed;
    upstream.fixed_host = *text;
  }
}

void read_health(const Cursor& cursor, HealthCheck& health) {
  if (cursor.is_off()) {
    health.path.clear();
    return;
  }
  Section section(cursor, "a map such as {path: /up, interval: 5s}, or off");
  const auto path = section.take("path");
  if (path) {
    const auto text = path->text("a path such as /up");
    const bool plain = text && std::all_of(text->begin(), text->end(),
                                           [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
    if (text && (!text->starts_with('/') || !plain)) {
      path->error(fmt::format("{} is not a path to ask for (try /up)", quote(*text)));
    } else if (text) {
      health.path = *text;
    }
  } else if (cursor.is_map()) {
    cursor.error("path is missing (try {path: /up})");
  }
  section.milliseconds("interval", health.interval_ms, {100, kTimeout.max});
  section.milliseconds("timeout", health.timeout_ms, kTimeout);
  section.finish();
}

void read_urls(Section& section, const Listeners& own, std::vector<UpstreamUrl>& urls) {
  const auto url = section.take("url");
  const auto list = section.take("urls");
  if (url && list) {
    section.at_key("urls").error("give url or urls, not both");
  } else if (list && list->is_list() && list->node().items.empty()) {
    list->error("needs at least one URL");
  }
  if (url) read_url(*url, own, urls);
  if (!list) return;
  for (const Cursor& item : list->items("a list such as [http://app1:8000, http://app2:8000]")) {
    read_url(item, own, urls);
  }
}

void read_upstream_map(const Cursor& cursor, const Listeners& own, Upstream& upstream) {
  Section section(cursor, "a URL such as http://127.0.0.1:8000, or a map");
  read_urls(section, own, upstream.urls);
  if (const auto host = section.take("host")) read_host(*host, upstream);
  section.milliseconds("connect_timeout", upstream.connect_timeout_ms, kTimeout);
  section.milliseconds("first_byte_timeout", upstream.first_byte_timeout_ms, kTimeout);
  section.milliseconds("idle_timeout", upstream.idle_timeout_ms, kTimeout);
  section.integer("max_connections", upstream.max_connections, {1, 65'535});
  section.integer("retries", upstream.retries, {0, 10});
  if (const auto health = section.take("health")) read_health(*health, upstream.health);
  section.boolean("verify_tls", upstream.verify_tls);
  section.mistaken_for("first_byte_timeout", {"timeout", "read_timeout", "proxy_read_timeout"});
  constexpr std::string_view kOfUrl[] = {"tls", "ssl", "scheme", "port"};
  section.elsewhere("in the url: https://…", kOfUrl);
  section.finish();
}

// A bound of bytes that `off` or 0 lifts.
void read_bound(Section& section, std::string_view key, std::uint64_t& target) {
  const auto cursor = section.take(key);
  if (!cursor) return;
  if (cursor->is_off()) {
    target = 0;
  } else if (const auto bytes = cursor->size()) {
    target = *bytes;
  }
}

}  // namespace

void read_upstream(Reading& reading, Section& top, const Outside& outside, Config& config) {
  Upstream& upstream = config.upstream;
  const auto cursor = top.take("upstream");
  // The file's URL is read for its faults where another wins, but then it may be any.
  const Listeners own = outside.overrides.upstream ? Listeners() : config.listen;
  const bool given = cursor && !cursor->is_null();
  if (given && cursor->is_scalar()) {
    read_url(*cursor, own, upstream.urls);
  } else if (given) {
    read_upstream_map(*cursor, own, upstream);
  }
  if (outside.overrides.upstream) {
    upstream.urls.clear();
    read_url(override_cursor(reading, outside, "--upstream", "WEIR_UPSTREAM",
                             *outside.overrides.upstream),
             config.listen, upstream.urls);
    return;
  }
  const bool named = given && (!cursor->is_map() || Section(*cursor, "").take("url") ||
                               Section(*cursor, "").take("urls"));
  if (named) return;  // if there is no URL now, it has been complained of
  if (!outside.overrides.needs_upstream) {
    constexpr std::string_view kNobody = "http://app.invalid";  // RFC 2606: never anybody's name
    if (const auto url = parse_upstream_url(kNobody)) upstream.urls = {*url};
    return;
  }
  constexpr const char* kMissing =
      "missing: where is the app? (upstream: http://127.0.0.1:8000, --upstream URL or "
      "WEIR_UPSTREAM)";
  if (given) {
    cursor->error(fmt::format("url is {}", kMissing));
  } else {
    reading.add_file_problem("upstream", kMissing);
  }
}

void read_limits(Section& top, const Outside& outside, Limits& limits) {
  if (outside.resources.memory_limit) {
    limits.fill_memory =
        std::min(limits.fill_memory, std::max(kMiB, *outside.resources.memory_limit / 4));
  }
  const auto cursor = top.take("limits");
  if (!cursor || cursor->is_null()) return;
  Section section(*cursor, "a map such as {headers: 32KiB}");
  section.size("request_line", limits.request_line, {256, kMiB});
  section.size("headers", limits.headers, {kKiB, kMiB});
  section.integer("header_count", limits.header_count, {1, 10'000});
  section.size("response_headers", limits.response_headers, {kKiB, http::kMaxResponseHeadBytes});
  section.milliseconds("header_timeout", limits.header_timeout_ms, kTimeout);
  section.milliseconds("keepalive_timeout", limits.keepalive_timeout_ms, kTimeout);
  section.milliseconds("body_timeout", limits.body_timeout_ms, kTimeout);
  read_bound(section, "min_body_rate", limits.min_body_rate);
  read_bound(section, "max_body", limits.max_body);
  section.milliseconds("send_timeout", limits.send_timeout_ms, kTimeout);
  section.integer("connections", limits.connections, {1, 1'000'000});
  section.size("fill_memory", limits.fill_memory, {kMiB, 1024 * kGiB});
  section.milliseconds("coalesce_wait", limits.coalesce_wait_ms, kTimeout);
  section.finish();
}

}  // namespace weir::conf

#include "proxy/admin/config_json.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "conf/units.h"

namespace weir::admin {
namespace {

constexpr std::string_view kMasked = "***";

std::string seconds(std::int64_t s) {
  return conf::format_duration(s * 1000);
}

std::string range_text(const conf::Cidr& range) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(range.ipv6 ? AF_INET6 : AF_INET, range.address, text.data(), text.size());
  return fmt::format("{}/{}", text.data(), range.prefix_bits);
}

Json ranges_json(const std::vector<conf::Cidr>& ranges) {
  Json out = Json::array();
  for (const conf::Cidr& range : ranges) out.push_back(range_text(range));
  return out;
}

Json trusted_fields_json(const conf::TrustedFields& fields) {
  Json out = Json::array();
  for (std::size_t i = 0; i < std::size(conf::kTrustedFieldNames); ++i) {
    if (fields.has(static_cast<conf::TrustedField>(i))) out.push_back(conf::kTrustedFieldNames[i]);
  }
  return out;
}

Json upstream_json(const conf::Upstream& upstream) {
  Json out;
  out["urls"] = Json::array();
  for (const conf::UpstreamUrl& url : upstream.urls) out["urls"].push_back(url.text);
  constexpr std::array<std::string_view, 2> kHosts = {"preserve", "upstream"};
  out["host"] = upstream.host == conf::Upstream::Host::Fixed
                    ? Json(upstream.fixed_host)
                    : Json(kHosts[static_cast<std::size_t>(upstream.host)]);
  out["connect_timeout"] = conf::format_duration(upstream.connect_timeout_ms);
  out["first_byte_timeout"] = conf::format_duration(upstream.first_byte_timeout_ms);
  out["idle_timeout"] = conf::format_duration(upstream.idle_timeout_ms);
  out["max_connections"] = upstream.max_connections;
  out["retries"] = upstream.retries;
  if (!upstream.health.path.empty()) {
    out["health"] = {{"path", upstream.health.path},
                     {"interval", conf::format_duration(upstream.health.interval_ms)},
                     {"timeout", conf::format_duration(upstream.health.timeout_ms)}};
  }
  out["verify_tls"] = upstream.verify_tls;
  return out;
}

Json texts_of(const std::vector<conf::Backend::Server>& servers) {
  Json out = Json::array();
  for (const conf::Backend::Server& server : servers) {
    const bool is_ipv6 = server.host.find(':') != std::string::npos;
    out.push_back(
        fmt::format(fmt::runtime(is_ipv6 ? "[{}]:{}" : "{}:{}"), server.host, server.port));
  }
  return out;
}

Json redis_json(const conf::Backend& backend, Json out) {
  if (!backend.nodes.empty()) {
    out["cluster"] = true;
    out["nodes"] = texts_of(backend.nodes);
  } else if (!backend.sentinels.empty()) {
    out["sentinels"] = texts_of(backend.sentinels);
    out["master"] = backend.master;
  } else if (backend.unix_path.empty()) {
    out["host"] = backend.host;
    out["port"] = backend.port;
  } else {
    out["unix"] = backend.unix_path;
  }
  out["db"] = backend.db;
  if (backend.tls.is_on) {
    out["tls"] = Json::object();
    for (const auto& [name, text] : {std::pair("ca", &backend.tls.ca),
                                     {"cert", &backend.tls.cert},
                                     {"key", &backend.tls.key},
                                     {"name", &backend.tls.name}}) {
      if (!text->empty()) out["tls"][name] = *text;
    }
  }
  out["fleet"] = {{"partition", backend.drops_when_cut_off ? "drop" : "serve"}};
  if (!backend.username.empty()) out["username"] = backend.username;
  if (!backend.password.empty()) out["password"] = kMasked;
  out["timeout"] = conf::format_duration(backend.timeout_ms);
  out["keep"] = seconds(backend.keep_s);
  out["default_expire"] = seconds(backend.default_expire_s);
  out["max_object_size"] = conf::format_size(backend.max_object_size);
  return out;
}

Json backend_json(const conf::Backend& backend) {
  Json out;
  out["type"] = conf::name_of(backend.type);
  out["prefix"] = backend.prefix;
  if (conf::is_redis(backend)) return redis_json(backend, std::move(out));
  out["threshold"] = backend.threshold;
  out["max_size"] = conf::format_size(backend.max_size);
  out["default_expire"] = seconds(backend.default_expire_s);
  out["max_object_size"] = conf::format_size(backend.max_object_size);
  if (!conf::is_disk(backend)) return out;
  out["cache_dir"] = backend.cache_dir;
  out["min_free"] = backend.min_free_bytes != 0 ? conf::format_size(backend.min_free_bytes)
                                                : fmt::format("{}%", backend.min_free_percent);
  return out;
}

// ---- a route ----

Json duration_json(const conf::Duration& duration) {
  switch (duration.kind) {
    case conf::Duration::Kind::Default:
      return "default";
    case conf::Duration::Kind::Seconds:
      return seconds(duration.seconds);
    case conf::Duration::Kind::App:
      break;
  }
  return "app";
}

Json query_json(const conf::QueryRule& rule) {
  if (rule.mode == conf::QueryRule::Mode::None) return false;
  if (rule.mode == conf::QueryRule::Mode::Only) return rule.only;
  if (rule.ignore.empty() && !rule.keep_tracking) return true;
  Json out = {{"ignore", rule.ignore}};
  if (rule.keep_tracking) out["tracking"] = "keep";
  return out;
}

Json language_json(const conf::LanguageRule& rule) {
  if (rule.mode == conf::LanguageRule::Mode::List) return rule.list;
  return rule.mode == conf::LanguageRule::Mode::Client;
}

Json cookies_json(const conf::CookieRule& rule) {
  return {{"key", rule.key},
          {"session", rule.session},
          {"ignore", rule.ignore},
          {"other", rule.other == conf::CookieRule::Other::Ignore ? "ignore" : "bypass"}};
}

Json statuses_json(const std::vector<conf::StatusRule>& statuses) {
  Json out = Json::object();
  for (const conf::StatusRule& status : statuses) {
    Json& value = out[std::to_string(status.status)];
    if (status.explicit_only) {
      value = "explicit";
    } else {
      value = status.duration_s ? seconds(*status.duration_s) : "duration";
    }
  }
  return out;
}

Json set_cookie_json(const conf::SetCookieRule& rule) {
  switch (rule.mode) {
    case conf::SetCookieRule::Mode::Refuse:
      return "refuse";
    case conf::SetCookieRule::Mode::StripAll:
      return "strip";
    case conf::SetCookieRule::Mode::StripNames:
      return {{"strip", rule.names}};
    case conf::SetCookieRule::Mode::Store:
      break;
  }
  return "store";
}

Json rule_json(const conf::CacheRule& rule) {
  constexpr std::array<std::string_view, 3> kCoalesce = {"instance", "fleet", "off"};
  Json out;
  out["duration"] = duration_json(rule.duration);
  out["query_params"] = query_json(rule.query_params);
  out["language"] = language_json(rule.language);
  out["hostname"] = rule.hostname;
  out["headers"] = rule.headers;
  out["cookies"] = cookies_json(rule.cookies);
  out["backend"] = rule.tiers;
  out["origin"] = conf::name_of(rule.origin);
  out["statuses"] = statuses_json(rule.statuses);
  out["set_cookie"] = set_cookie_json(rule.set_cookie);
  out["tags"] = rule.tags;
  out["stale_while_revalidate"] = seconds(rule.stale_while_revalidate_s);
  out["stale_if_error"] = seconds(rule.stale_if_error_s);
  out["stale_after"] =
      rule.stale_after_ms ? Json(conf::format_duration(*rule.stale_after_ms)) : Json("off");
  out["client_no_cache"] = rule.honor_client_no_cache ? "honor" : "ignore";
  out["credentials"] = rule.credentials;
  out["sealed"] = rule.sealed;
  out["armor"] = rule.armor;
  out["max_variants"] = rule.max_variants;
  out["coalesce"] = kCoalesce[static_cast<std::size_t>(rule.coalesce)];
  return out;
}

Json matcher_json(const conf::Matcher& matcher) {
  Json out = Json::object();
  if (!matcher.path.empty()) out["path"] = matcher.path;
  if (!matcher.regex.empty()) out["regex"] = matcher.regex;
  if (!matcher.host.empty()) out["host"] = matcher.host;
  if (!matcher.methods.empty()) out["method"] = matcher.methods;
  return out;
}

// `match`: for each module around it and for itself, the alternatives of which one has to match.
Json route_json(const conf::Route& route) {
  Json out;
  out["name"] = route.name;
  if (route.source.line != 0) {
    out["source"] = fmt::format("{}:{}", route.source.file, route.source.line);
  }
  out["match"] = Json::array();
  for (const std::vector<conf::Matcher>& group : route.all_of) {
    Json alternatives = Json::array();
    for (const conf::Matcher& matcher : group) alternatives.push_back(matcher_json(matcher));
    out["match"].push_back(std::move(alternatives));
  }
  out["cache"] = route.cache ? rule_json(*route.cache) : Json(false);
  return out;
}

Json limits_json(const conf::Limits& limits) {
  const auto bound = [](std::uint64_t bytes) {
    return bytes == 0 ? Json("off") : Json(conf::format_size(bytes));
  };
  Json out;
  out["request_line"] = conf::format_size(limits.request_line);
  out["headers"] = conf::format_size(limits.headers);
  out["header_count"] = limits.header_count;
  out["response_headers"] = conf::format_size(limits.response_headers);
  out["header_timeout"] = conf::format_duration(limits.header_timeout_ms);
  out["keepalive_timeout"] = conf::format_duration(limits.keepalive_timeout_ms);
  out["body_timeout"] = conf::format_duration(limits.body_timeout_ms);
  out["min_body_rate"] = bound(limits.min_body_rate);
  out["max_body"] = bound(limits.max_body);
  out["send_timeout"] = conf::format_duration(limits.send_timeout_ms);
  out["connections"] = limits.connections;
  out["fill_memory"] = conf::format_size(limits.fill_memory);
  out["coalesce_wait"] = conf::format_duration(limits.coalesce_wait_ms);
  return out;
}

Json access_log_json(const conf::AccessLog& log) {
  if (log.to.empty()) return "off";
  const bool json = log.format == conf::AccessLog::Format::Json;
  return {{"format", json ? "json" : "combined"}, {"to", log.to}};
}

}  // namespace

Json config_json(const conf::Config& config) {
  Json out;
  out["listen"] = Json::array();
  for (const conf::ListenAddress& address : config.listen) out["listen"].push_back(address.text);
  out["admin"] = config.admin ? Json(config.admin->text) : Json("off");
  out["admin_hosts"] = config.admin_hosts;
  out["upstream"] = upstream_json(config.upstream);
  out["workers"] = config.workers;
  out["trusted_proxies"] = ranges_json(config.trusted_proxies);
  out["trusted_fields"] = trusted_fields_json(config.trusted_fields);
  out["purge_allow"] = ranges_json(config.purge_allow);
  out["access_log"] = access_log_json(config.access_log);
  out["drain_delay"] = conf::format_duration(config.drain_delay_ms);
  out["drain_timeout"] = conf::format_duration(config.drain_timeout_ms);
  out["backends"] = Json::object();
  for (const conf::Backend& backend : config.backends) {
    out["backends"][backend.name] = backend_json(backend);
  }
  out["default"] = config.default_tiers;
  out["routes"] = Json::array();
  for (const conf::Route& route : config.routes) out["routes"].push_back(route_json(route));
  out["limits"] = limits_json(config.limits);
  out["admin_token"] = config.admin_token.empty() ? Json() : Json(kMasked);
  return out;
}

}  // namespace weir::admin

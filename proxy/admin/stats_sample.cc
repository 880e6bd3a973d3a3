#include "proxy/admin/stats_sample.h"

#include "proxy/admin/json.h"

namespace weir::admin {
namespace {

const Json& member(const Json& json, const char* name) {
  static const Json kNothing = nullptr;
  if (!json.is_object()) return kNothing;
  const auto found = json.find(name);
  return found == json.end() ? kNothing : *found;
}

double number(const Json& json, const char* name) {
  const Json& value = member(json, name);
  return value.is_number() ? value.get<double>() : 0;
}

std::string text(const Json& json, const char* name) {
  const Json& value = member(json, name);
  return value.is_string() ? value.get<std::string>() : "";
}

template <class Item, class Read>
std::vector<Item> list(const Json& json, const char* name, const Read& read) {
  std::vector<Item> out;
  const Json& items = member(json, name);
  if (!items.is_array()) return out;
  for (const Json& item : items) out.push_back(read(item));
  return out;
}

Sample::Counts read_counts(const Json& json) {
  return {.name = text(json, "name"),
          .requests = number(json, "requests"),
          .hits = number(json, "hits"),
          .stale = number(json, "stale"),
          .misses = number(json, "misses"),
          .bypasses = number(json, "bypasses"),
          .errors_5xx = number(json, "errors_5xx"),
          .bytes_sent = number(json, "bytes_sent"),
          .bytes_from_cache = number(json, "bytes_from_cache"),
          .coalesced = number(json, "coalesced")};
}

Sample::Backend read_backend(const Json& json) {
  return {.name = text(json, "name"),
          .type = text(json, "type"),
          .objects = number(json, "objects"),
          .bytes = number(json, "bytes"),
          .max_bytes = number(json, "max_bytes"),
          .hits = number(json, "hits"),
          .misses = number(json, "misses"),
          .stores = number(json, "stores"),
          .evictions = number(json, "evictions"),
          .errors = number(json, "errors"),
          .dropped = number(json, "dropped"),
          .breaker_open = text(json, "breaker") == "open"};
}

Sample::Reason read_reason(const Json& json) {
  return {.route = text(json, "route"),
          .detail = text(json, "detail"),
          .subject = text(json, "subject"),
          .count = number(json, "count"),
          .yaml = text(json, "yaml"),
          .advice = text(json, "advice")};
}

Sample::Key read_key(const Json& json) {
  return {.url = text(json, "url"), .count = number(json, "count")};
}

// Another version may have other classes: of these nothing can be said.
metrics::Durations read_durations(const Json& json, const char* name) {
  metrics::Durations out;
  const Json& counts = member(member(json, name), "counts");
  if (!counts.is_array() || counts.size() != out.classes.size()) return out;
  for (std::size_t i = 0; i < out.classes.size(); ++i) {
    if (counts[i].is_number_unsigned()) out.classes[i] = counts[i].get<std::uint64_t>();
  }
  return out;
}

}  // namespace

std::optional<Sample> read_sample(std::string_view json) {
  const Json stats = Json::parse(json, nullptr, false);
  if (!member(stats, "totals").is_object()) return std::nullopt;
  const Json& latency = member(stats, "latency_ms");
  const Json& connections = member(stats, "connections");
  const Json& app = member(connections, "app");
  return Sample{.version = text(stats, "version"),
                .uptime_s = number(stats, "uptime_s"),
                .totals = read_counts(member(stats, "totals")),
                .routes = list<Sample::Counts>(stats, "routes", read_counts),
                .backends = list<Sample::Backend>(stats, "backends", read_backend),
                .hit = read_durations(latency, "hit"),
                .miss = read_durations(latency, "miss"),
                .upstream = read_durations(latency, "upstream"),
                .flights = number(stats, "flights"),
                .clients = number(connections, "clients"),
                .app_in_use = number(app, "in_use"),
                .app_most = number(app, "most"),
                .app_waiting = number(app, "waiting"),
                .reasons = list<Sample::Reason>(stats, "reasons", read_reason),
                .keys = list<Sample::Key>(stats, "keys", read_key)};
}

}  // namespace weir::admin

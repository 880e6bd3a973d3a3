#include "proxy/config_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "conf/same.h"

namespace weir {
namespace {

using conf::Backend;
using conf::ListenAddress;

bool is_same_address(const ListenAddress& a, const ListenAddress& b) {
  return a.kind == b.kind && a.host == b.host && a.port == b.port;
}

const Backend* backend_named(const conf::Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.backends, name, &Backend::name);
  return found == config.backends.end() ? nullptr : &*found;
}

const Backend* first_disk(const conf::Config& config) {
  const auto found = std::ranges::find_if(config.backends, conf::is_disk);
  return found == config.backends.end() ? nullptr : &*found;
}

// What both say may differ in nothing but sizes and times.
bool is_same_place(const Backend& a, const Backend& b) {
  if (a.type == Backend::Type::Redis) return conf::same(a, b);
  return a.name == b.name && a.type == b.type && a.prefix == b.prefix && a.cache_dir == b.cache_dir;
}

BackendChange change_of_backend(const conf::Config& now, const Backend& next) {
  const Backend* const old = backend_named(now, next.name);
  if (!old || !is_same_place(*old, next)) return BackendChange::Opened;
  return conf::same(*old, next) ? BackendChange::Kept : BackendChange::Resized;
}

// A folder is locked by the backend that has it, for as long as that is in use.
void refuse_taken_folder(const conf::Config& now, const Backend& next, ConfigChange& out) {
  for (const Backend& old : now.backends) {
    if (!conf::is_disk(old) || old.cache_dir != next.cache_dir) continue;
    out.refused.push_back(
        old.name == next.name
            ? fmt::format("backends.{}: its prefix cannot change while it is in use: restart for "
                          "that",
                          next.name)
            : fmt::format("backends.{}: its cache_dir {} is that of {} now, and cannot change "
                          "hands while that is in use: restart for that",
                          next.name, next.cache_dir, old.name));
  }
}

// The purge book's marks lie with the first disk, and must not be in two places.
void refuse_other_first_disk(const conf::Config& now, const conf::Config& next, ConfigChange& out) {
  const Backend* const old = first_disk(now);
  const Backend* const first = first_disk(next);
  if (!old || !first || is_same_place(*old, *first)) return;
  out.refused.push_back(
      fmt::format("backends: what was purged is written down with the first disk, which is {} ({}) "
                  "now and would be {} ({}): restart for that",
                  old->name, old->cache_dir, first->name, first->cache_dir));
}

void compare_backends(const conf::Config& now, const conf::Config& next, ConfigChange& out) {
  for (const Backend& backend : next.backends) {
    out.backends.push_back(change_of_backend(now, backend));
    if (conf::is_disk(backend) && out.backends.back() == BackendChange::Opened) {
      refuse_taken_folder(now, backend, out);
    }
  }
  for (std::size_t i = 0; i < now.backends.size(); ++i) {
    const Backend* const heir = backend_named(next, now.backends[i].name);
    if (!heir || !is_same_place(now.backends[i], *heir)) out.closed.push_back(i);
  }
  refuse_other_first_disk(now, next, out);
}

// One may stand in a list twice, with port 0: each is matched once.
void compare_listen(const conf::Config& now, const conf::Config& next, ConfigChange& out) {
  std::vector<bool> used(now.listen.size());
  for (const ListenAddress& address : next.listen) {
    std::optional<std::size_t> same;
    for (std::size_t i = 0; i < now.listen.size() && !same; ++i) {
      if (!used[i] && is_same_address(now.listen[i], address)) same = i;
    }
    if (same) used[*same] = true;
    out.listen.push_back(same);
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) out.closed_listen.push_back(i);
  }
}

void compare_admin(const conf::Config& now, const conf::Config& next, ConfigChange& out) {
  out.same_admin = now.admin.has_value() == next.admin.has_value() &&
                   (!now.admin || is_same_address(*now.admin, *next.admin));
}

bool is_wildcard(const ListenAddress& address) {
  return address.host == "0.0.0.0" || address.host == "::";
}

// Whether both cannot be open at a time. IPv6 addresses take no IPv4.
bool overlap(const ListenAddress& a, const ListenAddress& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == ListenAddress::Kind::Unix) return a.host == b.host;
  if (a.port != b.port || a.port == 0 || a.host.contains(':') != b.host.contains(':')) return false;
  return a.host == b.host || is_wildcard(a) || is_wildcard(b);
}

// What is to be opened must not be in the way of what is open, and closed only afterwards.
void refuse_overlaps(const conf::Config& now, const conf::Config& next, ConfigChange& out) {
  const auto look_at = [&](const char* key, const ListenAddress& address) {
    std::vector<ListenAddress> open = now.listen;
    if (now.admin) open.push_back(*now.admin);
    const auto other =
        std::ranges::find_if(open, [&](const auto& there) { return overlap(there, address); });
    if (other == open.end()) return;
    out.refused.push_back(
        fmt::format("{}: {} cannot be opened while {} is open, which a reload closes last: reload "
                    "without both, then with the new one, or restart",
                    key, address.text, other->text));
  };
  for (std::size_t i = 0; i < next.listen.size(); ++i) {
    if (!out.listen[i]) look_at("listen", next.listen[i]);
  }
  if (next.admin && !out.same_admin) look_at("admin", *next.admin);
}

}  // namespace

ConfigChange change_of(const conf::Config& now, const conf::Config& next) {
  ConfigChange out;
  compare_backends(now, next, out);
  compare_listen(now, next, out);
  compare_admin(now, next, out);
  refuse_overlaps(now, next, out);
  out.same_upstream = conf::same(now.upstream, next.upstream) &&
                      now.limits.response_headers == next.limits.response_headers;
  out.same_log_file = now.access_log.to == next.access_log.to;
  out.same_trusted_fields = now.trusted_fields == next.trusted_fields;
  if (now.workers != next.workers) {
    out.kept.push_back(fmt::format("workers: there are {}, and {} are wanted: restart for that",
                                   now.workers, next.workers));
  }
  return out;
}

conf::Config in_force(const conf::Config& now, conf::Config next) {
  next.workers = now.workers;
  return next;
}

}  // namespace weir

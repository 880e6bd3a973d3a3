#include "conf/same.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace weir::conf {
namespace {

// Each names all fields of its struct: one that is added does not compile until it stands here.

auto fields_of(const Backend& backend) {
  const auto& [name, type, prefix, threshold, max_size, default_expire_s, max_object_size,
               cache_dir, min_free_bytes, min_free_percent, host, port, unix_path, username,
               password, db, nodes, sentinels, master, tls, drops_when_cut_off, timeout_ms,
               keep_s] = backend;
  return std::tie(name, type, prefix, threshold, max_size, default_expire_s, max_object_size,
                  cache_dir, min_free_bytes, min_free_percent, host, port, unix_path, username,
                  password, db, nodes, sentinels, master, tls, drops_when_cut_off, timeout_ms,
                  keep_s);
}

auto fields_of(const Cidr& range) {
  const auto& [ipv6, address, prefix_bits] = range;
  return std::make_tuple(ipv6, std::to_array(address), prefix_bits);
}

auto fields_of(const UpstreamUrl& url) {
  const auto& [kind, host, port, socket_path, text] = url;
  return std::tie(kind, host, port, socket_path, text);
}

auto fields_of(const HealthCheck& check) {
  const auto& [path, interval_ms, timeout_ms] = check;
  return std::tie(path, interval_ms, timeout_ms);
}

// But for its addresses.
auto fields_of(const Upstream& app) {
  const auto& [urls, host, fixed_host, connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms,
               max_connections, retries, health, verify_tls] = app;
  return std::tuple_cat(std::tie(host, fixed_host, connect_timeout_ms, first_byte_timeout_ms,
                                 idle_timeout_ms, max_connections, retries, verify_tls),
                        fields_of(health));
}

template <class T>
bool same_lists(const std::vector<T>& a, const std::vector<T>& b) {
  return std::ranges::equal(
      a, b, [](const T& one, const T& other) { return fields_of(one) == fields_of(other); });
}

}  // namespace

bool same(const Backend& a, const Backend& b) {
  return fields_of(a) == fields_of(b);
}

bool same(const Upstream& a, const Upstream& b) {
  return same_lists(a.urls, b.urls) && fields_of(a) == fields_of(b);
}

bool same(const std::vector<Cidr>& a, const std::vector<Cidr>& b) {
  return same_lists(a, b);
}

}  // namespace weir::conf

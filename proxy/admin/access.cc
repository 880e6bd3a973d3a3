#include "proxy/admin/access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/http/authority.h"
#include "base/net/address.h"
#include "base/text.h"

namespace weir::admin {
namespace {

bool is_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return SocketAddress::tcp(std::string(host), 0).has_value();
}

// The comparison takes as long whatever the bytes are; that the lengths differ may be seen.
bool is_same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::vector<std::string> hosts_of(const conf::Config& config) {
  std::vector<std::string> hosts = {"localhost"};
  for (const std::string& host : config.admin_hosts) hosts.push_back(to_lower(host));
  return hosts;
}

// A page of another site asks, or of another port of this host. Programs that are no browser send
// neither field.
bool is_cross_site(const http::RequestHead& head) {
  const http::FieldView* const site = head.find("Sec-Fetch-Site");
  if (site && site->value != "same-origin" && site->value != "none") return true;
  const http::FieldView* const origin = head.find("Origin");
  if (!origin) return false;
  const std::size_t scheme = origin->value.find("://");
  if (scheme == std::string_view::npos) return true;  // "null" as well
  return !equals_ignore_case(origin->value.substr(scheme + 3), head.authority);
}

}  // namespace

Access::Access(const conf::Config& config)
    : any_host_(config.admin && config.admin->kind == conf::ListenAddress::Kind::Unix),
      hosts_(hosts_of(config)),
      token_(config.admin_token) {}

bool Access::knows_host(std::string_view authority) const {
  const std::string_view host = http::without_port(authority);
  if (any_host_ || host.empty() || is_address(host)) return true;
  return std::ranges::any_of(
      hosts_, [&](const std::string& known) { return equals_ignore_case(known, host); });
}

bool Access::has_token(const http::RequestHead& head) const {
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view given = head.value(http::FieldId::Authorization);
  return equals_ignore_case(given.substr(0, kBearer.size()), kBearer) &&
         is_same_secret(given.substr(kBearer.size()), token_);
}

std::optional<Reply> Access::refusal(const http::RequestHead& head, bool is_open,
                                     bool changes) const {
  if (!knows_host(head.authority)) {
    return error_reply(421, "host",
                       fmt::format("{} is not a name of the admin address (admin_hosts lists "
                                   "further ones)",
                                   http::without_port(head.authority)));
  }
  if (changes && is_cross_site(head)) {
    return error_reply(403, "origin", "pages of other sites may not change anything here");
  }
  if (is_open || token_.empty() || has_token(head)) return std::nullopt;
  return error_reply(401, "authorization", "needs the admin_token, as \"Bearer TOKEN\"");
}

}  // namespace weir::admin

#include "proxy/admin/purge_right.h"

#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/forwarded.h"
#include "base/net/address.h"
#include "base/text.h"
#include "proxy/front/peer_trust.h"

namespace weir::admin {
namespace {

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711".
Result<SocketAddress> address_of(std::string_view text) {
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') - 1);
  } else if (text.find(':') == text.rfind(':')) {
    text = text.substr(0, text.find(':'));
  }
  return SocketAddress::tcp(std::string(text), 0);
}

bool is_in(const std::vector<conf::Cidr>& ranges, const SocketAddress& address) {
  return std::ranges::any_of(
      ranges, [&](const conf::Cidr& range) { return front::cidr_contains(range, address.get()); });
}

// Whom the proxies name, the nearest last. Empty: nobody. Nothing: that is not to be believed.
std::optional<std::vector<std::string>> named_visitors(const front::Exchange& exchange) {
  const http::RequestHead& head = exchange.request();
  const conf::TrustedFields believed = exchange.believed();
  const bool by_for = head.has(http::FieldId::XForwardedFor);
  const http::FieldId id = by_for ? http::FieldId::XForwardedFor : http::FieldId::Forwarded;
  std::vector<std::string> out;
  if (!head.has(id)) return out;
  if (!believed.has(by_for ? conf::TrustedField::For : conf::TrustedField::Forwarded)) {
    return std::nullopt;
  }
  const std::string lines = http::joined_lines(head, id);
  for_each_list_element(lines, [&](std::string_view element) {
    out.emplace_back(by_for ? element : http::forwarded_parameter(element, "for"));
  });
  return out;
}

}  // namespace

bool may_purge(const front::Exchange& exchange, const conf::Config& config) {
  // A Unix socket's peer is on this machine, and counts as its loopback address.
  const std::string peer = exchange.peer_ip();
  Result<SocketAddress> asks = address_of(peer == "unix" ? "127.0.0.1" : peer);
  if (exchange.peer_trusted()) {
    const auto visitors = named_visitors(exchange);
    if (!visitors) return false;
    for (const std::string& visitor : std::views::reverse(*visitors)) {
      if (!asks || !is_in(config.trusted_proxies, *asks)) break;
      asks = address_of(visitor);
    }
  }
  return asks && is_in(config.purge_allow, *asks);
}

}  // namespace weir::admin

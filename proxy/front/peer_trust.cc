#include "proxy/front/peer_trust.h"

#include <netinet/in.h>

#include <cstring>

namespace weir::front {
namespace {

bool prefix_equal(const std::uint8_t* a, const std::uint8_t* b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (std::memcmp(a, b, whole) != 0) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

bool cidr_contains(const conf::Cidr& range, const sockaddr* peer) {
  if (peer->sa_family == AF_UNIX) {
    const std::uint8_t loopback[4] = {127, 0, 0, 1};
    return !range.ipv6 && prefix_equal(range.address, loopback, range.prefix_bits);
  }
  if (peer->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(peer);
    return !range.ipv6 &&
           prefix_equal(range.address, reinterpret_cast<const std::uint8_t*>(&v4->sin_addr),
                        range.prefix_bits);
  }
  if (peer->sa_family != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(peer)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    return !range.ipv6 && prefix_equal(range.address, &v6.s6_addr[12], range.prefix_bits);
  }
  return range.ipv6 && prefix_equal(range.address, v6.s6_addr, range.prefix_bits);
}

}  // namespace weir::front

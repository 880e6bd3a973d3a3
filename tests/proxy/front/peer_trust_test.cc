#include "proxy/front/peer_trust.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/net/address.h"

namespace weir::front {
namespace {

conf::Cidr cidr(const std::string& address, std::uint8_t bits) {
  const SocketAddress parsed = *SocketAddress::tcp(address, 0);
  conf::Cidr out;
  out.ipv6 = parsed.family() == AF_INET6;
  out.prefix_bits = bits;
  const auto* raw = reinterpret_cast<const unsigned char*>(parsed.get());
  std::memcpy(out.address, raw + (out.ipv6 ? 8 : 4), out.ipv6 ? 16 : 4);
  return out;
}

struct Case {
  const char* range;
  std::uint8_t bits;
  const char* peer;
  bool inside;
};

TEST(PeerTrust, ComparesPrefixesBitByBit) {
  const Case cases[] = {
      {"10.0.0.0", 8, "10.255.1.2", true},
      {"10.0.0.0", 8, "11.0.0.0", false},
      {"192.168.4.0", 22, "192.168.7.255", true},
      {"192.168.4.0", 22, "192.168.8.0", false},
      {"127.0.0.1", 32, "127.0.0.1", true},
      {"127.0.0.1", 32, "127.0.0.2", false},
      {"0.0.0.0", 0, "203.0.113.9", true},
      {"0.0.0.0", 0, "2001:db8::1", false},
      {"fc00::", 7, "fd12::1", true},
      {"fc00::", 7, "fe80::1", false},
      {"10.0.0.0", 8, "::ffff:10.1.2.3", true},
      {"::", 0, "::ffff:10.1.2.3", false},
  };
  for (const Case& c : cases) {
    const SocketAddress peer = *SocketAddress::tcp(c.peer, 1);
    EXPECT_EQ(cidr_contains(cidr(c.range, c.bits), peer.get()), c.inside)
        << c.range << "/" << int{c.bits} << " " << c.peer;
  }
}

TEST(PeerTrust, TakesAUnixSocketsPeerForLoopback) {
  const SocketAddress peer = *SocketAddress::unix_path("/run/x");
  EXPECT_TRUE(cidr_contains(cidr("127.0.0.0", 8), peer.get()));
  EXPECT_FALSE(cidr_contains(cidr("10.0.0.0", 8), peer.get()));
}

}  // namespace
}  // namespace weir::front

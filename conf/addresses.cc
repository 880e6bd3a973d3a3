#include "conf/addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/log.h"
#include "base/text.h"

namespace weir::conf {
namespace {

// The longest path that fits into a socket address, with its terminating zero.
constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un{}.sun_path) - 1;

struct Ip {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> bytes = {};
  std::size_t size() const { return ipv6 ? 16 : 4; }
};

std::optional<Ip> parse_ip(std::string_view text) {
  const std::string copy(text);
  Ip ip;
  if (inet_pton(AF_INET, copy.c_str(), ip.bytes.data()) == 1) return ip;
  ip.ipv6 = true;
  if (inet_pton(AF_INET6, copy.c_str(), ip.bytes.data()) == 1) return ip;
  return std::nullopt;
}

// Where a connection to this host leads without a name being looked up: an IPv4 address may have
// fewer parts than four, or be mapped into an IPv6 address.
std::optional<Ip> ip_connected_to(std::string_view host) {
  std::optional<Ip> ip = parse_ip(host);
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (ip && ip->ipv6 && std::ranges::equal(kMapped, std::span(ip->bytes).first<12>())) {
    Ip mapped;
    std::ranges::copy(std::span(ip->bytes).last<4>(), mapped.bytes.begin());
    return mapped;
  }
  in_addr address{};
  if (!ip && inet_aton(std::string(host).c_str(), &address) != 0) {
    ip.emplace();
    std::memcpy(ip->bytes.data(), &address, sizeof address);
  }
  return ip;
}

std::string to_text(const Ip& ip) {
  char out[INET6_ADDRSTRLEN] = {};
  inet_ntop(ip.ipv6 ? AF_INET6 : AF_INET, ip.bytes.data(), out, sizeof(out));
  return out;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const std::optional<std::uint64_t> port = parse_decimal(text);
  if (!port || *port > 65'535 || text.size() > 5) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

Result<std::string> parse_socket_path(std::string_view path) {
  if (path.starts_with("//")) {
    const std::string plain(path.substr(path.find_first_not_of('/') == std::string_view::npos
                                            ? path.size() - 1
                                            : path.find_first_not_of('/') - 1));
    return fail(ErrorCode::Invalid, fmt::format("{} is not a socket (try unix:{})",
                                                quote(fmt::format("unix:{}", path)), plain));
  }
  if (!path.starts_with('/') || path.size() == 1) {
    return fail(ErrorCode::Invalid, fmt::format("{} names no socket (try unix:/run/weir.sock)",
                                                quote(fmt::format("unix:{}", path))));
  }
  if (path.size() > kMaxSocketPath) {
    return fail(ErrorCode::Invalid, fmt::format("a socket's path has at most {} bytes, this one {}",
                                                kMaxSocketPath, path.size()));
  }
  return std::string(path);
}

// Host and port of "host:port", "[v6]:port", "host"; no port is an empty text.
struct HostPort {
  std::string_view host;  // brackets kept
  std::string_view port;
  bool has_port = false;
};

std::optional<HostPort> split_authority(std::string_view text) {
  std::size_t end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    end = close + 1;
    if (end < text.size() && text[end] != ':') return std::nullopt;
  }
  if (end >= text.size()) return HostPort{text, {}, false};
  return HostPort{text.substr(0, end), text.substr(end + 1), true};
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    const std::optional<Ip> ip = parse_ip(host.substr(1, host.size() - 2));
    return ip && ip->ipv6;
  }
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
  return plain && !host.empty() && host.size() <= 253 && host[0] != '.' && host[0] != '-';
}

// A bare port gets the loopback address: whoever wants more says so, as with ":80" or "*:80". The
// admin address is never proposed to be open to others.
std::string suggest_listen(std::string_view text, Audience audience) {
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    text.remove_prefix(scheme + 3);
    text = text.substr(0, text.find('/'));
  }
  const bool admin = audience == Audience::Admin;
  const int usual_port = admin ? 8081 : 8080;
  const std::size_t colon = text.rfind(':');
  const std::string_view host = colon == std::string_view::npos ? "" : text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (!parse_port(port)) {
    return fmt::format("{}:{}", parse_ip(text) ? text : "127.0.0.1", usual_port);
  }
  if (equals_ignore_case(host, "localhost")) return fmt::format("127.0.0.1:{}", port);
  const std::optional<Ip> ip = parse_ip(host);
  if (ip && ip->ipv6) return fmt::format("[{}]:{}", host, port);
  if (ip) return fmt::format("{}:{}", host, port);
  const bool local = admin || colon == std::string_view::npos;
  return fmt::format("{}:{}", local ? "127.0.0.1" : "0.0.0.0", port);
}

// Whether a wrong address to listen on is wrong in its port: a number too large, alone or behind
// anything, or what stands behind the colon of a good address.
bool is_wrong_in_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (parse_port(port)) return false;
  if (colon == std::string_view::npos || is_decimal(port)) return is_decimal(port);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<Ip> ip = parse_ip(host);
  return ip && ip->ipv6 == bracketed;
}

std::unexpected<Error> not_an_address(std::string_view text, Audience audience) {
  const std::string hint = is_wrong_in_port(text)
                               ? "the port is a number from 0 to 65535"
                               : fmt::format("try {}", suggest_listen(text, audience));
  return fail(ErrorCode::Invalid,
              fmt::format("{} is not an address to listen on ({})", quote(text), hint));
}

bool is_wildcard(const ListenAddress& address) {
  return address.host == "0.0.0.0" || address.host == "::";
}

bool is_v6(const ListenAddress& address) {
  return address.host.find(':') != std::string::npos;
}

Cidr to_cidr(const Ip& ip, std::size_t bits) {
  Cidr cidr;
  cidr.ipv6 = ip.ipv6;
  std::memcpy(cidr.address, ip.bytes.data(), ip.size());
  cidr.prefix_bits = static_cast<std::uint8_t>(bits);
  return cidr;
}

// `ip` with every bit behind the first `bits` cleared.
Ip masked(const Ip& ip, std::size_t bits) {
  Ip out = ip;
  for (std::size_t i = 0; i < ip.size() * 8; ++i) {
    if (i >= bits) {
      out.bytes[i / 8] = static_cast<std::uint8_t>(out.bytes[i / 8] & ~(0x80U >> (i % 8)));
    }
  }
  return out;
}

struct NamedRange {
  std::string_view name;
  std::vector<std::string_view> members;
};

const std::vector<NamedRange>& named_ranges() {
  static const std::vector<NamedRange> ranges = {
      {"loopback", {"127.0.0.0/8", "::1/128"}},
      {"private", {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}},
      {"link-local", {"169.254.0.0/16", "fe80::/10"}},
  };
  return ranges;
}

Result<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<Ip> ip = parse_ip(text.substr(0, slash));
  if (!ip) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} is not an address range (try 10.0.0.0/8, 2001:db8::/32, loopback, "
                            "private or link-local)",
                            quote(text)));
  }
  if (slash == std::string_view::npos) return to_cidr(*ip, ip->size() * 8);
  const std::optional<std::uint64_t> bits = parse_decimal(text.substr(slash + 1));
  if (!bits || *bits > ip->size() * 8) {
    return fail(ErrorCode::Invalid,
                fmt::format("{} is not an address range (the number behind the slash is 0 to {})",
                            quote(text), ip->size() * 8));
  }
  const Ip network = masked(*ip, *bits);
  if (network.bytes != ip->bytes) {
    return fail(ErrorCode::Invalid, fmt::format("{} has bits set behind its prefix (try {}/{})",
                                                quote(text), to_text(network), *bits));
  }
  return to_cidr(*ip, *bits);
}

std::string suggest_url(std::string_view text) {
  const std::string_view port = text.substr(text.starts_with(':') ? 1 : 0);
  if (parse_port(port)) return fmt::format("try http://127.0.0.1:{}", port);
  const bool plain = text.find('/') == std::string_view::npos;
  if (is_decimal(port) || (plain && has_impossible_port(text))) return std::string(kAppPorts);
  const std::optional<HostPort> bare = split_authority(text);
  const bool plausible = bare && is_authority(text) && parse_port(bare->port);
  return fmt::format("try http://{}", plausible ? text : "127.0.0.1:8000");
}

std::unexpected<Error> not_a_url(std::string_view text, std::string_view hint) {
  return fail(ErrorCode::Invalid,
              fmt::format("{} is not the URL of an app ({})", quote(text), hint));
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text, Audience audience) {
  ListenAddress address;
  address.text = text;
  if (text.starts_with("unix:")) {
    Result<std::string> path = parse_socket_path(text.substr(5));
    if (!path) return std::unexpected(path.error());
    address.kind = ListenAddress::Kind::Unix;
    address.host = std::move(*path);
    return address;
  }
  const std::optional<HostPort> parts = split_authority(text);
  if (!parts || !parts->has_port) return not_an_address(text, audience);
  std::string_view host = parts->host;
  const bool bracketed = host.starts_with('[');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<Ip> ip = parse_ip(host);
  const std::optional<std::uint16_t> port = parse_port(parts->port);
  if (!ip || !port || ip->ipv6 != bracketed) return not_an_address(text, audience);
  address.host = to_text(*ip);
  address.port = *port;
  return address;
}

bool is_local(const ListenAddress& address) {
  if (address.kind == ListenAddress::Kind::Unix) return true;
  return address.host == "::1" || (address.host.starts_with("127.") && !is_v6(address));
}

bool conflict(const ListenAddress& a, const ListenAddress& b) {
  if (a.kind != b.kind) return false;
  if (a.kind == ListenAddress::Kind::Unix) return a.host == b.host;
  if (a.port != b.port || a.port == 0 || is_v6(a) != is_v6(b)) return false;
  return a.host == b.host || is_wildcard(a) || is_wildcard(b);
}

Result<std::vector<Cidr>> parse_address_range(std::string_view text) {
  std::vector<std::string_view> names;
  for (const NamedRange& range : named_ranges()) {
    names.push_back(range.name);
    if (range.name != text) continue;
    std::vector<Cidr> out;
    for (const std::string_view member : range.members) {
      const Result<Cidr> cidr = parse_cidr(member);
      if (cidr) out.push_back(*cidr);
    }
    return out;
  }
  const bool is_word = !text.empty() && ascii_lower(text[0]) >= 'g' && ascii_lower(text[0]) <= 'z';
  if (const auto near = is_word ? nearest_name(text, names) : std::nullopt) {
    return fail(ErrorCode::Invalid, fmt::format("{} is not an address range (did you mean \"{}\"?)",
                                                quote(text), *near));
  }
  const Result<Cidr> cidr = parse_cidr(text);
  if (!cidr) return std::unexpected(cidr.error());
  return std::vector<Cidr>{*cidr};
}

Result<UpstreamUrl> parse_upstream_url(std::string_view text) {
  UpstreamUrl url;
  url.text = text;
  if (text.starts_with("unix:")) {
    Result<std::string> path = parse_socket_path(text.substr(5));
    if (!path) return std::unexpected(path.error());
    url.kind = UpstreamUrl::Kind::Unix;
    url.host = "localhost";
    url.socket_path = std::move(*path);
    return url;
  }
  std::string_view rest = text;
  if (text.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (text.starts_with("https://")) {
    url.kind = UpstreamUrl::Kind::Https;
    url.port = 443;
    rest.remove_prefix(8);
  } else {
    return not_a_url(text, suggest_url(text));
  }
  // Not quoted: what stands before the "@" may be a password.
  if (rest.find('@') != std::string_view::npos) {
    return fail(ErrorCode::Invalid, "the URL of an app holds no user and no password");
  }
  const std::size_t end = rest.find_first_of("/?#");
  const std::string_view behind = end == std::string_view::npos ? "" : rest.substr(end);
  if (!behind.empty() && behind != "/") {
    return not_a_url(text, "without path, query and fragment: requests bring their own");
  }
  const std::string_view authority = rest.substr(0, end);
  const std::optional<HostPort> parts = split_authority(authority);
  if (has_impossible_port(authority)) return not_a_url(text, kAppPorts);
  if (!parts || !is_authority(authority)) return not_a_url(text, "try http://127.0.0.1:8000");
  url.host = parts->host;
  if (parts->has_port) url.port = parse_port(parts->port).value_or(0);
  return url;
}

bool leads_to(const UpstreamUrl& url, const ListenAddress& listen) {
  const bool to_socket = url.kind == UpstreamUrl::Kind::Unix;
  if (to_socket != (listen.kind == ListenAddress::Kind::Unix)) return false;
  if (to_socket) return url.socket_path == listen.host;
  if (url.port != listen.port) return false;
  // Two families, and both may be meant.
  if (equals_ignore_case(url.host, "localhost")) {
    return is_wildcard(listen) || listen.host == "127.0.0.1" || listen.host == "::1";
  }
  const bool bracketed = url.host.starts_with('[');
  const std::optional<Ip> ip = ip_connected_to(
      bracketed ? std::string_view(url.host).substr(1, url.host.size() - 2) : url.host);
  if (!ip) return false;
  ListenAddress target;
  // Nobody is at the address without a number: such a connection goes to the loopback.
  const bool is_unspecified = std::ranges::all_of(ip->bytes, [](auto byte) { return byte == 0; });
  target.host = !is_unspecified ? to_text(*ip) : ip->ipv6 ? "::1" : "127.0.0.1";
  target.port = url.port;
  if (target.host == listen.host) return true;
  return is_wildcard(listen) && is_local(target) && is_v6(target) == is_v6(listen);
}

bool is_authority(std::string_view text) {
  const std::optional<HostPort> parts = split_authority(text);
  return parts && is_host(parts->host) && !has_impossible_port(text);
}

bool has_impossible_port(std::string_view text) {
  const std::optional<HostPort> parts = split_authority(text);
  if (!parts || !is_host(parts->host)) return false;
  return parts->has_port && parse_port(parts->port).value_or(0) == 0;
}

}  // namespace weir::conf

// The texts that name places on a network: addresses to listen on, ranges, the app's URL. Pure,
// strict; errors are whole sentences that quote the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/config.h"

namespace weir::conf {

// Whom an address is for: what an error proposes depends on it.
enum class Audience : std::uint8_t { Clients, Admin };
// "127.0.0.1:8080", "[::1]:8080" or "unix:/run/weir.sock". Port 0 is whatever is free.
Result<ListenAddress> parse_listen_address(std::string_view text,
                                           Audience audience = Audience::Clients);
inline constexpr const char* kDefaultAdmin = "127.0.0.1:8081";
// Whether only this machine can reach it.
bool is_local(const ListenAddress& address);
// Whether listening on one keeps the other from being listened on.
bool conflict(const ListenAddress& a, const ListenAddress& b);

// "10.0.0.0/8", "::1", or one of the names loopback, private and link-local.
Result<std::vector<Cidr>> parse_address_range(std::string_view text);

// "http://127.0.0.1:8000", "https://app.internal" or "unix:/run/app.sock".
Result<UpstreamUrl> parse_upstream_url(std::string_view text);
// Whether a request to `url` certainly comes to `listen`. Names other than localhost are not
// looked up, and which other addresses this machine has is not asked.
bool leads_to(const UpstreamUrl& url, const ListenAddress& listen);
// What a Host field may hold: a name or an address, and maybe a port.
bool is_authority(std::string_view text);
// Whether it would be one but for its port, which nothing can have.
bool has_impossible_port(std::string_view text);
inline constexpr std::string_view kAppPorts = "the port is a number from 1 to 65535";

}  // namespace weir::conf

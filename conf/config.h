// The configuration as plain, immutable values: what the YAML, the environment and the flags say,
// defaults filled in, inheritance resolved, every name checked. Made once by conf/load.h, shared as
// `std::shared_ptr<const Config>`; any thread may read it. Sizes are bytes, times carry their unit.
// The meaning of every field is ../docs/CONFIG.md's; the defaults stand here with their reasons.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::conf {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;

// Where something was written; line 0 is a built-in.
struct Source {
  std::string file;
  int line = 0;
  int column = 0;
};

// An address to listen on.
struct ListenAddress {
  enum class Kind : std::uint8_t { Tcp, Unix };
  Kind kind = Kind::Tcp;
  std::string host;  // numeric IPv4 or IPv6 without brackets; or the socket's path
  std::uint16_t port = 0;
  std::string text;  // as written, for messages
};

// An address range.
struct Cidr {
  bool ipv6 = false;
  std::uint8_t address[16] = {};  // network order; IPv4 in the first four
  std::uint8_t prefix_bits = 0;
};

// What a proxy says of its visitor: X-Forwarded-For to -Prefix, and Forwarded, which counts where
// the others are absent.
enum class TrustedField : std::uint8_t { For, Proto, Host, Port, Prefix, Forwarded };
inline constexpr std::string_view kTrustedFieldNames[] = {"for",  "proto",  "host",
                                                          "port", "prefix", "forwarded"};

// Which of it is believed.
class TrustedFields {
 public:
  constexpr TrustedFields(std::initializer_list<TrustedField> fields = {}) {
    for (const TrustedField field : fields) add(field);
  }
  constexpr void add(TrustedField field) { bits_ |= bit(field); }
  constexpr bool has(TrustedField field) const { return (bits_ & bit(field)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend bool operator==(const TrustedFields&, const TrustedFields&) = default;

 private:
  static constexpr std::uint8_t bit(TrustedField field) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(field));
  }
  std::uint8_t bits_ = 0;
};

// ---- backends ----

struct Backend {
  enum class Type : std::uint8_t { Ram, Disk, Redis };
  std::string name;
  Type type = Type::Ram;
  std::string prefix;
  std::uint64_t threshold = 500;  // objects; 0 = no bound. A max_size given lifts this default
  std::uint64_t max_size = 64 * kMiB;
  std::int64_t default_expire_s = 300;
  std::uint64_t max_object_size = 16 * kMiB;
  // Disk.
  std::string cache_dir;
  std::uint64_t min_free_bytes = 0;  // left to others: so much,
  unsigned min_free_percent = 0;     // or this share of the file system
  // Redis: where the server is, and who we are there.
  std::string host = "localhost";
  std::uint16_t port = 6379;
  std::string unix_path;  // not empty: in place of both
  std::string username;
  std::string password;
  unsigned db = 0;
  struct Server {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const Server&, const Server&) = default;
  };
  std::vector<Server> nodes;      // not empty: of a cluster, in place of the one above
  std::vector<Server> sentinels;  // not empty: they say where it is, of this name
  std::string master;
  struct Tls {
    bool is_on = false;
    std::string ca;         // a file; empty: the authorities that the system knows
    std::string cert, key;  // files: who we are; empty: nobody in particular
    std::string name;       // in the server's certificate; empty: its host
    friend bool operator==(const Tls&, const Tls&) = default;
  };
  Tls tls;
  bool drops_when_cut_off = false;  // fleet: {partition: drop}
  std::int64_t timeout_ms = 50;
  std::int64_t keep_s = 3600;
};
inline constexpr std::array<std::string_view, 3> kBackendTypeNames = {"ram", "disk", "redis"};
constexpr std::string_view name_of(Backend::Type type) {
  return kBackendTypeNames[static_cast<std::size_t>(type)];
}
inline bool is_disk(const Backend& backend) {
  return backend.type == Backend::Type::Disk;
}
inline bool is_redis(const Backend& backend) {
  return backend.type == Backend::Type::Redis;
}

// ---- a route's cache: ----

struct Duration {
  enum class Kind : std::uint8_t { Default, Seconds, App };
  Kind kind = Kind::Default;
  std::int64_t seconds = 0;
};

struct QueryRule {
  enum class Mode : std::uint8_t { All, None, Only };
  Mode mode = Mode::All;
  std::vector<std::string> only;    // Mode::Only; names may hold `*`
  std::vector<std::string> ignore;  // Mode::All; names may hold `*`
  bool keep_tracking = false;
};

struct LanguageRule {
  enum class Mode : std::uint8_t { Client, None, List };
  Mode mode = Mode::Client;
  std::vector<std::string> list;  // Mode::List, lower case, not empty; the first is the fallback
};

struct CookieRule {
  enum class Other : std::uint8_t { Bypass, Ignore };
  std::vector<std::string> key;      // names may hold `*`
  std::vector<std::string> session;  // names may hold `*`
  Other other = Other::Bypass;
  // They do not matter, as the built-in harmless ones; names may hold `*`.
  std::vector<std::string> ignore = {};
};

// Never one that speaks of one exchange only (base/http/status.h).
struct StatusRule {
  int status = 200;
  std::optional<std::int64_t> duration_s;  // else the route's duration
  bool explicit_only = false;              // only with the app's own freshness
};

struct SetCookieRule {
  enum class Mode : std::uint8_t { Refuse, StripAll, StripNames, Store };
  Mode mode = Mode::Refuse;
  std::vector<std::string> names;  // StripNames; may hold `*`
};

enum class OriginMode : std::uint8_t { Honor, Framework, Cap, Override };
inline constexpr std::array<std::string_view, 4> kOriginNames = {"honor", "framework", "cap",
                                                                 "override"};
constexpr std::string_view name_of(OriginMode mode) {
  return kOriginNames[static_cast<std::size_t>(mode)];
}
enum class Coalesce : std::uint8_t { Instance, Fleet, Off };

struct CacheRule {
  Duration duration;
  QueryRule query_params;
  LanguageRule language;
  bool hostname = true;
  std::vector<std::string> headers;
  CookieRule cookies;
  std::vector<std::string> tiers;  // backend names, nearest first; never empty
  OriginMode origin = OriginMode::Honor;
  std::vector<StatusRule> statuses = {{}};  // ascending, never empty; a list may leave 200 out
  SetCookieRule set_cookie;
  std::vector<std::string> tags;
  std::int64_t stale_while_revalidate_s = 0;
  std::int64_t stale_if_error_s = 0;
  std::optional<std::int64_t> stale_after_ms;
  bool honor_client_no_cache = false;
  std::vector<std::string> credentials;  // besides the built-in names; may hold `*`
  bool sealed = false;
  bool armor = true;
  std::uint32_t max_variants = 16;
  Coalesce coalesce = Coalesce::Instance;
};

// ---- routes ----

// What a request must look like; empty parts match anything.
struct Matcher {
  std::string path;   // glob: `*` within a segment, `**` across; `/a/**` matches `/a` too
  std::string regex;  // RE2, on the path, unanchored
  std::string host;   // glob without port, lower case
  std::vector<std::string> methods;
};

// Routes are flat and in matching order: a module's children stand before the module itself and
// carry its matchers as an outer condition.
struct Route {
  std::string name;  // as given, else the first path or regex
  Source source;
  // A request matches when in each group at least one alternative matches. Outermost first.
  std::vector<std::vector<Matcher>> all_of;
  std::optional<CacheRule> cache;  // absent: passed through, never stored
};

// ---- upstream, limits and the rest ----

struct UpstreamUrl {
  enum class Kind : std::uint8_t { Http, Https, Unix };
  Kind kind = Kind::Http;
  std::string host;  // as in the URL, brackets of IPv6 kept; "localhost" for a socket
  std::uint16_t port = 80;
  std::string socket_path;  // Kind::Unix
  std::string text;         // as written
};

struct HealthCheck {
  std::string path;  // empty: no active checks
  std::int64_t interval_ms = 5'000;
  std::int64_t timeout_ms = 2'000;
};

struct Upstream {
  enum class Host : std::uint8_t { Preserve, Upstream, Fixed };
  std::vector<UpstreamUrl> urls;
  Host host = Host::Preserve;
  std::string fixed_host;  // Host::Fixed
  std::int64_t connect_timeout_ms = 2'000;
  std::int64_t first_byte_timeout_ms = 60'000;
  std::int64_t idle_timeout_ms = 60'000;
  std::uint32_t max_connections = 256;  // of the process
  std::uint32_t retries = 1;
  HealthCheck health;
  bool verify_tls = true;
};

struct Limits {
  std::uint64_t request_line = 8 * kKiB;
  std::uint64_t headers = 32 * kKiB;
  std::uint32_t header_count = 100;
  std::uint64_t response_headers = 128 * kKiB;  // of the app's answers
  std::int64_t header_timeout_ms = 10'000;      // total, from the request's first byte
  std::int64_t keepalive_timeout_ms = 75'000;   // between requests
  std::int64_t body_timeout_ms = 60'000;        // between bytes of a request's body
  std::uint64_t min_body_rate = 256;            // bytes/s after 10 s, while others wait; 0 = off
  std::uint64_t max_body = 0;                   // 0 = no bound
  std::int64_t send_timeout_ms = 30'000;        // without progress
  std::uint32_t connections = 10'000;
  std::uint64_t fill_memory = 256 * kMiB;  // the loader lowers it to a quarter of the cgroup's
  std::int64_t coalesce_wait_ms = 5'000;
};

struct AccessLog {
  enum class Format : std::uint8_t { Json, Combined };
  Format format = Format::Json;
  std::string to = "stdout";  // "stdout", "stderr", a path, or empty for off
};

struct Config {
  std::vector<ListenAddress> listen;
  std::optional<ListenAddress> admin;  // absent: off
  bool admin_by_default = false;       // nobody has asked for it
  std::string admin_token;
  std::vector<std::string> admin_hosts;  // hosts, besides its own, that name the admin address
  Upstream upstream;
  std::uint32_t workers = 0;  // resolved: never 0 after loading
  std::vector<Cidr> trusted_proxies;
  // The two that every proxy writes itself. The others many hand through as a visitor sent them.
  TrustedFields trusted_fields = {TrustedField::For, TrustedField::Proto};
  std::vector<Cidr> purge_allow;
  AccessLog access_log;
  std::int64_t drain_delay_ms = 0;
  std::int64_t drain_timeout_ms = 25'000;
  std::vector<Backend> backends;
  std::vector<std::string> default_tiers;
  std::vector<Route> routes;
  Limits limits;
  std::vector<std::string> warnings;  // each a whole line, to be logged at start
};

}  // namespace weir::conf

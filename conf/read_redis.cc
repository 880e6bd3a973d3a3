// `backends:` of type redis.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/text.h"
#include "conf/readers.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

constexpr std::uint64_t kMostDb = 10'000;

template <class Number>
bool read_number(std::string_view text, std::uint64_t least, std::uint64_t most, Number& target) {
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc{} && at == text.data() + text.size() && !text.empty();
  if (!is_whole || number < least || number > most) return false;
  target = static_cast<Number>(number);
  return true;
}

bool is_host(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7F && std::string_view("/@[]#?").find(c) == std::string_view::npos;
  });
}

// host, host:port, [::1]:port
bool read_host_and_port(std::string_view text, Backend& backend) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return false;
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (!is_host(host)) return false;
  backend.host = std::string(host);
  return port.empty() || read_number(port.substr(1), 1, 65'535, backend.port);
}

// "user:password", "user" or ":password". A password may hold anything that is escaped.
std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const auto [at, error] =
        std::from_chars(text.data() + i + 1, text.data() + std::min(i + 3, text.size()), byte, 16);
    if (error != std::errc{} || at != text.data() + i + 3) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

bool read_user(std::string_view text, Backend& backend) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto username = unescaped(text.substr(0, colon));
  const auto password =
      unescaped(colon < text.size() ? text.substr(colon + 1) : std::string_view());
  if (!username || !password) return false;
  backend.username = *username;
  backend.password = *password;
  return true;
}

void read_url(const Cursor& cursor, Backend& backend) {
  const auto text = cursor.text("a URL such as redis://redis:6379/0");
  if (!text) return;
  std::string_view rest = *text;
  if (rest.starts_with("rediss://")) {
    return cursor.error("rediss:// (TLS) is not available in this version: use redis://");
  }
  constexpr std::string_view kScheme = "redis://";
  const auto refuse = [&] {
    cursor.error("is no URL of a Redis server: expected redis://[user:password@]host[:port][/db]");
  };
  if (!rest.starts_with(kScheme)) return refuse();
  rest.remove_prefix(kScheme.size());
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (!read_user(rest.substr(0, at), backend)) return refuse();
    rest.remove_prefix(at + 1);
  }
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view db = rest.substr(slash + 1);
    if (!db.empty() && !read_number(db, 0, kMostDb, backend.db)) return refuse();
    rest = rest.substr(0, slash);
  }
  if (!read_host_and_port(rest, backend)) refuse();
}

// What the server's own configuration says.
void refuse_bounds(Section& section) {
  for (const std::string_view key : {"threshold", "max_size"}) {
    if (!section.take(key)) continue;
    section.at_key(key).error(
        "is Redis' own matter: set maxmemory, and maxmemory-policy volatile-lru, there");
  }
}

void refuse_later(Section& section) {
  for (const std::string_view key : {"cluster", "nodes", "sentinels", "master"}) {
    if (!section.take(key)) continue;
    section.at_key(key).error(
        "is not available in this version: give one server (host and port, url, or unix)");
  }
}

void read_place(Section& section, Backend& backend) {
  const auto url = section.take("url");
  if (url) read_url(*url, backend);
  const auto unix_path = section.take("unix");
  for (const std::string_view key : {"host", "port", "db", "username", "password"}) {
    const auto cursor = section.take(key);
    if (!cursor) continue;
    if (url) {
      section.at_key(key).error("stands beside url, which says it already: give one of the two");
    } else if (unix_path && (key == "host" || key == "port")) {
      section.at_key(key).error("stands beside unix: give one of the two");
    } else if (key == "port") {
      if (const auto port = cursor->integer({1, 65'535}))
        backend.port = static_cast<std::uint16_t>(*port);
    } else if (key == "db") {
      if (const auto db = cursor->integer({0, kMostDb})) backend.db = static_cast<unsigned>(*db);
    } else if (const auto text = cursor->text("a text")) {
      if (key == "host" && !is_host(*text)) {
        cursor->error(fmt::format("{} is no name or address of a host", quote(*text)));
      }
      (key == "host"       ? backend.host
       : key == "username" ? backend.username
                           : backend.password) = *text;
    }
  }
  if (!unix_path) return;
  if (url) return unix_path->error("stands beside url: give one of the two");
  if (const auto path = unix_path->text("a path such as /run/redis.sock")) {
    if (!path->starts_with('/')) unix_path->error("is no path from / on");
    backend.unix_path = *path;
  }
}

}  // namespace

void read_redis(Section& section, Backend& backend) {
  read_place(section, backend);
  refuse_bounds(section);
  refuse_later(section);
  section.seconds("default_expire", backend.default_expire_s);
  section.seconds("keep", backend.keep_s);
  if (const auto timeout = section.take("timeout")) {
    if (const auto ms = timeout->milliseconds({1, 10'000})) backend.timeout_ms = *ms;
  }
  if (const auto size = section.take("max_object_size")) {
    if (const auto bytes = size->size({1, 512 * kMiB})) backend.max_object_size = *bytes;
  }
  if (backend.username.empty() || !backend.password.empty()) return;
  section.at_key("username").error("has no password: Redis takes both, or a password alone");
}

}  // namespace weir::conf

#include "conf/read_redis_servers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/text.h"
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
bool read_host_and_port(std::string_view text, Backend::Server& server) {
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
  server.host = std::string(host);
  return port.empty() || read_number(port.substr(1), 1, 65'535, server.port);
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
  const auto refuse = [&] {
    cursor.error(
        "is no URL of a Redis server: expected redis://[user:password@]host[:port][/db], or "
        "rediss:// for TLS");
  };
  backend.tls.is_on = rest.starts_with("rediss://");
  if (!backend.tls.is_on && !rest.starts_with("redis://")) return refuse();
  rest.remove_prefix(rest.find("//") + 2);
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (!read_user(rest.substr(0, at), backend)) return refuse();
    rest.remove_prefix(at + 1);
  }
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view db = rest.substr(slash + 1);
    if (!db.empty() && !read_number(db, 0, kMostDb, backend.db)) return refuse();
    rest = rest.substr(0, slash);
  }
  Backend::Server server{backend.host, backend.port};
  if (!read_host_and_port(rest, server)) return refuse();
  backend.host = server.host;
  backend.port = server.port;
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

// Servers that say where the others are.
std::vector<Backend::Server> read_servers(const Cursor& cursor, std::uint16_t usual_port) {
  std::vector<Backend::Server> out;
  const auto items = cursor.items("a list of servers, such as [redis-1:6379, redis-2:6379]");
  for (const Cursor& item : items) {
    const auto text = item.text("a server, such as redis-1:6379");
    if (!text) continue;
    Backend::Server server{{}, usual_port};
    if (read_host_and_port(*text, server)) {
      out.push_back(server);
    } else {
      item.error(fmt::format("{} is no server: expected host or host:port", quote(*text)));
    }
  }
  if (items.empty() && cursor.is_list()) cursor.error("needs at least one server");
  return out;
}

// `given`: of the keys that say where one server is, the one that stands there, if any.
void read_cluster(Section& section, std::string_view given, Backend& backend) {
  const auto cluster = section.take("cluster");
  const auto nodes = section.take("nodes");
  const bool is_cluster = cluster && cluster->boolean().value_or(false);
  if (nodes && !is_cluster) {
    return section.at_key("nodes").error("is of a cluster: give cluster: true as well");
  }
  if (!is_cluster) return;
  if (!backend.unix_path.empty()) {
    return section.at_key("unix").error("is one server: a cluster is reached by host and port");
  }
  if (backend.db != 0) return cluster->error("has db 0 and no other: leave db out");
  if (nodes) {
    backend.nodes = read_servers(*nodes, 6379);
    if (!given.empty()) {
      section.at_key(given).error("stands beside nodes: give one of the two");
    }
  } else if (!given.empty()) {
    backend.nodes = {{backend.host, backend.port}};
  } else {
    cluster->error("needs nodes: some servers of it, such as nodes: [redis-1:6379, redis-2:6379]");
  }
}

void read_sentinels(Section& section, std::string_view given, Backend& backend) {
  const auto sentinels = section.take("sentinels");
  const auto master = section.take("master");
  if (master && !sentinels) {
    return section.at_key("master").error("is what sentinels call it: give sentinels as well");
  }
  if (!sentinels) return;
  backend.sentinels = read_servers(*sentinels, 26'379);
  if (!master) {
    section.at_key("sentinels").error("needs master: the name that they know it by");
  } else if (const auto name = master->text("the name that the sentinels know it by")) {
    backend.master = *name;
    if (name->empty()) master->error("is empty");
  }
  if (!given.empty()) {
    section.at_key(given).error("stands beside sentinels, which say where it is: leave it out");
  }
  if (!backend.nodes.empty()) {
    section.at_key("sentinels")
        .error("stands beside cluster, which needs none: give one of the two");
  }
}

void read_tls(Section& section, Backend& backend) {
  const auto cursor = section.take("tls");
  if (cursor && cursor->is_scalar()) {
    backend.tls.is_on =
        cursor->boolean("true, false, or a map such as {ca: /etc/redis/ca.pem}").value_or(false) ||
        backend.tls.is_on;
  } else if (cursor) {
    backend.tls.is_on = true;
    Section tls(*cursor, "true, false, or a map such as {ca: /etc/redis/ca.pem}");
    for (const auto& [key, target] : {std::pair("ca", &backend.tls.ca),
                                      {"cert", &backend.tls.cert},
                                      {"key", &backend.tls.key},
                                      {"name", &backend.tls.name}}) {
      const auto value = tls.take(key);
      if (const auto text = value ? value->text("a text") : std::nullopt) *target = *text;
    }
    if (backend.tls.cert.empty() != backend.tls.key.empty()) {
      cursor->error("has one of cert and key: who we are needs both");
    }
    tls.finish();
  }
  if (backend.tls.is_on && !backend.unix_path.empty()) {
    section.at_key("unix").error("stands beside TLS, which is for a network: leave one out");
  }
}

}  // namespace

void read_redis_servers(Section& section, Backend& backend) {
  std::string_view given;
  for (const std::string_view key : {"url", "unix", "host", "port"}) {
    if (section.take(key)) given = key;
  }
  read_place(section, backend);
  read_cluster(section, given, backend);
  read_sentinels(section, given, backend);
  read_tls(section, backend);
  if (backend.username.empty() || !backend.password.empty()) return;
  section.at_key("username").error("has no password: Redis takes both, or a password alone");
}

}  // namespace weir::conf

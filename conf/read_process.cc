// What concerns the process as a whole: addresses, workers, who is trusted, logs, draining.

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "conf/addresses.h"
#include "conf/environment.h"
#include "conf/patterns.h"
#include "conf/readers.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

constexpr const char* kDefaultListen = "0.0.0.0:8080";
constexpr std::uint64_t kMaxWorkers = 256;

std::optional<ListenAddress> read_address(const Cursor& cursor, Audience audience) {
  const auto text = cursor.text(audience == Audience::Admin ? "an address such as 127.0.0.1:8081"
                                                            : "an address such as 127.0.0.1:8080");
  if (!text) return std::nullopt;
  Result<ListenAddress> address = parse_listen_address(*text, audience);
  if (address) return std::move(*address);
  cursor.error(address.error().message);
  return std::nullopt;
}

std::vector<ListenAddress> read_listen(const Cursor& cursor, const ListenAddress* admin) {
  std::vector<ListenAddress> addresses;
  if (cursor.is_list() && cursor.node().items.empty()) cursor.error("needs at least one address");
  for (const Cursor& item : cursor.one_or_more()) {
    std::optional<ListenAddress> address = read_address(item, Audience::Clients);
    if (!address) continue;
    const auto taken =
        std::find_if(addresses.begin(), addresses.end(),
                     [&](const ListenAddress& other) { return conflict(other, *address); });
    if (taken != addresses.end()) {
      item.error(fmt::format("{} is taken by {} already", address->text, taken->text));
    } else if (admin != nullptr && conflict(*admin, *address)) {
      item.error(
          fmt::format("{} is taken by the admin address {} (give \"admin:\" another, or off)",
                      address->text, admin->text));
    }
    addresses.push_back(std::move(*address));
  }
  return addresses;
}

// A host of the admin address: a name or an address, without port.
std::optional<std::string> check_admin_host(std::string_view name) {
  const bool has_port = !name.starts_with('[') && name.find(':') != std::string_view::npos;
  if (is_authority(name) && !has_port && !name.ends_with(":")) return std::nullopt;
  return "is not a host without port";
}

void read_token(const Cursor& token, Config& config) {
  const auto text = token.text("a token");
  const auto visible = [](char c) { return c > ' ' && c < 0x7F; };
  if (text && text->empty()) {
    token.error("is empty (leave it out for none)");
  } else if (text && !std::all_of(text->begin(), text->end(), visible)) {
    token.error("holds characters that no header can carry (visible ASCII only)");
  } else if (text) {
    config.admin_token = *text;
  }
}

void read_token(Reading& reading, const Secret& secret, Config& config) {
  if (secret.text) return read_token(Cursor::outside(reading, secret.from, *secret.text), config);
  Cursor::outside(reading, secret.from, secret.path)
      .error(fmt::format("{} cannot be read", quote(secret.path)));
}

// The file's, else that of the environment.
void read_admin_access(Reading& reading, Section& top, const Outside& outside, Config& config) {
  if (const auto token = top.take("admin_token")) {
    read_token(*token, config);
  } else if (const auto given = secret(outside.environment, kAdminToken)) {
    read_token(reading, *given, config);
  }
  if (const auto hosts = top.take("admin_hosts")) {
    config.admin_hosts = read_names(*hosts, "a list such as [weir.internal]", check_admin_host);
  }
}

// The cursors that gave an admin address: the file's, then the flag's, which wins.
std::vector<Cursor> read_admin(Reading& reading, Section& top, const Outside& outside,
                               Config& config) {
  std::vector<Cursor> admins;
  if (const auto cursor = top.take("admin")) admins.push_back(*cursor);
  if (outside.overrides.admin) {
    admins.push_back(
        override_cursor(reading, outside, "--admin", "WEIR_ADMIN", *outside.overrides.admin));
  }
  config.admin = *parse_listen_address(kDefaultAdmin);
  for (const Cursor& cursor : admins) {
    config.admin = cursor.is_off() ? std::nullopt : read_address(cursor, Audience::Admin);
  }
  return admins;
}

// Nobody asked for the default, so it must not keep a listener from an address that was asked for.
void let_default_admin_give_way(Config& config) {
  const bool taken =
      std::any_of(config.listen.begin(), config.listen.end(),
                  [&](const ListenAddress& address) { return conflict(address, *config.admin); });
  if (taken) config.admin.reset();
}

std::vector<Cidr> read_ranges(const Cursor& cursor) {
  std::vector<Cidr> out;
  for (const Cursor& item : cursor.items("a list such as [loopback, 10.0.0.0/8]")) {
    const auto text = item.text("an address range such as 10.0.0.0/8");
    if (!text) continue;
    const Result<std::vector<Cidr>> ranges = parse_address_range(*text);
    if (ranges) {
      out.insert(out.end(), ranges->begin(), ranges->end());
    } else {
      item.error(ranges.error().message);
    }
  }
  return out;
}

std::vector<Cidr> default_trusted() {
  std::vector<Cidr> out;
  for (const std::string_view name : {"loopback", "private"}) {
    const Result<std::vector<Cidr>> ranges = parse_address_range(name);
    if (ranges) out.insert(out.end(), ranges->begin(), ranges->end());
  }
  return out;
}

TrustedFields read_trusted_fields(const Cursor& cursor) {
  TrustedFields out;
  for (const Cursor& item : cursor.items("a list such as [for, proto, host]")) {
    const auto index = item.choice(kTrustedFieldNames);
    if (index) out.add(static_cast<TrustedField>(*index));
  }
  return out;
}

void read_access_log(const Cursor& cursor, AccessLog& log) {
  constexpr std::string_view kExpected = "a map such as {format: json, to: stdout}, or off";
  if (cursor.is_off()) {
    log.to.clear();
    return;
  }
  Section section(cursor, kExpected);
  section.choice("format", log.format, {"json", "combined"});
  if (const auto to = section.take("to")) {
    constexpr std::string_view kNames[] = {"stdout", "stderr", "off"};
    const auto text = to->text("stdout, stderr, a path or off");
    if (to->is_off()) {
      log.to.clear();
    } else if (text &&
               (*text == "stdout" || *text == "stderr" || text->find('/') != std::string::npos)) {
      log.to = *text;
    } else if (text) {
      // A bare word is more likely a slip than a file in the working folder.
      to->error(fmt::format("{} is no place for a log{}; a path holds a \"/\"", quote(*text),
                            suggestion(*text, kNames)));
    }
  }
  section.finish();
}

}  // namespace

Cursor override_cursor(Reading& reading, const Outside& outside, const char* flag,
                       const char* variable, const std::string& value) {
  const bool by_variable = outside.environment(variable) == value;
  return Cursor::outside(reading, by_variable ? variable : flag, value);
}

void read_addresses(Reading& reading, Section& top, const Outside& outside, Config& config) {
  const std::vector<Cursor> admins = read_admin(reading, top, outside, config);
  read_admin_access(reading, top, outside, config);
  if (config.admin && !is_local(*config.admin) && config.admin_token.empty()) {
    admins.back().error(
        fmt::format("{} can be reached from outside: give \"admin_token:\", or a loopback address "
                    "such as {}",
                    config.admin->text, kDefaultAdmin));
  }
  config.admin_by_default = admins.empty();
  const ListenAddress* admin = config.admin && !admins.empty() ? &*config.admin : nullptr;
  const auto listen = top.take("listen");
  if (outside.overrides.listen) {
    if (listen) read_listen(*listen, nullptr);  // for its faults
    config.listen = read_listen(
        override_cursor(reading, outside, "--listen", "WEIR_LISTEN", *outside.overrides.listen),
        admin);
  } else if (listen) {
    config.listen = read_listen(*listen, admin);
  } else {
    config.listen = {*parse_listen_address(kDefaultListen)};
    if (admin != nullptr && conflict(*admin, config.listen.front())) {
      admins.back().error(fmt::format("{} is taken by \"listen:\", which is {} unless given",
                                      admin->text, kDefaultListen));
    }
  }
  if (admins.empty()) let_default_admin_give_way(config);
}

void read_process(Section& top, const Outside& outside, Config& config) {
  config.workers = std::min<std::uint32_t>(outside.resources.cpus, kMaxWorkers);
  if (const auto workers = top.take("workers")) {
    const auto text = workers->text("auto, or a number from 1 to 256");
    const auto count = text && *text != "auto" ? workers->integer({1, kMaxWorkers}) : std::nullopt;
    if (count) config.workers = static_cast<std::uint32_t>(*count);
  }
  config.trusted_proxies = default_trusted();
  if (const auto cursor = top.take("trusted_proxies"))
    config.trusted_proxies = read_ranges(*cursor);
  if (const auto cursor = top.take("trusted_fields")) {
    config.trusted_fields = read_trusted_fields(*cursor);
  }
  if (const auto cursor = top.take("purge_allow")) {
    config.purge_allow = read_ranges(*cursor);
  }
  if (const auto cursor = top.take("access_log")) read_access_log(*cursor, config.access_log);
  constexpr Range kDrain = {0, 3'600'000};
  top.milliseconds("drain_delay", config.drain_delay_ms, kDrain);
  top.milliseconds("drain_timeout", config.drain_timeout_ms, kDrain);
}

}  // namespace weir::conf

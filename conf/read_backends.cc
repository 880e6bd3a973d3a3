// `backends:` and `default:`.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/text.h"
#include "conf/readers.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

constexpr std::string_view kNotHere = "is not available in this version (available: ram)";

// Keys that are right elsewhere: who writes one here has mistaken the type, not the spelling.
struct ForeignKey {
  std::string_view key;
  std::string_view type;
};
constexpr std::array<ForeignKey, 14> kForeignKeys = {{{"cache_dir", "disk"},
                                                      {"host", "redis"},
                                                      {"port", "redis"},
                                                      {"db", "redis"},
                                                      {"url", "redis"},
                                                      {"username", "redis"},
                                                      {"password", "redis"},
                                                      {"unix", "redis"},
                                                      {"cluster", "redis"},
                                                      {"nodes", "redis"},
                                                      {"sentinels", "redis"},
                                                      {"master", "redis"},
                                                      {"timeout", "redis"},
                                                      {"fleet", "redis"}}};

// Only ram is read further.
bool check_type(const Cursor& backend, Section& section) {
  constexpr std::string_view kTypes[] = {"ram", "disk", "redis"};
  constexpr std::string_view kAvailable[] = {"ram"};
  const auto type = section.take("type");
  if (!type) {
    backend.error("type is missing (available: ram)");
    return false;
  }
  const auto text = type->text("a type (available: ram)");
  if (!text || *text == "ram") return text.has_value();
  if (std::find(std::begin(kTypes), std::end(kTypes), *text) != std::end(kTypes)) {
    type->error(fmt::format("a backend of type {} {}", quote(*text), kNotHere));
  } else {
    type->error(fmt::format("unknown type {}{}", quote(*text), suggestion(*text, kAvailable)));
  }
  return false;
}

void refuse_foreign_keys(Section& section) {
  for (const ForeignKey& foreign : kForeignKeys) {
    if (!section.take(foreign.key)) continue;
    section.at_key(foreign.key)
        .error(fmt::format("is a parameter of {} backends, this one is of type ram", foreign.type));
  }
}

void read_object_size(Section& section, RamBackend& ram) {
  const auto cursor = section.take("max_object_size");
  if (!cursor) {
    ram.max_object_size = std::min(ram.max_object_size, ram.max_size);
    return;
  }
  const auto bytes = cursor->size({1, 1024 * kGiB});
  if (!bytes) return;
  ram.max_object_size = *bytes;
  if (*bytes > ram.max_size) {
    cursor->error(fmt::format("{} is more than the whole backend may hold (max_size: {})",
                              format_size(*bytes), format_size(ram.max_size)));
  }
}

void read_ram(Section& section, RamBackend& ram) {
  if (const auto prefix = section.take("prefix")) {
    const auto text = prefix->text("a text such as \"shop:\"");
    const bool plain =
        text && text->size() <= 256 &&
        std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c < 0x7F; });
    if (plain) ram.prefix = *text;
    if (text && !plain) prefix->error("holds more than 256 bytes, or other than visible ASCII");
  }
  const auto max_size = section.take("max_size");
  if (max_size) {
    ram.threshold = 0;  // who bounds bytes did not ask for a bound on objects
    if (const auto bytes = max_size->size({64 * kKiB, 1024 * kGiB})) ram.max_size = *bytes;
  }
  if (const auto threshold = section.take("threshold")) {
    if (const auto count = threshold->integer({0, 1'000'000'000})) ram.threshold = *count;
  }
  section.seconds("default_expire", ram.default_expire_s);
  read_object_size(section, ram);
  refuse_foreign_keys(section);
  section.finish();
}

void read_default(Reading& reading, Section& top, const BackendNames& names, Config& config) {
  if (const auto cursor = top.take("default")) {
    config.default_tiers = read_tiers(*cursor, names);
  } else if (names.names.size() == 1) {
    config.default_tiers = names.names;
  } else {
    const std::vector<std::string_view> views(names.names.begin(), names.names.end());
    reading.add_problem(top.at_key("backends").place(), "default",
                        fmt::format("missing: which of {}?", join_names(views, " or ")));
  }
}

}  // namespace

BackendNames read_backends(Reading& reading, Section& top, Config& config) {
  BackendNames names;
  const auto cursor = top.take("backends");
  if (cursor && !cursor->is_null()) {
    Section section(*cursor, "a map such as {ram: {type: ram, max_size: 256MiB}}");
    for (const auto& [name, backend] : section.all()) {
      names.names.push_back(name);
      if (const auto complaint = check_backend_name(name)) {
        section.at_key(name).error(fmt::format("{} {}", quote(name), *complaint));
      }
      Section keys(backend, "a map such as {type: ram, max_size: 256MiB}");
      Backend out{name, {}};
      if (!backend.is_map() || !check_type(backend, keys)) continue;
      read_ram(keys, out.ram);
      config.backends.push_back(std::move(out));
    }
    if (cursor->is_map() && names.names.empty()) cursor->error("names no backend");
  }
  if (names.names.empty()) {
    Backend ram{"ram", {}};
    ram.ram.threshold = 0;
    ram.ram.max_size = 256 * kMiB;
    config.backends.push_back(std::move(ram));
    names.names.emplace_back("ram");
  }
  read_default(reading, top, names, config);
  return names;
}

}  // namespace weir::conf

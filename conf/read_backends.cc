// `backends:` and `default:`.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/log.h"
#include "base/text.h"
#include "conf/readers.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

// Keys that are right elsewhere: who writes one here has mistaken the type, not the spelling.
struct ForeignKey {
  std::string_view key;
  std::string_view type;
};
constexpr std::array<ForeignKey, 17> kForeignKeys = {{{"cache_dir", "disk"},
                                                      {"min_free", "disk"},
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
                                                      {"tls", "redis"},
                                                      {"keep", "redis"},
                                                      {"fleet", "redis"}}};

// What a type has where the file says nothing.
Backend defaults_of(Backend::Type type) {
  Backend out;
  out.type = type;
  if (type == Backend::Type::Disk) {
    out.max_size = 1 * kGiB;
    out.max_object_size = 256 * kMiB;
    out.cache_dir = "cache";
    out.min_free_percent = 5;
  }
  if (type == Backend::Type::Redis) {
    out.prefix = "cache:";
    out.max_object_size = 8 * kMiB;
    out.max_size = out.threshold = 0;  // the server's own affair
  }
  return out;
}

std::optional<Backend::Type> read_type(const Cursor& backend, Section& section) {
  const auto type = section.take("type");
  if (!type) {
    backend.error("type is missing (available: ram, disk, redis)");
    return std::nullopt;
  }
  const auto text = type->text("a type (available: ram, disk, redis)");
  if (!text) return std::nullopt;
  const auto at = std::ranges::find(kBackendTypeNames, *text);
  if (at != kBackendTypeNames.end())
    return static_cast<Backend::Type>(at - kBackendTypeNames.begin());
  type->error(fmt::format("unknown type {}{}", quote(*text), suggestion(*text, kBackendTypeNames)));
  return std::nullopt;
}

void refuse_foreign_keys(Section& section, const Backend& backend) {
  const std::string_view type = name_of(backend.type);
  for (const ForeignKey& foreign : kForeignKeys) {
    if (foreign.type == type || !section.take(foreign.key)) continue;
    section.at_key(foreign.key)
        .error(fmt::format("is a parameter of {} backends, this one is of type {}", foreign.type,
                           type));
  }
}

void read_object_size(Section& section, Backend& backend) {
  const auto cursor = section.take("max_object_size");
  if (!cursor) {
    backend.max_object_size = std::min(backend.max_object_size, backend.max_size);
    return;
  }
  const auto bytes = cursor->size({1, 1024 * kGiB});
  if (!bytes) return;
  backend.max_object_size = *bytes;
  if (*bytes > backend.max_size) {
    cursor->error(fmt::format("{} is more than the whole backend may hold (max_size: {})",
                              format_size(*bytes), format_size(backend.max_size)));
  }
}

void read_prefix(Section& section, Backend& backend) {
  const auto prefix = section.take("prefix");
  if (!prefix) return;
  const auto text = prefix->text("a text such as \"shop:\"");
  const bool plain =
      text && text->size() <= 256 &&
      std::all_of(text->begin(), text->end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (plain) backend.prefix = *text;
  if (text && !plain) prefix->error("holds more than 256 bytes, or other than visible ASCII");
}

void read_sizes(Section& section, Backend& backend) {
  const bool on_disk = backend.type == Backend::Type::Disk;
  if (const auto max_size = section.take("max_size")) {
    backend.threshold = 0;  // who bounds bytes did not ask for a bound on objects
    const Range range =
        on_disk ? Range{1 * kMiB, 256 * 1024 * kGiB} : Range{64 * kKiB, 1024 * kGiB};
    if (const auto bytes = max_size->size(range)) backend.max_size = *bytes;
  }
  if (const auto threshold = section.take("threshold")) {
    if (const auto count = threshold->integer({0, 1'000'000'000})) backend.threshold = *count;
  }
  section.seconds("default_expire", backend.default_expire_s);
  read_object_size(section, backend);
}

// A size, or a share of the file system.
void read_min_free(Section& section, Backend& backend) {
  const auto cursor = section.take("min_free");
  if (!cursor) return;
  auto text = cursor->text("a size such as 2GiB, or a share such as 5%");
  if (!text) return;
  backend.min_free_percent = 0;
  if (!text->ends_with('%')) {
    if (const auto bytes = cursor->size({0, 256 * 1024 * kGiB})) backend.min_free_bytes = *bytes;
    return;
  }
  text->pop_back();
  while (text->ends_with(' ')) text->pop_back();
  unsigned percent = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, percent);
  if (text->empty() || read.ec != std::errc{} || read.ptr != end || percent > 99) {
    return cursor->error(fmt::format("{} is no share of a disk (0% to 99%)", quote(*text + "%")));
  }
  backend.min_free_percent = percent;
}

// What stands in the way of the folder, as far as can be known before it is opened.
void read_cache_dir(Section& section, Backend& backend) {
  namespace fs = std::filesystem;
  const auto cursor = section.take("cache_dir");
  if (cursor) {
    const auto text = cursor->text("a folder such as /var/cache/weir");
    if (!text) return;
    if (text->empty()) return cursor->error("is empty: which folder?");
    backend.cache_dir = *text;
    if (!text->starts_with('/')) {
      cursor->warn(
          fmt::format("{} depends on the folder that Weir is started in: give the path "
                      "from / on",
                      quote(*text)));
    }
  }
  const Cursor place = cursor.value_or(section.at_key("type"));
  std::error_code ignored;
  const fs::path path = fs::absolute(backend.cache_dir, ignored).lexically_normal();
  if (fs::exists(path, ignored) && !fs::is_directory(path, ignored)) {
    return place.error(fmt::format("{} is a file: give a folder, which is made where it is missing",
                                   quote(backend.cache_dir)));
  }
  const fs::path parent = (path.has_filename() ? path : path.parent_path()).parent_path();
  if (!fs::exists(path, ignored) && !fs::is_directory(parent, ignored)) {
    place.warn(
        fmt::format("{} is missing: make it, for only the last folder of cache_dir is made "
                    "by Weir",
                    quote(parent.string())));
  }
}

Backend read_backend(const std::string& name, Backend::Type type, Section& section) {
  Backend backend = defaults_of(type);
  backend.name = name;
  read_prefix(section, backend);
  if (type == Backend::Type::Redis) {
    read_redis(section, backend);
  } else {
    read_sizes(section, backend);
  }
  if (type == Backend::Type::Disk) {
    read_min_free(section, backend);
    read_cache_dir(section, backend);
  }
  refuse_foreign_keys(section, backend);
  section.finish();
  return backend;
}

// Two backends in one folder: the second would find it taken, by its own process.
void refuse_shared_folder(const Config& config, const Backend& backend, const Cursor& place) {
  namespace fs = std::filesystem;
  if (backend.type != Backend::Type::Disk) return;
  const auto folder_of = [](const Backend& of) {
    std::error_code ignored;
    return fs::weakly_canonical(fs::absolute(of.cache_dir + "/", ignored), ignored);
  };
  for (const Backend& other : config.backends) {
    if (other.type != Backend::Type::Disk || folder_of(other) != folder_of(backend)) continue;
    return place.error(fmt::format("has the cache_dir of {}: give each a folder of its own ({})",
                                   other.name, quote(backend.cache_dir)));
  }
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
      const auto type = backend.is_map() ? read_type(backend, keys) : std::nullopt;
      if (!type) continue;
      Backend out = read_backend(name, *type, keys);
      refuse_shared_folder(config, out, section.at_key(name));
      config.backends.push_back(std::move(out));
    }
    if (cursor->is_map() && names.names.empty()) cursor->error("names no backend");
  }
  if (names.names.empty()) {
    Backend ram;
    ram.name = "ram";
    ram.threshold = 0;
    ram.max_size = 256 * kMiB;
    config.backends.push_back(std::move(ram));
    names.names.emplace_back("ram");
  }
  read_default(reading, top, names, config);
  return names;
}

}  // namespace weir::conf

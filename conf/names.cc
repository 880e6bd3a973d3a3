#include "conf/names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/http/field_id.h"
#include "base/http/hop_by_hop.h"
#include "base/log.h"
#include "base/text.h"

namespace weir::conf {
namespace {

bool is_alnum(char c) {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

bool is_token_char(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

template <class Allowed>
bool consists_of(std::string_view name, Allowed allowed) {
  return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

std::optional<std::string> check_token(std::string_view name) {
  if (consists_of(name, is_token_char)) return std::nullopt;
  return "is not a name (letters, digits and !#$%&'*+-.^_`|~ only)";
}

std::optional<std::string> check_parameter(std::string_view name) {
  const auto allowed = [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 0x7F && c != '&' && c != '=' && c != '#';
  };
  if (consists_of(name, allowed)) return std::nullopt;
  return "is not the name of a query parameter";
}

std::optional<std::string> check_tag(std::string_view name) {
  if (name.size() <= 256 &&
      consists_of(name, [](char c) { return c > ' ' && c < 0x7F && c != ','; })) {
    return std::nullopt;
  }
  return "is not a tag (visible ASCII without commas, at most 256)";
}

std::optional<std::string> check_language(std::string_view name) {
  std::size_t start = 0;
  bool valid = true;
  while (valid && start <= name.size()) {
    const std::size_t end = std::min(name.find('-', start), name.size());
    const std::string_view part = name.substr(start, end - start);
    const bool letters =
        consists_of(part, [](char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; });
    valid = part.size() <= 8 && (start == 0 ? letters : consists_of(part, is_alnum));
    start = end + 1;
  }
  if (valid) return std::nullopt;
  return "is not a language (try en or pt-BR)";
}

std::optional<std::string> check_key_header(std::string_view name) {
  if (auto complaint = check_token(name)) return complaint;
  if (name.find('*') != std::string_view::npos) {
    return "is not the name of one header (no * here)";
  }
  const http::FieldId id = http::field_id(name);
  if (http::is_hop_by_hop(id) || id == http::FieldId::ContentLength) {
    return "belongs to one connection and cannot be in a key";
  }
  return std::nullopt;
}

std::optional<std::string> check_backend_name(std::string_view name) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
  if (name.size() <= 64 && consists_of(name, allowed)) return std::nullopt;
  return "is not a name for a backend (letters, digits, - and _, at most 64)";
}

std::optional<std::string> read_name(const Cursor& cursor, NameCheck check) {
  std::optional<std::string> name = cursor.text("a name");
  if (!name) return std::nullopt;
  if (const std::optional<std::string> complaint = check(*name)) {
    cursor.error(fmt::format("{} {}", quote(*name), *complaint));
    return std::nullopt;
  }
  return name;
}

std::vector<std::string> read_names(const Cursor& cursor, std::string_view expected,
                                    NameCheck check, Case letters) {
  std::vector<std::string> names;
  for (const Cursor& item : cursor.items(expected)) {
    std::optional<std::string> name = read_name(item, check);
    if (!name) continue;
    const bool twice = std::any_of(names.begin(), names.end(), [&](const std::string& other) {
      return letters == Case::Ignored ? equals_ignore_case(other, *name) : other == *name;
    });
    if (twice) {
      item.error(fmt::format("{} is listed twice", quote(*name)));
      continue;
    }
    names.push_back(std::move(*name));
  }
  return names;
}

std::vector<std::string> read_tiers(const Cursor& cursor, const BackendNames& backends) {
  std::vector<std::string> tiers;
  if (cursor.is_null() || cursor.is_map()) {
    cursor.error_expected("the name of a backend, or a list of them, nearest first");
    return tiers;
  }
  if (cursor.is_list() && cursor.node().items.empty()) {
    cursor.error("a list of tiers needs at least one backend");
    return tiers;
  }
  const std::vector<std::string_view> known(backends.names.begin(), backends.names.end());
  for (const Cursor& item : cursor.one_or_more()) {
    const std::optional<std::string> name = item.text("the name of a backend");
    if (!name) continue;
    if (std::find(known.begin(), known.end(), *name) == known.end()) {
      item.error(fmt::format("no backend is named {}{}", quote(*name), suggestion(*name, known)));
    } else if (std::find(tiers.begin(), tiers.end(), *name) != tiers.end()) {
      item.error(fmt::format("{} is listed twice", quote(*name)));
    } else {
      tiers.push_back(*name);
    }
  }
  return tiers;
}

}  // namespace weir::conf

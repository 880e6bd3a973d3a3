// A route's rule compiled for keys: which parts of a request name its response, and so what the
// app may see of the request ("the key is the truth", docs/KEYS.md). Immutable, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "conf/config.h"

namespace weir::keys {

// Made by compile_recipe only: the members after `fingerprint` follow from those before it.
struct Recipe {
  conf::QueryRule query;
  conf::LanguageRule language;
  conf::CookieRule cookies;
  std::vector<std::string> headers;       // lower case, sorted, without the built-in ones
  std::vector<http::FieldId> header_ids;  // parallel to `headers`
  std::vector<std::string> credentials;   // lower case patterns, besides the built-in ones
  bool hostname = true;
  bool sealed = false;
  std::string fixed_host;         // the Host sent when hostname is false
  std::uint64_t fingerprint = 0;  // of the key parts only, never of durations

  std::array<bool, http::kFieldIdCount> keyed_ids{};       // known fields that `headers` names
  std::array<bool, http::kFieldIdCount> credential_ids{};  // known fields that are credentials
  // First letters of other names that a scan must look at, whatever words they hold.
  std::uint32_t watched_letters = 0;

  bool keys(http::FieldId id) const { return keyed_ids[static_cast<std::size_t>(id)]; }
  // Whether `headers` names this field.
  bool keys_header(const http::FieldView& field) const;
  // Whether this field counts as Authorization: a credential that is not in the key.
  bool is_credential(const http::FieldView& field) const;
};

// `fixed_host` as upstream.host says, for rules with hostname: false.
Recipe compile_recipe(const conf::CacheRule& rule, std::string fixed_host);

// The fields that are in every key when present, since frameworks forget to Vary on them:
// HX-Request, Turbo-Frame, X-Inertia*, RSC and their like.
bool is_framework_field(std::string_view name);

}  // namespace weir::keys

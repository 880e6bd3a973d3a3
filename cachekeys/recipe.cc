#include "cachekeys/recipe.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "cachekeys/credentials.h"
#include "cachekeys/key.h"

namespace weir::keys {
namespace {

// First letters of the framework fields: h, n, r, t, x.
constexpr std::string_view kFrameworkLetters = "hnrtx";

void sort_unique(std::vector<std::string>& names) {
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
}

// Cookie and Host have rules of their own, which say the same more precisely.
void compile_headers(const std::vector<std::string>& names, Recipe& recipe) {
  for (const std::string& name : names) {
    const std::string lower = to_lower(name);
    if (lower == "cookie") {
      recipe.cookies.key = {"*"};
    } else if (lower == "host") {
      recipe.hostname = true;
    } else if (!is_framework_field(lower)) {
      recipe.headers.push_back(lower);
    }
  }
  sort_unique(recipe.headers);
  for (const std::string& name : recipe.headers) {
    const http::FieldId id = http::field_id(name);
    recipe.header_ids.push_back(id);
    if (id != http::FieldId::Other) recipe.keyed_ids[static_cast<std::size_t>(id)] = true;
  }
}

bool counts_as_credential(const Recipe& recipe, std::string_view name) {
  return is_known_credential(name) ||
         std::ranges::any_of(recipe.credentials, [&](const std::string& pattern) {
           return wildcard_match_ignore_case(pattern, name);
         });
}

void watch(std::string_view first, std::uint32_t& letters) {
  const char c = first.empty() ? '*' : first.front();
  letters |= c >= 'a' && c <= 'z' ? 1U << (c - 'a') : ~0U;
}

void compile_credentials(const std::vector<std::string>& names, Recipe& recipe) {
  for (const std::string& name : names) recipe.credentials.push_back(to_lower(name));
  for (std::size_t i = 1; i < http::kFieldIdCount; ++i) {
    const std::string_view name = http::field_name(static_cast<http::FieldId>(i));
    recipe.credential_ids[i] = !recipe.keyed_ids[i] && counts_as_credential(recipe, name);
  }
  recipe.watched_letters = known_credential_letters();
  for (const char c : kFrameworkLetters) watch({&c, 1}, recipe.watched_letters);
  for (const std::string& pattern : recipe.credentials) watch(pattern, recipe.watched_letters);
}

void append_names(const std::vector<std::string>& names, KeyBuffer& out) {
  out.append_count(names.size());
  for (const std::string& name : names) out.append(name);
}

std::uint64_t fingerprint(const Recipe& recipe) {
  KeyBuffer out;
  out.append_count(static_cast<std::uint64_t>(recipe.query.mode));
  append_names(recipe.query.only, out);
  append_names(recipe.query.ignore, out);
  out.append_count(recipe.query.keep_tracking ? 1 : 0);
  out.append_count(static_cast<std::uint64_t>(recipe.language.mode));
  append_names(recipe.language.list, out);
  append_names(recipe.cookies.key, out);
  append_names(recipe.cookies.session, out);
  append_names(recipe.cookies.ignore, out);
  out.append_count(static_cast<std::uint64_t>(recipe.cookies.other));
  append_names(recipe.headers, out);
  out.append_count(recipe.sealed ? 1 : 0);
  out.append_count(recipe.hostname ? 1 : 0);
  out.append(recipe.hostname ? std::string_view{} : recipe.fixed_host);
  return stable_hash64(out.view().bytes);
}

}  // namespace

bool Recipe::keys_header(const http::FieldView& field) const {
  if (field.id != http::FieldId::Other) return keys(field.id);
  return std::ranges::any_of(
      headers, [&](const std::string& name) { return equals_ignore_case(name, field.name); });
}

bool Recipe::is_credential(const http::FieldView& field) const {
  if (field.id != http::FieldId::Other) {
    return credential_ids[static_cast<std::size_t>(field.id)];
  }
  return counts_as_credential(*this, field.name) && !keys_header(field);
}

Recipe compile_recipe(const conf::CacheRule& rule, std::string fixed_host) {
  Recipe recipe;
  recipe.query = rule.query_params;
  recipe.language = rule.language;
  recipe.cookies = rule.cookies;
  recipe.hostname = rule.hostname;
  recipe.sealed = rule.sealed;
  recipe.fixed_host = std::move(fixed_host);
  // The order in which a rule lists names means nothing, except for languages.
  sort_unique(recipe.query.only);
  sort_unique(recipe.query.ignore);
  sort_unique(recipe.cookies.key);
  sort_unique(recipe.cookies.session);
  sort_unique(recipe.cookies.ignore);
  compile_headers(rule.headers, recipe);
  compile_credentials(rule.credentials, recipe);
  recipe.fingerprint = fingerprint(recipe);
  return recipe;
}

}  // namespace weir::keys

#include "proxy/values/value_entry.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "cachekeys/tags.h"

namespace weir::values {
namespace {

// Tags of the purge book that every value has. No app's tag begins with a control byte.
std::uint64_t tag_of(std::string_view backend) {
  std::string tag("\x01values");
  if (!backend.empty()) tag.append(":").append(backend);
  return keys::tag_hash(tag);
}

bool is_cleared(const backends::EntryMeta& meta, std::span<const std::uint64_t> own_tags,
                std::string_view backend, const flow::PurgeBook& book) {
  if (meta.seq == book.position()) return false;
  const std::array<std::uint64_t, 2> tags = {tag_of({}), tag_of(backend)};
  return book.check(meta.seq, {}, tags) != flow::PurgeVerdict::Alive ||
         (!own_tags.empty() && book.check(meta.seq, {}, own_tags) != flow::PurgeVerdict::Alive);
}

}  // namespace

void build_value_key(std::string_view name, keys::KeyBuffer& out) {
  out.clear();
  out.raw() += keys::kValueKeyVersion;
  out.raw() += name;
  out.seal();
}

std::string_view name_of_value(std::string_view key_bytes) {
  WEIR_CHECK(key_bytes.starts_with(keys::kValueKeyVersion));
  return key_bytes.substr(1);
}

backends::EntryParts value_parts(keys::KeyView key, const NewValue& value) {
  backends::EntryParts parts;
  parts.key = std::string(key.bytes);
  parts.hash = key.hash;
  parts.meta.response_ms = value.now_ms;
  parts.meta.lifetime_s = value.lifetime_s;
  parts.meta.seq = value.seq;
  parts.fields.add(http::FieldId::ContentType, value.content_type);
  parts.fields.add(http::FieldId::ContentLength, std::to_string(value.body_bytes));
  return parts;
}

std::optional<ValueAge> usable_value(const backends::EntryMeta& meta,
                                     std::span<const std::uint64_t> tags, std::string_view backend,
                                     const flow::PurgeBook& book, std::int64_t now_ms) {
  const std::int64_t here_ms = std::max<std::int64_t>(now_ms - meta.response_ms, 0);
  const std::int64_t age_s = meta.initial_age_s + here_ms / 1000;
  const std::int64_t ttl_s = meta.lifetime_s.value_or(0) - age_s;
  if (ttl_s <= 0 || is_cleared(meta, tags, backend, book)) return std::nullopt;
  return ValueAge{age_s, ttl_s};
}

void clear_values(flow::PurgeBook& book, std::string_view backend) {
  book.mark_tag(tag_of(backend));
}

}  // namespace weir::values

// The layout, in order:
//
//   fixed part, kFixedBytes      see write_fixed()
//   key, status line, fields     of the sizes told there; a marker has a key only
//   the hashes of its tags       8 bytes each; of many, padded with zeros to a multiple of 256
//   one checksum for each block  of kBlockBytes of the body; the last one may be shorter
//   the head's checksum          over everything before it
//   body                         a marker's lists stand here
#include "backends/record.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "backends/record_fixed.h"
#include "backends/sound_record.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/little_endian.h"

namespace weir::backends {
namespace {

constexpr std::size_t kTagBytes = 8;
constexpr std::size_t kFixedBytes = kRecordFixedBytes;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kBlockBytes = FarBody::kBlockBytes;
constexpr std::int64_t kClocksDiffer_ms = 60'000;

std::string_view take_bytes(std::string_view& in, std::size_t count) {
  const std::string_view taken = in.substr(0, count);
  in.remove_prefix(taken.size());
  return taken;
}

std::uint64_t blocks_of(std::uint64_t body_bytes) {
  return (body_bytes + kBlockBytes - 1) / kBlockBytes;
}

// ---- time ----

void to_written(EntryMeta& meta, const RecordTime& time) {
  if (time.is_dated) {
    meta.response_ms += time.ms;
    return;
  }
  meta.response_ms = std::min<std::int64_t>(meta.response_ms - time.ms, 0);
  meta.seq = 0;
}

void to_steady(EntryMeta& meta, const RecordTime& time) {
  meta.response_ms += time.is_dated ? -time.ms : time.ms;
  if (!time.is_dated) meta.seq = time.seq;
}

// ---- the body ----

std::string body_bytes(const Entry& entry) {
  if (entry.kind() == EntryKind::VaryMarker) return std::string(entry.marker_bytes());
  std::string body;
  body.reserve(entry.body_size());
  for (std::size_t i = 0; i < entry.body_parts(); ++i) body += entry.body_part(i);
  return body;
}

// Calls visit(block) for each block until it says false.
template <class Visit>
bool all_blocks(std::string_view body, Visit visit) {
  while (!body.empty()) {
    if (!visit(take_bytes(body, kBlockBytes))) return false;
  }
  return true;
}

// ---- the whole ----

struct Parts {
  RecordFixed fixed;
  std::string_view key;
  std::string_view status_line;
  std::string_view fields;
  std::string_view tags;
  std::string_view sums;  // of the body's blocks
  std::string_view body;  // where it was read with it
};

std::uint64_t head_bytes(const RecordFixed& fixed) {
  return kFixedBytes + std::uint64_t{fixed.key_size} + fixed.status_line_size + fixed.fields_size +
         fixed.tags * kTagBytes + (blocks_of(fixed.body_size) + 1) * kChecksumBytes;
}

// A record's parts up to its body, which is what is left of `bytes`; every byte of the head is as
// it was written.
Result<Parts> read_head(std::string_view& bytes) {
  std::string_view in = bytes;
  Result<RecordFixed> read = read_fixed(in);
  if (!read) return std::unexpected(read.error());
  Parts parts;
  parts.fixed = *read;
  const RecordFixed& fixed = parts.fixed;
  if (head_bytes(fixed) > bytes.size()) return corrupt("its sizes do not add up");
  parts.key = take_bytes(in, fixed.key_size);
  parts.status_line = take_bytes(in, fixed.status_line_size);
  parts.fields = take_bytes(in, fixed.fields_size);
  parts.tags = take_bytes(in, fixed.tags * kTagBytes);
  parts.sums = take_bytes(in, blocks_of(fixed.body_size) * kChecksumBytes);
  const std::string_view covered = bytes.substr(0, bytes.size() - in.size());
  if (take_number<std::uint64_t>(in) != stable_hash64(covered)) {
    return corrupt("its head has changed");
  }
  bytes = in;
  return parts;
}

// A whole record's parts; every byte of it is as it was written.
Result<Parts> read_parts(std::string_view bytes) {
  Result<Parts> parts = read_head(bytes);
  if (!parts) return parts;
  if (bytes.size() != parts->fixed.body_size) return corrupt("its sizes do not add up");
  std::string_view sums = parts->sums;
  const bool whole = all_blocks(bytes, [&](std::string_view block) {
    return take_number<std::uint64_t>(sums) == stable_hash64(block);
  });
  if (!whole) return corrupt("its body has changed");
  parts->body = bytes;
  return parts;
}

// What lies in `chunk` need not be copied, if little would be kept beside it.
Body make_body_within(const Ref<Chunk>& chunk, std::string_view body) {
  constexpr std::size_t kWasteShare = 8;
  if (!chunk || chunk->capacity() - body.size() > body.size() / kWasteShare) return make_body(body);
  Body within;
  const auto begin = static_cast<std::size_t>(body.data() - chunk->data());
  within.append({chunk, body.size(), begin});
  return within;
}

// The body as an entry keeps it: small ones inline, larger ones in a piece of their own.
EntryRef make_response(Entry::Source& source, std::string_view body, const Ref<Chunk>& chunk) {
  if (body.size() > Entry::kInlineBody) {
    source.body = make_ref<const StoredBody>(make_body_within(chunk, body));
  } else {
    source.inline_bytes = body;
  }
  return Entry::make(source);
}

// Everything before the body.
std::string encode_before(const Entry& entry, std::uint64_t body_size,
                          std::span<const std::uint64_t> sums, const RecordTime& time) {
  const bool is_response = entry.kind() == EntryKind::Response;
  const std::string_view head = entry.stored_head();
  const std::string_view fields = head.substr(0, is_response ? head.size() - 2 : 0);
  RecordFixed fixed;
  fixed.kind = entry.kind();
  fixed.meta = entry.meta();
  to_written(fixed.meta, time);
  fixed.dated = time.is_dated;
  fixed.key_size = static_cast<std::uint32_t>(entry.key().bytes.size());
  fixed.status_line_size = static_cast<std::uint32_t>(entry.status_line().size());
  fixed.fields_size = static_cast<std::uint32_t>(fields.size());
  fixed.body_size = body_size;
  const std::string_view tags = entry.tag_bytes();
  fixed.tags = told_tags(tags.size() / kTagBytes);

  std::string out;
  write_fixed(out, fixed);
  WEIR_CHECK(out.size() == kFixedBytes);
  out.append(entry.key().bytes).append(entry.status_line()).append(fields).append(tags);
  out.append(fixed.tags * kTagBytes - tags.size(), '\0');
  WEIR_CHECK(sums.size() == blocks_of(body_size));
  for (const std::uint64_t sum : sums) put_number(out, sum);
  put_number(out, stable_hash64(out));
  return out;
}

// The facts, on the steady clock.
Result<EntryMeta> meta_of(const RecordFixed& fixed, const RecordTime& time, std::int64_t now_ms) {
  if (fixed.dated != time.is_dated) return corrupt("dated otherwise than here");
  EntryMeta meta = fixed.meta;
  to_steady(meta, time);
  if (meta.response_ms > now_ms + kClocksDiffer_ms) return corrupt("of a time to come");
  meta.response_ms = std::min(meta.response_ms, now_ms);
  return meta;
}

// No tag's hash is 0.
std::string_view without_padding(std::string_view tags) {
  const std::size_t end = tags.find_last_not_of('\0');
  if (end == std::string_view::npos) return {};
  return tags.substr(0, (end / kTagBytes + 1) * kTagBytes);
}

// What a record says of its entry but for the body; Corrupt where that cannot be believed.
Result<Entry::Source> source_of(const Parts& parts, keys::KeyView key, const RecordTime& time,
                                std::int64_t now_ms, HeadTrust trust = HeadTrust::None) {
  if (parts.key != key.bytes) return corrupt("another key's");
  const Result<EntryMeta> meta = meta_of(parts.fixed, time, now_ms);
  if (!meta) return std::unexpected(meta.error());
  Entry::Source source;
  source.kind = parts.fixed.kind;
  source.key = key;
  source.meta = *meta;
  if (source.kind == EntryKind::VaryMarker) return source;
  if (trust == HeadTrust::None && !is_sound_head(parts.fixed.meta.status, parts.status_line,
                                                 parts.fields, parts.fixed.body_size)) {
    return corrupt("its head is no response's");
  }
  source.status_line = parts.status_line;
  source.fields = parts.fields;
  source.tags = without_padding(parts.tags);
  return source;
}

}  // namespace

std::uint64_t block_checksum(std::string_view block) {
  return stable_hash64(block);
}

std::string encode(const Entry& entry, const RecordTime& time) {
  const std::string body = body_bytes(entry);
  std::vector<std::uint64_t> sums;
  sums.reserve(blocks_of(body.size()));
  all_blocks(body, [&](std::string_view block) {
    sums.push_back(stable_hash64(block));
    return true;
  });
  return encode_before(entry, body.size(), sums, time).append(body);
}

std::string encode_head(const Entry& entry, std::span<const std::uint64_t> sums,
                        const RecordTime& time) {
  return encode_before(entry, entry.body_size(), sums, time);
}

namespace {

// The tags as the entry is to have them; `scratch` holds them where there is one more.
std::string_view with_tag(std::string_view tags, const RecordTime& time, std::string& scratch) {
  if (!time.tag || tags.size() / kTagBytes >= Entry::kMostTags) return tags;
  scratch.assign(tags);
  put_number(scratch, *time.tag);
  return scratch;
}

}  // namespace

Result<EntryRef> decode(std::string_view bytes, keys::KeyView key, const RecordTime& time,
                        std::int64_t now_ms, const Ref<Chunk>& chunk) {
  const Result<Parts> parts = read_parts(bytes);
  if (!parts) return std::unexpected(parts.error());
  Result<Entry::Source> source = source_of(*parts, key, time, now_ms);
  if (!source) return std::unexpected(source.error());
  if (source->kind == EntryKind::VaryMarker) {
    const bool bare = parts->status_line.empty() && parts->fields.empty();
    if (!bare || !is_sound_marker(parts->body)) return corrupt("a marker that is none");
    source->inline_bytes = parts->body;
    return Entry::make(*source);
  }
  std::string tags;
  source->tags = with_tag(source->tags, time, tags);
  return make_response(*source, parts->body, chunk);
}

std::optional<std::uint64_t> record_head_bytes(std::string_view first) {
  const Result<RecordFixed> fixed = read_fixed(first);
  return fixed ? std::optional(head_bytes(*fixed)) : std::nullopt;
}

Result<EntryRef> decode_head(std::string_view bytes, keys::KeyView key, const RecordTime& time,
                             std::int64_t now_ms, const MakeFarBody& make_body, HeadTrust trust) {
  const Result<Parts> parts = read_head(bytes);
  if (!parts) return std::unexpected(parts.error());
  if (!bytes.empty()) return corrupt("its sizes do not add up");
  Result<Entry::Source> source = source_of(*parts, key, time, now_ms, trust);
  if (!source) return std::unexpected(source.error());
  if (source->kind != EntryKind::Response) return corrupt("a marker that is none");
  std::string_view in = parts->sums;
  std::vector<std::uint64_t> sums;
  sums.reserve(in.size() / kChecksumBytes);
  while (!in.empty()) sums.push_back(take_number<std::uint64_t>(in));
  Ref<const FarBody> body = make_body(parts->fixed.body_size, std::move(sums));
  if (!body) return corrupt("its body is not there");
  source->body = make_ref<const StoredBody>(std::move(body));
  std::string tags;
  source->tags = with_tag(source->tags, time, tags);
  return Entry::make(*source);
}

Result<RecordSummary> summarize(std::string_view head, const RecordTime& time,
                                std::int64_t now_ms) {
  const Result<Parts> parts = read_head(head);
  if (!parts) return std::unexpected(parts.error());
  const Result<EntryMeta> meta = meta_of(parts->fixed, time, now_ms);
  if (!meta) return std::unexpected(meta.error());
  return RecordSummary{parts->key, parts->fixed.kind, *meta, parts->fixed.body_size};
}

std::optional<std::int64_t> record_time_ms(std::string_view bytes) {
  const Result<RecordFixed> fixed = read_fixed(bytes);
  return fixed && fixed->dated ? std::optional(fixed->meta.response_ms) : std::nullopt;
}

}  // namespace weir::backends

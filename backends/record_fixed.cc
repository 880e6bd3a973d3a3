#include "backends/record_fixed.h"

#include <limits>
#include <optional>

#include "backends/record.h"
#include "base/little_endian.h"

namespace weir::backends {
namespace {

constexpr std::uint32_t kMagic = 0x52494557;  // "WEIR"
constexpr std::uint8_t kVersion = 1;
// Far more than any disk: sums of sizes are numbers still.
constexpr std::uint64_t kMostBodyBytes = std::uint64_t{1} << 48U;
constexpr std::int64_t kAbsent = std::numeric_limits<std::int64_t>::min();
// Seconds are 31 bits of them at most (RFC 9111 1.2.2).
constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int32_t>::max();
// Milliseconds that are a time of anybody's: sums and differences of them are numbers still.
constexpr std::int64_t kMaxTimeMs = std::int64_t{1} << 53;

enum Flag : std::uint8_t {
  kValidateAlways = 1,
  kMustRevalidate = 2,
  kPersonal = 4,
  kDated = 8,
  kWithoutEncoding = 16,
  kVaries = 32,
  kManyTags = 64,  // they are counted in 256s
};
constexpr std::uint8_t kAllFlags = 127;
constexpr std::size_t kTagsUnit = 256;
static_assert(Entry::kMostTags < kTagsUnit * 255);

bool is_span(std::int64_t seconds) {
  return seconds >= 0 && seconds <= kMaxSeconds;
}

std::optional<std::int64_t> read_window(std::int32_t seconds) {
  return seconds < 0 ? std::nullopt : std::optional<std::int64_t>(seconds);
}

}  // namespace

std::size_t told_tags(std::size_t tags) {
  return tags < kTagsUnit ? tags : (tags + kTagsUnit - 1) / kTagsUnit * kTagsUnit;
}

void write_fixed(std::string& out, const RecordFixed& fixed) {
  const EntryMeta& meta = fixed.meta;
  const auto flags = static_cast<std::uint8_t>(
      (meta.validate_always ? kValidateAlways : 0) | (meta.must_revalidate ? kMustRevalidate : 0) |
      (meta.shared_with_personal ? kPersonal : 0) | (fixed.dated ? kDated : 0) |
      (meta.without_encoding ? kWithoutEncoding : 0) | (meta.varies ? kVaries : 0) |
      (fixed.tags < kTagsUnit ? 0 : kManyTags));
  put_number(out, kMagic);
  put_number(out, kVersion);
  put_number(out, static_cast<std::uint8_t>(fixed.kind));
  put_number(out, flags);
  put_number(
      out, static_cast<std::uint8_t>(fixed.tags < kTagsUnit ? fixed.tags : fixed.tags / kTagsUnit));
  put_number(out, meta.status);
  put_number(out, meta.origin);
  put_number(out, fixed.key_size);
  put_number(out, fixed.status_line_size);
  put_number(out, fixed.fields_size);
  put_number(out, fixed.body_size);
  put_number(out, meta.seq);
  put_number(out, meta.response_ms);
  put_number(out, meta.initial_age_s);
  put_number(out, meta.lifetime_s.value_or(kAbsent));
  const auto window = [](const std::optional<std::int64_t>& seconds) {
    return static_cast<std::int32_t>(seconds.value_or(-1));
  };
  put_number(out, window(meta.stale_while_revalidate_s));
  put_number(out, window(meta.stale_if_error_s));
}

Result<RecordFixed> read_fixed(std::string_view& in) {
  if (in.size() < kRecordFixedBytes) return corrupt("it is cut");
  if (take_number<std::uint32_t>(in) != kMagic) return corrupt("it is none");
  if (take_number<std::uint8_t>(in) != kVersion) return corrupt("of another version");
  RecordFixed fixed;
  const auto kind = take_number<std::uint8_t>(in);
  const auto flags = take_number<std::uint8_t>(in);
  const auto tags = take_number<std::uint8_t>(in);
  EntryMeta& meta = fixed.meta;
  meta.status = take_number<std::uint16_t>(in);
  meta.origin = take_number<std::uint16_t>(in);
  fixed.key_size = take_number<std::uint32_t>(in);
  fixed.status_line_size = take_number<std::uint32_t>(in);
  fixed.fields_size = take_number<std::uint32_t>(in);
  fixed.body_size = take_number<std::uint64_t>(in);
  meta.seq = take_number<std::uint64_t>(in);
  meta.response_ms = take_number<std::int64_t>(in);
  meta.initial_age_s = take_number<std::int64_t>(in);
  const auto lifetime_s = take_number<std::int64_t>(in);
  if (lifetime_s != kAbsent) meta.lifetime_s = lifetime_s;
  meta.stale_while_revalidate_s = read_window(take_number<std::int32_t>(in));
  meta.stale_if_error_s = read_window(take_number<std::int32_t>(in));
  if (kind > static_cast<std::uint8_t>(EntryKind::VaryMarker) || flags > kAllFlags) {
    return corrupt("unknown marks");
  }
  fixed.tags = std::size_t{tags} * ((flags & kManyTags) != 0 ? kTagsUnit : 1);
  if (meta.response_ms > kMaxTimeMs || meta.response_ms < -kMaxTimeMs) {
    return corrupt("a time that is none");
  }
  if (fixed.body_size > kMostBodyBytes) return corrupt("a body that is none");
  if (!is_span(meta.initial_age_s) || !is_span(meta.lifetime_s.value_or(0))) {
    return corrupt("an age or a lifetime that is none");
  }
  fixed.kind = static_cast<EntryKind>(kind);
  meta.validate_always = (flags & kValidateAlways) != 0;
  meta.must_revalidate = (flags & kMustRevalidate) != 0;
  meta.shared_with_personal = (flags & kPersonal) != 0;
  fixed.dated = (flags & kDated) != 0;
  meta.without_encoding = (flags & kWithoutEncoding) != 0;
  meta.varies = (flags & kVaries) != 0;
  return fixed;
}

}  // namespace weir::backends

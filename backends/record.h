// The one form of an entry as bytes: what a disk record and a Redis value hold. Everything is
// little-endian; docs/decisions/0004-entries-as-records.md gives the reasons, record.cc the layout.
//
// Checksums (XXH3-64, unseeded) find accidents: one over the head of the record, which covers the
// list of the body's blocks' checksums, so that a block of another record never passes. Whatever
// was read is parsed again as strictly as if the app had sent it now. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/entry.h"
#include "base/result.h"

namespace weir::backends {

// How a record tells when its response arrived. In memory that is a time of the steady clock, which
// means nothing outside of the process.
struct RecordTime {
  // By a clock that outlives the process: `ahead_ms` is what it is ahead of the steady one, when
  // writing and, perhaps by another amount, when reading.
  static RecordTime dated(std::int64_t ahead_ms) { return {true, ahead_ms}; }
  // By none: how long ago the response came at `written_ms` of the steady clock is written, and
  // whoever reads it knows since when it has lain there: `written_ms` on his own. No position of
  // the purge book is written either, for each reader has a book of his own: `seq` is the one.
  static RecordTime undated(std::int64_t written_ms, std::uint64_t seq = 0,
                            std::optional<std::uint64_t> tag = {}) {
    return {false, written_ms, seq, tag};
  }

  bool is_dated = true;
  std::int64_t ms = 0;
  std::uint64_t seq = 0;
  // One more of the entry's tags on this side: of all that comes from there.
  std::optional<std::uint64_t> tag = {};
};

std::string encode(const Entry& entry, const RecordTime& time);
// The entry of that key, at `now_ms` of the steady clock. Corrupt: anything but a sound record,
// whole and nothing behind it; another key's; written in another version, or dated where
// undated was asked for; and what arrives more than a minute from now, which would not grow old.
// Clocks that differ by less do so all the time: that is taken to arrive now.
//
// Who read `bytes` into a chunk, which is his to keep until this returns, hands that in: a large
// body may stay where it lies there, and shares it. Nobody may write to it again.
Result<EntryRef> decode(std::string_view bytes, keys::KeyView key, const RecordTime& time,
                        std::int64_t now_ms, const Ref<Chunk>& chunk = nullptr);

// ---- a record in two: its head here, its body where it is read from block by block ----

// Of one block of a body (FarBody::kBlockBytes, the last one may be shorter).
std::uint64_t block_checksum(std::string_view block);
// What stands before the body in a record of this entry, whose body may be far: `sums` are of its
// blocks.
std::string encode_head(const Entry& entry, std::span<const std::uint64_t> sums,
                        const RecordTime& time);

// The first bytes of a record, so many, tell how long its head is; unverified. Empty: it is none.
inline constexpr std::size_t kRecordFixedBytes = 72;
std::optional<std::uint64_t> record_head_bytes(std::string_view first);
// The entry of that head, exactly that long, with the body that `make_body` gives it (null: it is
// not there). Corrupt as for decode().
using MakeFarBody =
    std::function<Ref<const FarBody>(std::uint64_t bytes, std::vector<std::uint64_t> sums)>;
// Whether what the head says was parsed strictly before, and stands where only its writer has
// written since. Its checksum is compared all the same.
enum class HeadTrust : std::uint8_t { None, WasParsed };
Result<EntryRef> decode_head(std::string_view bytes, keys::KeyView key, const RecordTime& time,
                             std::int64_t now_ms, const MakeFarBody& make_body,
                             HeadTrust trust = HeadTrust::None);

// What a whole head says of its entry, to one who does not know the key yet. Corrupt as for
// decode(). The view is into `head`.
struct RecordSummary {
  std::string_view key;
  EntryKind kind = EntryKind::Response;
  EntryMeta meta;
  std::uint64_t body_bytes = 0;
};
Result<RecordSummary> summarize(std::string_view head, const RecordTime& time, std::int64_t now_ms);

// When the response of a dated record arrived, on the clock that it was written by; told from its
// first bytes, unverified. Empty: it is none.
std::optional<std::int64_t> record_time_ms(std::string_view first);

}  // namespace weir::backends

// The one form of an entry as bytes: what a disk record and a Redis value hold. Everything is
// little-endian; docs/decisions/0004-entries-as-records.md gives the reasons, record.cc the layout.
//
// Checksums (XXH3-64, unseeded) find accidents: one over the head of the record, which covers the
// list of the body's blocks' checksums, so that a block of another record never passes. Whatever
// was read is parsed again as strictly as if the app had sent it now. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backends/entry.h"
#include "base/result.h"

namespace weir::backends {

// How a record tells when its response arrived. In memory that is a time of the steady clock, which
// means nothing outside of the process.
struct RecordTime {
  // By a clock that outlives the process: `ahead_ms` is what it is ahead of the steady one, when
  // writing and, perhaps by another amount, when reading.
  static RecordTime dated(std::int64_t ahead_ms) { return {true, ahead_ms}; }
  // By none: the age that the response has at `written_ms` of the steady clock is written, and
  // whoever reads it knows since when it has lain there: `written_ms` on his own.
  static RecordTime undated(std::int64_t written_ms) { return {false, written_ms}; }

  bool is_dated = true;
  std::int64_t ms = 0;
};

std::string encode(const Entry& entry, const RecordTime& time);
// The entry of that key, at `now_ms` of the steady clock. Corrupt: anything but a sound record,
// whole and nothing behind it; another key's; written in another version, or dated where
// undated was asked for; and what arrives more than a minute from now, which would not grow old.
// Clocks that differ by less do so all the time: that is taken to arrive now.
Result<EntryRef> decode(std::string_view bytes, keys::KeyView key, const RecordTime& time,
                        std::int64_t now_ms);

// When the response of a dated record arrived, on the clock that it was written by; told from its
// first bytes, so many, unverified. Empty: it is none.
inline constexpr std::size_t kRecordTimeBytes = 72;
std::optional<std::int64_t> record_time_ms(std::string_view bytes);

}  // namespace weir::backends

// What the purge book says of an entry that somebody is about to use. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "backends/entry.h"
#include "proxy/flow/purge_book.h"

namespace weir::flow {

// What the marks say of what began at `seq` and is stored, or will be, under this key, with these
// tags.
PurgeVerdict purge_verdict(const PurgeBook& book, std::uint64_t seq, std::string_view key_bytes,
                           std::span<const std::uint64_t> tags = {});

// The facts about an entry of which the book says so: what was softly purged is as if its lifetime
// were over. Empty: it was purged, and must not be used.
std::optional<backends::EntryMeta> meta_under(PurgeVerdict verdict, backends::EntryMeta meta);

// The slow half: the book has moved on since the entry was looked at.
std::optional<backends::EntryMeta> meta_after_purges(const backends::Entry& entry,
                                                     const PurgeBook& book, std::uint64_t position);

// The facts to judge the entry by, as meta_under() has them.
inline std::optional<backends::EntryMeta> usable_meta(const backends::Entry& entry,
                                                      const PurgeBook& book) {
  const std::uint64_t position = book.position();
  if (entry.seq() == position) return entry.meta();
  return meta_after_purges(entry, book, position);
}

}  // namespace weir::flow

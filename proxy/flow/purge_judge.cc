#include "proxy/flow/purge_judge.h"

#include "cachekeys/purge_name.h"

namespace weir::flow {

PurgeVerdict purge_verdict(const PurgeBook& book, std::uint64_t seq, std::string_view key_bytes,
                           std::span<const std::uint64_t> tags) {
  return book.check(seq, keys::purge_name(key_bytes).value_or(keys::PurgeName{}), tags);
}

std::optional<backends::EntryMeta> meta_under(PurgeVerdict verdict, backends::EntryMeta meta) {
  if (verdict == PurgeVerdict::Dead) return std::nullopt;
  if (verdict == PurgeVerdict::Stale) meta.lifetime_s = 0;
  return meta;
}

// An entry that no mark is about is as good as one that was fetched now: so the next one who uses
// it has nothing to ask.
std::optional<backends::EntryMeta> meta_after_purges(const backends::Entry& entry,
                                                     const PurgeBook& book,
                                                     std::uint64_t position) {
  const PurgeVerdict verdict = purge_verdict(book, entry.seq(), entry.key().bytes, entry.tags());
  if (verdict == PurgeVerdict::Alive) entry.checked_up_to(position);
  return meta_under(verdict, entry.meta());
}

}  // namespace weir::flow

#include "proxy/flow/purge_judge.h"

#include "cachekeys/purge_name.h"

namespace weir::flow {

// An entry that no mark is about is as good as one that was fetched now: so the next one who uses
// it has nothing to ask.
std::optional<backends::EntryMeta> meta_after_purges(const backends::Entry& entry,
                                                     const PurgeBook& book,
                                                     std::uint64_t position) {
  const keys::PurgeName name = keys::purge_name(entry.key().bytes).value_or(keys::PurgeName{});
  backends::EntryMeta meta = entry.meta();
  switch (book.check(meta.seq, name)) {
    case PurgeVerdict::Alive:
      entry.checked_up_to(position);
      return meta;
    case PurgeVerdict::Stale:
      meta.lifetime_s = 0;
      return meta;
    case PurgeVerdict::Dead:
      break;
  }
  return std::nullopt;
}

}  // namespace weir::flow

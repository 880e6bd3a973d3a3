// A mark of the purge book as an entry of the fleet's log: as the names themselves, since each
// instance hashes them with a seed of its own. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/flow/purge_book.h"

namespace weir::flow {

// Of a mark that is about to be made, with its text.
std::string fleet_entry(const Mark& mark);
// The entry that says: everything that has this tag is stale.
std::string stale_tag_entry(std::uint64_t tag);

// Marks in `book` what the entry says. One that is not understood, of another version or damaged,
// is taken for a mark that kills everything: nothing is used that may have been purged.
void apply_entry(std::string_view entry, PurgeBook& book);

}  // namespace weir::flow

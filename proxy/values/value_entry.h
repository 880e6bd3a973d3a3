// A value as the backends keep it: an entry of its own kind of key, which knows its lifetime. It is
// told apart from pages by that key alone, in every backend. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "backends/entry.h"
#include "cachekeys/key.h"
#include "proxy/flow/purge_book.h"

namespace weir::values {

void build_value_key(std::string_view name, keys::KeyBuffer& out);
// Whose key it is. A view of it.
std::string_view name_of_value(std::string_view key_bytes);

// A value but for its body; `body_bytes` are what that will have.
struct NewValue {
  std::string_view content_type;
  std::int64_t lifetime_s = 0;
  std::uint64_t seq = 0;  // the purge book's position, when it was computed or set
  std::int64_t now_ms = 0;
  std::uint64_t body_bytes = 0;
};
backends::EntryParts value_parts(keys::KeyView key, const NewValue& value);

struct ValueAge {
  std::int64_t age_s = 0;
  std::int64_t ttl_s = 0;  // above 0
};
// Empty: its time is over, or it was cleared.
// `tags`: the entry's own. Stale is gone, for nobody can ask whether a value is still good.
std::optional<ValueAge> usable_value(const backends::EntryMeta& meta,
                                     std::span<const std::uint64_t> tags, std::string_view backend,
                                     const flow::PurgeBook& book, std::int64_t now_ms);

// All values that were set before: of one backend, or of all (empty). Nothing is looked for.
void clear_values(flow::PurgeBook& book, std::string_view backend);

}  // namespace weir::values

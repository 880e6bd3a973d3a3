// The first bytes of a record (record.h): what kind it is, its facts, the sizes of what follows.
// For the codec alone. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "backends/entry.h"
#include "base/result.h"

namespace weir::backends {

// An error that says what is wrong with a stored record.
inline auto corrupt(const char* why) {
  return fail(ErrorCode::Corrupt, std::string("a stored record: ") + why);
}

struct RecordFixed {
  EntryKind kind = EntryKind::Response;
  EntryMeta meta;
  bool dated = false;
  std::uint32_t key_size = 0;
  std::uint32_t status_line_size = 0;
  std::uint32_t fields_size = 0;
  std::uint64_t body_size = 0;
  std::size_t tags = 0;  // as told_tags() has them
};

// So many tags, and zeros behind them: as many as the fixed part can tell.
std::size_t told_tags(std::size_t tags);

// kRecordFixedBytes of them.
void write_fixed(std::string& out, const RecordFixed& fixed);
// Takes them from the front of `in`. Corrupt: they are none, or say what cannot be.
Result<RecordFixed> read_fixed(std::string_view& in);

}  // namespace weir::backends

// What stands in a file of marks (docs/DISK_FORMAT.md, "marks"), and when it is believed. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/flow/purge_mark.h"

namespace weir::flow {

// What a file begins with: the seed of the book's hashes, and the limit. No position beyond it is
// given out by the run that writes the file.
std::string marks_begin(std::uint64_t seed, std::uint64_t limit);
void append_mark(std::string& out, const Mark& mark, std::uint64_t seed);
// The limit once more, behind the marks that are written together: should one of them change, it
// shows, and is not taken for the end of a process.
void append_limit(std::string& out, std::uint64_t limit, std::uint64_t seed);
// What append_mark() adds.
std::size_t bytes_of_mark(const Mark& mark);

struct MarksRead {
  std::uint64_t seed = 0;
  std::uint64_t limit = 0;
  std::vector<Mark> marks;  // texts are views of the bytes that were read
};
// Corrupt: it must not be believed, for it may have told of more marks than can be found: its
// beginning is not sound, or sound records follow one that is not. Bytes at the end that are no
// record were being written when a process ended.
Result<MarksRead> read_marks(std::string_view bytes);

}  // namespace weir::flow

// Whether what a record says could have been written: a shared tier may hold, on purpose, what no
// checksum finds. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::backends {

// A response's head must be what make_entry() writes: of a status that is stored, nothing in it
// that belongs to a connection or is said anew, its length the body's, and the same bytes when it
// is written again: the status line and the fields each, for Weir's own go between the two.
bool is_sound_head(int status, std::string_view status_line, std::string_view fields,
                   std::uint64_t body_size);
// The lists of a marker.
bool is_sound_marker(std::string_view lists);

}  // namespace weir::backends

// What a head record says of its body: in which pieces it lies. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::backends::disk {

struct PiecePlace {
  std::uint64_t segment = 0;
  std::uint64_t at = 0;  // of its bytes, behind their frame
  std::uint64_t size = 0;
  friend bool operator==(const PiecePlace&, const PiecePlace&) = default;
};

// Three numbers each, and a checksum of them all.
void append_pieces(std::string& out, std::span<const PiecePlace> pieces);
// Empty: it is none, or has changed.
std::optional<std::vector<PiecePlace>> read_pieces(std::string_view bytes);

}  // namespace weir::backends::disk

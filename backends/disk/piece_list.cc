#include "backends/disk/piece_list.h"

#include "base/hash.h"
#include "base/little_endian.h"

namespace weir::backends::disk {
namespace {

constexpr std::size_t kPlaceBytes = 24;
constexpr std::size_t kSumBytes = 8;

}  // namespace

void append_pieces(std::string& out, std::span<const PiecePlace> pieces) {
  const std::size_t begin = out.size();
  for (const PiecePlace& piece : pieces) {
    put_number(out, piece.segment);
    put_number(out, piece.at);
    put_number(out, piece.size);
  }
  put_number(out, stable_hash64(std::string_view(out).substr(begin)));
}

std::optional<std::vector<PiecePlace>> read_pieces(std::string_view bytes) {
  if (bytes.size() < kSumBytes || (bytes.size() - kSumBytes) % kPlaceBytes != 0) {
    return std::nullopt;
  }
  std::string_view in = bytes.substr(0, bytes.size() - kSumBytes);
  std::string_view sum = bytes.substr(in.size());
  if (take_number<std::uint64_t>(sum) != stable_hash64(in)) return std::nullopt;
  std::vector<PiecePlace> pieces;
  pieces.reserve(in.size() / kPlaceBytes);
  while (!in.empty()) {
    PiecePlace piece;
    piece.segment = take_number<std::uint64_t>(in);
    piece.at = take_number<std::uint64_t>(in);
    piece.size = take_number<std::uint64_t>(in);
    pieces.push_back(piece);
  }
  return pieces;
}

}  // namespace weir::backends::disk

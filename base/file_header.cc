#include "base/file_header.h"

#include "base/hash.h"
#include "base/little_endian.h"

namespace weir {
namespace {

constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kNumberAt = 16;

}  // namespace

std::string file_header(const FileKind& kind, std::uint64_t number) {
  std::string out;
  put_number(out, kind.magic);
  put_number(out, kind.version);
  put_number(out, std::uint32_t{0});
  put_number(out, number);
  out.resize(kFileHeaderBytes - kChecksumBytes, '\0');
  put_number(out, stable_hash64(out));
  return out;
}

std::optional<std::uint64_t> read_file_header(const FileKind& kind, std::string_view bytes) {
  if (bytes.size() < kFileHeaderBytes) return std::nullopt;
  std::string_view in = bytes.substr(kNumberAt);
  const auto number = take_number<std::uint64_t>(in);
  if (bytes.substr(0, kFileHeaderBytes) != file_header(kind, number)) return std::nullopt;
  return number;
}

bool is_other_version(const FileKind& kind, std::string_view bytes) {
  if (bytes.size() < kVersionAt + sizeof kind.version) return false;
  std::string_view in = bytes;
  return take_number<std::uint64_t>(in) == kind.magic &&
         take_number<std::uint32_t>(in) != kind.version;
}

}  // namespace weir

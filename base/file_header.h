// What a file of Weir's own begins with: which kind of file, of which version, and a number that is
// this one's. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

// Magic, version, four zero bytes, the number, zeros, and the checksum of all these.
inline constexpr std::size_t kFileHeaderBytes = 64;

struct FileKind {
  std::uint64_t magic = 0;
  std::uint32_t version = 0;
};

std::string file_header(const FileKind& kind, std::uint64_t number);
// The number, where `bytes` begin with such a header, whole.
std::optional<std::uint64_t> read_file_header(const FileKind& kind, std::string_view bytes);
// Whether they begin as one of another version does.
bool is_other_version(const FileKind& kind, std::string_view bytes);

}  // namespace weir

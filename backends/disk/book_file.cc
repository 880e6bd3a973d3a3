#include "backends/disk/book_file.h"

#include <string>
#include <string_view>

#include "base/file_header.h"

namespace weir::backends::disk {
namespace {

constexpr FileKind kKind = {.magic = 0x4b4f4f4252494557, .version = 1};  // "WEIRBOOK"
constexpr std::string_view kName = "book";

}  // namespace

Result<std::optional<std::uint64_t>> BookFile::read() {
  Result<std::unique_ptr<File>> file = folder_->open(kName);
  if (!file && file.error().code == ErrorCode::System) return std::unexpected(file.error());
  if (!file) return std::nullopt;
  file_ = std::move(*file);
  const Result<std::string> bytes = read_at(*file_, 0, kFileHeaderBytes);
  return bytes ? read_file_header(kKind, *bytes) : std::nullopt;
}

Result<void> BookFile::write(std::uint64_t book) {
  if (!file_) {
    Result<std::unique_ptr<File>> made = begin_replacement(*folder_, kName);
    if (!made) return std::unexpected(made.error());
    file_ = std::move(*made);
  }
  // Half of it says nothing either.
  if (auto cut = file_->truncate(0); !cut) return cut;
  if (auto written = append_bytes(*file_, file_header(kKind, book)); !written) return written;
  if (auto synced = file_->sync(); !synced) return synced;
  return folder_->sync();
}

Result<void> BookFile::take_back() {
  if (!file_) return {};
  if (auto cut = file_->truncate(0); !cut) return cut;
  return file_->sync();
}

}  // namespace weir::backends::disk

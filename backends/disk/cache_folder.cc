// `weir-cache`, the folder's mark: magic, version, four zero bytes, the folder's id, zeros up to 56
// bytes, and the checksum of all these.
#include "backends/disk/cache_folder.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "backends/disk/segment_format.h"
#include "base/hash.h"
#include "base/little_endian.h"

namespace weir::backends::disk {
namespace {

constexpr std::uint64_t kMagic = 0x4b53494452494557;  // "WEIRDISK"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMarkBytes = 64;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::string_view kMark = "weir-cache";
constexpr std::string_view kNewMark = "weir-cache.new";
constexpr std::string_view kLock = "lock";

std::string mark_of(std::uint64_t id) {
  std::string out;
  put_number(out, kMagic);
  put_number(out, kVersion);
  put_number(out, std::uint32_t{0});
  put_number(out, id);
  out.resize(kMarkBytes - kChecksumBytes, '\0');
  put_number(out, stable_hash64(out));
  return out;
}

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(ErrorCode::Refused, path + " " + why);
}

constexpr std::string_view kEmptyIt =
    "; give the backend another cache_dir, or remove that folder while Weir is not running";

Result<std::uint64_t> read_mark(File& file, const std::string& path) {
  std::string bytes(kMarkBytes + 1, '\0');  // one that is longer is none
  const Result<std::size_t> got = file.read(0, bytes);
  if (!got) return std::unexpected(got.error());
  bytes.resize(*got);
  std::string_view in = bytes;
  const bool ours = in.size() >= 12 && take_number<std::uint64_t>(in) == kMagic;
  if (ours && take_number<std::uint32_t>(in) != kVersion) {
    return refuse(path, "was written by another version of Weir" + std::string(kEmptyIt));
  }
  if (ours && bytes.size() == kMarkBytes) {
    in.remove_prefix(4);
    const auto id = take_number<std::uint64_t>(in);
    if (bytes == mark_of(id)) return id;
  }
  return refuse(path, "holds a file weir-cache that Weir cannot read" + std::string(kEmptyIt));
}

// Under another name first, so that it is whole or not there, whatever happens meanwhile.
Result<void> write_mark(Folder& folder, std::uint64_t id) {
  if (const auto gone = folder.remove(kNewMark);
      !gone && gone.error().code != ErrorCode::NotFound) {
    return gone;
  }
  Result<std::unique_ptr<File>> file = folder.create(kNewMark);
  if (!file) return std::unexpected(file.error());
  const std::string bytes = mark_of(id);
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  if (auto written = (*file)->append(std::span(&part, 1)); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto renamed = folder.rename(kNewMark, kMark); !renamed) return renamed;
  return folder.sync();
}

bool is_ours(std::string_view name) {
  return name == kLock || name == kMark || name == kNewMark || segment_number(name).has_value();
}

// A folder without a mark is made a cache only where nothing else is kept in it.
Result<void> expect_no_strangers(const std::vector<std::string>& names, const std::string& path) {
  const auto stranger = std::ranges::find_if_not(names, is_ours);
  if (stranger == names.end()) return {};
  return refuse(path, "is no cache of Weir's and not empty: it holds " + *stranger +
                          "; give the backend a cache_dir of its own");
}

// The id of the mark that is there, or nothing where there is none.
Result<std::optional<std::uint64_t>> find_mark(Folder& folder, const std::string& path) {
  const Result<std::unique_ptr<File>> file = folder.open(kMark);
  if (!file && file.error().code == ErrorCode::NotFound) return std::nullopt;
  if (!file) return std::unexpected(file.error());
  return read_mark(**file, path);
}

Result<void> lock(Folder& folder, const std::string& path, std::string_view who) {
  Result<void> locked = folder.lock(kLock, who);
  if (locked || locked.error().code != ErrorCode::Refused) return locked;
  return refuse(path, "is in use by " + locked.error().message +
                          "; each process, and each backend, needs a cache_dir of its own");
}

}  // namespace

Result<CacheFolder> open_cache_folder(FileSystem& files, const std::string& path,
                                      std::string_view who, std::uint64_t fresh_id) {
  Result<std::unique_ptr<Folder>> folder = files.open_folder(path);
  if (!folder) return std::unexpected(folder.error());
  CacheFolder out{.folder = std::move(*folder), .id = fresh_id, .segments = {}};
  // Before anything is written, the lock included: it may be somebody's home.
  Result<std::optional<std::uint64_t>> mark = find_mark(*out.folder, path);
  if (!mark) return std::unexpected(mark.error());
  Result<std::vector<std::string>> names = out.folder->names();
  if (!names) return std::unexpected(names.error());
  if (!*mark) {
    if (const auto free = expect_no_strangers(*names, path); !free) {
      return std::unexpected(free.error());
    }
  }
  if (const auto locked = lock(*out.folder, path, who); !locked) {
    return std::unexpected(locked.error());
  }
  // Again: until then another process may have been at work there.
  mark = find_mark(*out.folder, path);
  names = out.folder->names();
  if (!mark) return std::unexpected(mark.error());
  if (!names) return std::unexpected(names.error());
  if (*mark) {
    out.id = **mark;
  } else if (const auto written = write_mark(*out.folder, fresh_id); !written) {
    return std::unexpected(written.error());
  }
  for (const std::string& name : *names) {
    if (const auto number = segment_number(name)) out.segments.push_back(*number);
  }
  std::ranges::sort(out.segments);
  return out;
}

}  // namespace weir::backends::disk

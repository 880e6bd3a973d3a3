// The folder of a disk backend (docs/DISK_FORMAT.md): made or recognised, locked against other
// processes, and which segments lie in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"

namespace weir::backends::disk {

struct CacheFolder {
  std::string path;                // as it was given
  std::shared_ptr<Folder> folder;  // holds the lock
  std::uint64_t id = 0;
  std::vector<std::uint64_t> segments;  // their numbers, ascending
};

// What opens or reads a cache, told: a medium that fails, or is full, is Unavailable.
template <class T>
Result<T> told_of_medium(Result<T> result) {
  const bool is_medium = !result && (result.error().code == ErrorCode::System ||
                                     result.error().code == ErrorCode::TooLarge);
  if (is_medium) result.error().code = ErrorCode::Unavailable;
  return result;
}

// May block; at start only. `who` names this process to one that finds the folder locked;
// `fresh_id` is the id that a new folder gets, drawn at random. Errors are sentences for the user:
// what is in the way, and what to do about it. Unavailable: its medium is read-only, full or fails,
// or this user may not write there. Any other: the folder is none for this cache. One that is not
// ours is left as it was, and so is one that other users can write to.
Result<CacheFolder> open_cache_folder(FileSystem& files, const std::string& path,
                                      std::string_view who, std::uint64_t fresh_id);

// Whether that would succeed, as far as it can be told without changing anything, and for this
// user. A folder that is missing is made. Blocks.
Result<void> check_cache_folder(FileSystem& files, const std::string& path);

// Whether it is still as it was opened: somebody may have emptied it. Else NotFound, or Refused
// where another cache lies there by now. Blocks.
Result<void> expect_still_there(const CacheFolder& folder);

}  // namespace weir::backends::disk

// `book` in a disk's folder: the number of the purge book that all who stored there had asked. What
// lies in the folder counts for a run with that same book alone, for only there is it known what
// was purged since (docs/DISK_FORMAT.md). On the executor, one caller at a time: it blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/file_system.h"
#include "base/result.h"

namespace weir::backends::disk {

class BookFile {
 public:
  explicit BookFile(std::shared_ptr<Folder> folder) : folder_(std::move(folder)) {}

  // What is said there; nothing where there is no such file, or none that is sound. Fails where it
  // cannot be opened for a reason that says nothing of what is in it.
  Result<std::optional<std::uint64_t>> read();
  // Says it, on the medium as well.
  Result<void> write(std::uint64_t book);
  // Says nothing any more. It needs neither room nor a new name, so that it can be done where
  // little else can: the file is held open since it was read or written.
  Result<void> take_back();

 private:
  std::shared_ptr<Folder> folder_;
  std::unique_ptr<File> file_;  // null: not opened yet, or not there
};

}  // namespace weir::backends::disk

// Files, behind a seam: what the disk does to us (full, failing, torn, lost) is played by a fake in
// tests (tests/support/fake_file_system.h). Only plain files of one folder, which is all that a
// store needs.
//
// Any thread may call these, but for a File's append(), which is one caller's at a time. Calls may
// block: never on a loop, unless it says otherwise.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

class File {
 public:
  virtual ~File() = default;

  // Reads up to into.size() bytes at this place; fewer only where the file ends.
  virtual Result<std::size_t> read(std::uint64_t at, std::span<char> into) = 0;
  // The same of what lies in memory anyway, and never waits for the medium: fewer bytes also where
  // the rest does not. For loops.
  virtual std::size_t read_resident(std::uint64_t at, std::span<char> into) = 0;
  // Writes all of it behind what is there. After a failure some of it may be there: size() tells.
  virtual Result<void> append(std::span<const iovec> parts) = 0;
  // Forgets what lies behind.
  virtual Result<void> truncate(std::uint64_t size) = 0;
  // Waits until the medium has what was written.
  virtual Result<void> sync() = 0;
  virtual std::uint64_t size() const = 0;
  // For sendfile; below 0: there is none, and bytes are to be read.
  virtual int descriptor() const = 0;
  // How many bytes from this place on lie in memory, of so many at most. For loops.
  virtual std::uint64_t resident_bytes(std::uint64_t at, std::uint64_t most) = 0;
  // When it was written to for the last time, by whomever: a value to compare. Empty: that cannot
  // be told. For loops.
  virtual std::optional<std::int64_t> modified() = 0;
};

// One folder, held open: what happens to its path meanwhile changes nothing.
class Folder {
 public:
  virtual ~Folder() = default;

  // A new file of ours (0600); one of that name must not be there.
  virtual Result<std::unique_ptr<File>> create(std::string_view name) = 0;
  // One that is there. Corrupt: it is no plain file, whether it could be opened or not: a link, a
  // folder, one that has a second name. Refused: it is closed to this user, or another's.
  virtual Result<std::unique_ptr<File>> open(std::string_view name) = 0;
  virtual Result<void> remove(std::string_view name) = 0;
  // Takes the place of what stands under that name, at once.
  virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
  // Waits until the medium has the names.
  virtual Result<void> sync() = 0;
  // In no order, without "." and "..".
  virtual Result<std::vector<std::string>> names() = 0;
  // What the file system has left for us, and its size.
  struct Space {
    std::uint64_t free = 0;
    std::uint64_t total = 0;
  };
  virtual Result<Space> space() = 0;
  // Whether other users may make and replace files here.
  virtual Result<bool> is_writable_for_others() = 0;
  // Keeps other processes out, by a lock on the file `name`, as long as the folder is held. Makes
  // the file where it is missing, and changes nothing in one that is there. InUse: another process
  // has it. Corrupt, Refused: as of open(), the latter also where it cannot be made.
  virtual Result<void> lock(std::string_view name) = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Makes the folder (0700) where it is missing, but not those above it. NotFound: of those one is
  // missing, or is none. Corrupt: what is there is no folder. Refused: this user may not.
  virtual Result<std::unique_ptr<Folder>> open_folder(const std::string& path) = 0;
  // What this user may do with what is at that path. Unknown: only opening it tells. Changes
  // nothing.
  enum class Access : std::uint8_t { Missing, Closed, ReadOnly, Writable, Unknown };
  virtual Access access(const std::string& path) = 0;
};

// The machine's.
FileSystem& system_files();

// `count` bytes at this place; fewer only where the file ends. May block.
Result<std::string> read_at(File& file, std::uint64_t place, std::size_t count);

// Writes them behind what is there, as File::append() has it.
Result<void> append_bytes(File& file, std::string_view bytes);

// ---- a file that takes another's place ----

// Begins it under another name: what a process has left there goes.
Result<std::unique_ptr<File>> begin_replacement(Folder& folder, std::string_view temporary);
// All of it is written: from now on it is `name`, on the medium as well. Whatever happens
// meanwhile, under that name stands the old one or this one, whole.
Result<void> finish_replacement(Folder& folder, File& file, std::string_view temporary,
                                std::string_view name);

}  // namespace weir

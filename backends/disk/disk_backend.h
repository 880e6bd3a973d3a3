// Entries in the files of one folder (docs/DISK_FORMAT.md): much room, slower than memory, and
// there after a restart. Look-ups answer at once where the bytes lie in memory anyway; otherwise,
// and for all that is written, the executor waits for the medium, and no loop does.
//
// When the medium fails, look-ups miss and stores are refused; it is tried again from time to time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "backends/backend.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/result.h"

namespace weir::backends {

struct DiskOptions {
  std::string name = "disk";
  std::string cache_dir = "cache";
  std::uint64_t max_size = std::uint64_t{1} << 30U;  // bytes on the medium, all files together
  std::uint64_t threshold = 0;                       // objects; 0 = no bound
  std::uint64_t min_free_bytes = 0;  // left to others on the file system: the larger of the two
  unsigned min_free_percent = 0;
  std::uint64_t max_object_size = std::uint64_t{256} << 20U;  // bytes of body
  std::int64_t default_expire_s = 300;
};

// The files that a folder of that size keeps open, as a rule.
std::uint64_t disk_descriptors(std::uint64_t max_size);

// What it stands on. All outlive it; it must not be destroyed on one of the executor's threads,
// for it waits there until everything is written.
struct DiskSeams {
  FileSystem& files;
  Executor& executor;
  const Clock& clock;
};

// Hears on the executor that the folder was removed while it was in use, and which one is in its
// place. What else lay there is gone.
using MadeAnew = std::function<void(std::shared_ptr<Folder>)>;

// Of a max_size, how many bytes others may take: OpenedDisk::most_kept_free.
std::uint64_t most_kept_free(std::uint64_t max_size);

struct OpenedDisk {
  std::shared_ptr<Backend> backend;
  std::shared_ptr<Folder> folder;  // for what else is to lie there: the purge book's marks
  bool was_empty = true;           // nothing was stored there before
  // Before anything is served: the number of the purge book that all who store here ask. What lies
  // there counts where it was stored under the same one; else it goes, and this is false.
  std::function<bool(std::uint64_t book)> use_book;
  // Every second or so: what could not be written is tried again, and what readers have left is
  // closed. As keep_free.
  std::function<void()> tend;
  // True: of that book more is known than is written down. Should the process end before this is
  // called with false, what lies there does not count for the next one. As keep_free.
  std::function<void(bool doubt)> doubt;
  // Goes by these sizes and times from now on; name and cache_dir stay. What is too much leaves by
  // whole segments, soon. As keep_free.
  std::function<void(const DiskOptions& options)> resize;
  // How many bytes of max_size that takes, to be told before it does. Does not wait until there is
  // room for them. Any thread, also when the backend is gone.
  std::function<void(std::uint64_t bytes)> keep_free;
  std::uint64_t most_kept_free = 0;  // not more than that
  // Who is told. He outlives the backend.
  std::function<void(MadeAnew)> on_made_anew;
};

// Whether that would find a folder that it can use, as far as it can be told without changing
// anything. Errors as there. Blocks.
Result<void> check_cache_dir(FileSystem& files, const std::string& cache_dir);

// Opens the folder, or makes it; what lies there is found little by little, while it is in use.
// Errors are sentences for the user: what is in the way, and what to do about it. Unavailable: the
// medium is read-only, full or fails, or this user may not write there; any other: it is no folder
// for this backend. Blocks: at start, and at a reload on a thread that serves nobody.
Result<OpenedDisk> open_disk_backend(DiskOptions options, const DiskSeams& seams);

}  // namespace weir::backends

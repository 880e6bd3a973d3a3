// The disks in use together, in the configuration's order: the purge book's marks lie with the
// first of them, and all of them hear when those cannot be written. Main thread, but for doubt().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backends/disk/disk_backend.h"
#include "base/executor.h"
#include "proxy/flow/mark_file.h"

namespace weir {

class DiskGroup {
 public:
  bool empty() const { return disks_.empty(); }
  const backends::OpenedDisk& first() const { return disks_.front(); }
  const std::vector<backends::OpenedDisk>& all() const { return disks_; }
  // The members from now on.
  void set(std::vector<backends::OpenedDisk> disks);

  // Any thread: as OpenedDisk::doubt, of each member, also of those to come.
  void doubt(bool doubt);
  // As OpenedDisk::tend.
  void tend();

 private:
  std::vector<backends::OpenedDisk> disks_;

  std::mutex mutex_;
  bool in_doubt_ = false;  // guarded by mutex_, as the next
  std::vector<std::function<void(bool)>> doubts_;
};

// The file of the marks in the folder of `first`, whose group is told of doubt. `seed`: as
// MarkFileOptions::fresh_seed, or, where the book is `in_use`, the book's.
Result<std::unique_ptr<flow::MarkFile>> open_marks(const backends::OpenedDisk& first,
                                                   const std::shared_ptr<DiskGroup>& group,
                                                   std::uint64_t seed, bool in_use,
                                                   Executor& executor);

}  // namespace weir

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
  backends::OpenedDisk& first() { return disks_.front(); }
  const std::vector<backends::OpenedDisk>& all() const { return disks_; }
  void add(backends::OpenedDisk disk);
  void clear();

  // Any thread: as OpenedDisk::doubt, of each that is in use, and of each that will be.
  void doubt(bool doubt);
  // As OpenedDisk::tend.
  void tend();

 private:
  std::vector<backends::OpenedDisk> disks_;

  std::mutex mutex_;
  bool in_doubt_ = false;  // guarded by mutex_, as the next
  std::vector<std::function<void(bool)>> doubts_;
};

// The file of the marks in the group's first disk, which there must be. `group` is told of doubt.
Result<std::unique_ptr<flow::MarkFile>> open_marks(const std::shared_ptr<DiskGroup>& group,
                                                   std::uint64_t fresh_seed, Executor& executor);

}  // namespace weir

#include "proxy/disk_group.h"

#include <utility>

namespace weir {

void DiskGroup::add(backends::OpenedDisk disk) {
  {
    const std::lock_guard lock(mutex_);
    doubts_.push_back(disk.doubt);
    if (in_doubt_) disk.doubt(true);
  }
  disks_.push_back(std::move(disk));
}

void DiskGroup::clear() {
  {
    const std::lock_guard lock(mutex_);
    doubts_.clear();
  }
  disks_.clear();
}

// Under the lock, so that a disk that has left hears nothing any more.
void DiskGroup::doubt(bool doubt) {
  const std::lock_guard lock(mutex_);
  in_doubt_ = doubt;
  for (const auto& tell : doubts_) tell(doubt);
}

void DiskGroup::tend() {
  for (const backends::OpenedDisk& disk : disks_) disk.tend();
}

Result<std::unique_ptr<flow::MarkFile>> open_marks(const std::shared_ptr<DiskGroup>& group,
                                                   std::uint64_t fresh_seed, Executor& executor) {
  const backends::OpenedDisk& first = group->first();
  return flow::MarkFile::open({.folder = first.folder,
                               .shown = "backend " + first.backend->name() + ": marks",
                               .fresh_seed = fresh_seed,
                               .most_bytes = first.most_kept_free,
                               .keep_free = first.keep_free,
                               .doubt = [group](bool doubt) { group->doubt(doubt); }},
                              executor);
}

}  // namespace weir

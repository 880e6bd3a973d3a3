#include "proxy/disk_group.h"

#include <utility>

namespace weir {

void DiskGroup::set(std::vector<backends::OpenedDisk> disks) {
  {
    const std::lock_guard lock(mutex_);
    doubts_.clear();
    for (const backends::OpenedDisk& disk : disks) {
      doubts_.push_back(disk.doubt);
      if (in_doubt_) disk.doubt(true);
    }
  }
  disks_ = std::move(disks);
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

Result<std::unique_ptr<flow::MarkFile>> open_marks(const backends::OpenedDisk& first,
                                                   const std::shared_ptr<DiskGroup>& group,
                                                   std::uint64_t seed, bool in_use,
                                                   Executor& executor) {
  return flow::MarkFile::open({.folder = first.folder,
                               .shown = "backend " + first.backend->name() + ": marks",
                               .fresh_seed = seed,
                               .begin_anew = in_use,
                               .most_bytes = first.most_kept_free,
                               .keep_free = first.keep_free,
                               .doubt = [group](bool doubt) { group->doubt(doubt); }},
                              executor);
}

}  // namespace weir

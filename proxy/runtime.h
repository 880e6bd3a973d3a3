// What a configuration amounts to at run time: its backends by name, the app's connections, and the
// site that they make with the routes; and what the process has beside it, whatever is configured:
// the tables that all loops share, and the file of the purge book's marks. Main thread, but for
// what it hands out. It goes when no loop uses any of it any more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/executor.h"
#include "base/result.h"
#include "conf/config.h"
#include "proxy/disk_group.h"
#include "proxy/flow/mark_file.h"
#include "proxy/flow/site.h"

namespace weir {

class Runtime {
 public:
  // Opens the backends. What fails says why in a sentence.
  static Result<std::unique_ptr<Runtime>> open(const std::shared_ptr<const conf::Config>& config);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  flow::SharedTables& tables() { return *tables_; }
  const std::shared_ptr<const flow::Site>& site() const { return site_; }

  // Every second or so: the disks do what was left to be done.
  void tend();

 private:
  using BackendMap = std::unordered_map<std::string, std::shared_ptr<backends::Backend>>;

  Runtime() = default;
  Result<void> open_backends(const conf::Config& config);
  Result<std::shared_ptr<backends::Backend>> open_disk(const conf::Backend& backend);
  Result<void> open_purge_book(std::uint64_t fill_memory);
  static std::shared_ptr<const flow::Site> make_site(std::shared_ptr<const conf::Config> config,
                                                     const BackendMap& backends);

  std::unique_ptr<ThreadPool> executor_;  // where there is a backend that blocks
  std::unique_ptr<flow::SharedTables> tables_;
  std::unique_ptr<flow::MarkFile> marks_;  // where there is a disk; of tables_->purges
  const std::shared_ptr<DiskGroup> disks_ = std::make_shared<DiskGroup>();
  BackendMap backends_;
  std::shared_ptr<const flow::Site> site_;
};

}  // namespace weir

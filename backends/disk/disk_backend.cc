#include "backends/disk/disk_backend.h"

#include <memory>
#include <utility>

#include "backends/disk/cache_folder.h"
#include "backends/disk/disk_store.h"
#include "backends/disk/volume.h"
#include "base/random.h"

namespace weir::backends {
namespace {

using disk::DiskStore;
using disk::KeptFree;
using disk::Volume;

class DiskBackend final : public Backend {
 public:
  explicit DiskBackend(std::shared_ptr<Volume> volume)
      : name_(volume->options().name), volume_(std::move(volume)) {}

  const std::string& name() const override { return name_; }
  std::unique_ptr<Store> attach(EventLoop& loop) override {
    return std::make_unique<DiskStore>(volume_, loop);
  }
  void clear() override { volume_->clear(); }
  std::uint64_t max_object_size() const override { return volume_->max_object_size(); }
  std::int64_t default_expire_s() const override { return volume_->default_expire_s(); }
  BackendStats stats() const override { return volume_->stats(); }

  std::shared_ptr<KeptFree> kept_free() const { return volume_->kept_free(); }
  Volume& volume() { return *volume_; }

 private:
  const std::string name_;
  const std::shared_ptr<Volume> volume_;
};

}  // namespace

std::uint64_t disk_descriptors(std::uint64_t max_size) {
  constexpr std::uint64_t kBesideSegments = 8;
  return disk::usual_segments(max_size) + kBesideSegments;
}

std::uint64_t most_kept_free(std::uint64_t max_size) {
  return disk::most_kept_free(max_size);
}

Result<void> check_cache_dir(FileSystem& files, const std::string& cache_dir) {
  return disk::check_cache_folder(files, cache_dir);
}

Result<OpenedDisk> open_disk_backend(DiskOptions options, const DiskSeams& seams) {
  Result<disk::CacheFolder> folder = disk::open_cache_folder(seams.files, options.cache_dir,
                                                             disk::process_name(), random_number());
  if (!folder) return std::unexpected(folder.error());
  OpenedDisk opened;
  opened.folder = folder->folder;
  opened.was_empty = folder->segments.empty();
  auto volume = disk::told_of_medium(Volume::open(std::move(options), seams, std::move(*folder)));
  if (!volume) return std::unexpected(volume.error());
  auto backend = std::make_shared<DiskBackend>(std::move(*volume));
  opened.use_book = [weak = std::weak_ptr(backend)](std::uint64_t book) {
    const auto there = weak.lock();
    return there && there->volume().use_book(book);
  };
  const auto if_there = [&](auto call) {
    return [weak = std::weak_ptr(backend), call](auto... arguments) {
      if (const auto there = weak.lock()) (there->volume().*call)(std::move(arguments)...);
    };
  };
  opened.on_made_anew = if_there(&Volume::on_made_anew);
  opened.tend = if_there(&Volume::tend);
  opened.doubt = if_there(&Volume::doubt);
  opened.resize = [weak = std::weak_ptr(backend)](const DiskOptions& sizes) {
    if (const auto there = weak.lock()) there->volume().resize(sizes);
  };
  opened.most_kept_free = disk::most_kept_free(backend->volume().options().max_size);
  opened.keep_free = [kept = backend->kept_free()](std::uint64_t bytes) { kept->set(bytes); };
  opened.backend = std::move(backend);
  return opened;
}

}  // namespace weir::backends

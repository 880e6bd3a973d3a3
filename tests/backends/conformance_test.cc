// The backends of this folder against the suite that all backends pass.
#include "backends/disk/disk_backend.h"
#include "backends/ram/ram_backend.h"
#include "backends/tiered.h"
#include "tests/backends/scripted_backend.h"
#include "tests/conformance/backend_suite.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/temp_dir.h"

namespace weir::backends::testing {
namespace {

class Delegate final : public BackendDelegate {
 public:
  Delegate(std::shared_ptr<Backend> backend, bool answers_now, bool counts_objects)
      : backend_(std::move(backend)), answers_now_(answers_now), counts_objects_(counts_objects) {}
  Backend& backend() override { return *backend_; }
  bool answers_now() const override { return answers_now_; }
  bool counts_objects() const override { return counts_objects_; }

 private:
  const std::shared_ptr<Backend> backend_;
  const bool answers_now_;
  const bool counts_objects_;
};

std::shared_ptr<Backend> ram(std::uint64_t max_object_size) {
  return make_ram_backend({.max_size = 4 * 1024 * 1024, .max_object_size = max_object_size});
}

std::unique_ptr<BackendDelegate> only_ram(std::uint64_t max_object_size) {
  return std::make_unique<Delegate>(ram(max_object_size), true, true);
}

std::unique_ptr<BackendDelegate> only_scripted(std::uint64_t max_object_size) {
  return std::make_unique<Delegate>(std::make_shared<ScriptedBackend>(max_object_size), false,
                                    true);
}

// Stores are reported later, too.
std::shared_ptr<ScriptedBackend> all_later(std::uint64_t max_object_size) {
  auto backend = std::make_shared<ScriptedBackend>(max_object_size);
  backend->hold_stores(false);
  return backend;
}

std::unique_ptr<BackendDelegate> only_later(std::uint64_t max_object_size) {
  return std::make_unique<Delegate>(all_later(max_object_size), false, true);
}

std::unique_ptr<BackendDelegate> ram_and_later(std::uint64_t max_object_size) {
  return std::make_unique<Delegate>(make_tiered({ram(8), all_later(max_object_size)}), false,
                                    false);
}

std::unique_ptr<BackendDelegate> ram_and_ram(std::uint64_t max_object_size) {
  return std::make_unique<Delegate>(make_tiered({ram(max_object_size), ram(max_object_size)}), true,
                                    false);
}

// The near tier holds small bodies only, so that some of the suite's live in the far one alone.
std::unique_ptr<BackendDelegate> ram_and_scripted(std::uint64_t max_object_size) {
  return std::make_unique<Delegate>(
      make_tiered({ram(8), std::make_shared<ScriptedBackend>(max_object_size)}), false, false);
}

// A disk of its own with all that it stands on.
struct DiskParts {
  test::FakeDisk fake;
  std::unique_ptr<FileSystem> files = fake.mount();
  test::TempDir folder;
  ThreadPool executor{2};

  std::shared_ptr<Backend> open(FileSystem& on, std::uint64_t max_object_size) {
    DiskOptions options;
    options.cache_dir = folder.file("cache");
    options.max_size = 16 * 1024 * 1024;
    options.max_object_size = max_object_size;
    return open_disk_backend(options, {on, executor, system_clock()}).value().backend;
  }
};

// The parts outlive the backend that stands on them.
class OnDisk final : public BackendDelegate {
 public:
  using Make = std::function<std::shared_ptr<Backend>(DiskParts&)>;
  OnDisk(const Make& make, bool counts_objects)
      : backend_(make(parts_)), counts_objects_(counts_objects) {}
  Backend& backend() override { return *backend_; }
  bool answers_now() const override { return false; }
  bool counts_objects() const override { return counts_objects_; }

 private:
  DiskParts parts_;
  const std::shared_ptr<Backend> backend_;
  const bool counts_objects_;
};

std::unique_ptr<BackendDelegate> real_disk(std::uint64_t max_object_size) {
  return std::make_unique<OnDisk>(
      [=](DiskParts& parts) { return parts.open(system_files(), max_object_size); }, true);
}

// Nothing of it is ever in memory: each look-up waits for the medium.
std::unique_ptr<BackendDelegate> slow_disk(std::uint64_t max_object_size) {
  return std::make_unique<OnDisk>(
      [=](DiskParts& parts) {
        parts.fake.set_resident(false);
        return parts.open(*parts.files, max_object_size);
      },
      true);
}

std::unique_ptr<BackendDelegate> ram_and_disk(std::uint64_t max_object_size) {
  return std::make_unique<OnDisk>(
      [=](DiskParts& parts) {
        return make_tiered({ram(8), parts.open(system_files(), max_object_size)});
      },
      false);
}

std::unique_ptr<BackendDelegate> ram_and_slow_disk(std::uint64_t max_object_size) {
  return std::make_unique<OnDisk>(
      [=](DiskParts& parts) {
        parts.fake.set_resident(false);
        return make_tiered({ram(8), parts.open(*parts.files, max_object_size)});
      },
      false);
}

INSTANTIATE_TEST_SUITE_P(
    All, BackendSuite,
    ::testing::Values(BackendCase{"Ram", only_ram}, BackendCase{"Scripted", only_scripted},
                      BackendCase{"Later", only_later}, BackendCase{"RamAndRam", ram_and_ram},
                      BackendCase{"RamAndLater", ram_and_later},
                      BackendCase{"RamAndScripted", ram_and_scripted},
                      BackendCase{"Disk", real_disk}, BackendCase{"SlowDisk", slow_disk},
                      BackendCase{"RamAndDisk", ram_and_disk},
                      BackendCase{"RamAndSlowDisk", ram_and_slow_disk}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace weir::backends::testing

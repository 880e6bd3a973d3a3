#include "tests/support/fake_file_system.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "tests/support/fake_medium.h"

namespace weir::test {

struct FakeDisk::State {
  std::mutex mutex;
  FakeMedium medium;
  struct Held {
    const void* holder;
    int process;
  };
  std::map<std::string, Held> locks;
  Fault fault;
  std::uint64_t free = UINT64_MAX;
  bool resident = true;
  bool shared = false;  // its folders, with other users
  int process = 0;      // the one that runs; others are gone
  std::map<std::string, int> calls;
  std::multiset<const FakeMedium::File*> open;

  // Not under the lock: a fault may hold its call for a while.
  std::optional<Error> fault_of(std::string_view operation, const std::string& name) {
    Fault told;
    {
      const std::lock_guard lock(mutex);
      ++calls[std::string(operation)];
      told = fault;
    }
    return told ? told(operation, name) : std::nullopt;
  }
};

namespace {

using StateRef = std::shared_ptr<FakeDisk::State>;

std::unexpected<Error> missing(const std::string& path) {
  return fail(ErrorCode::NotFound, path + ": no such file");
}

class FakeFile final : public File {
 public:
  FakeFile(StateRef state, int process, std::string path, FakeMedium::FileRef file)
      : state_(std::move(state)),
        process_(process),
        path_(std::move(path)),
        file_(std::move(file)) {
    state_->open.insert(file_.get());  // whoever makes it holds the lock
  }
  ~FakeFile() override {
    const std::lock_guard lock(state_->mutex);
    state_->open.erase(state_->open.find(file_.get()));
  }

  Result<std::size_t> read(std::uint64_t at, std::span<char> into) override {
    if (auto fault = state_->fault_of("read", path_)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    return copy(at, into);
  }
  std::size_t read_resident(std::uint64_t at, std::span<char> into) override {
    const std::lock_guard lock(state_->mutex);
    ++state_->calls["read_resident"];
    return state_->resident ? copy(at, into) : 0;
  }
  Result<void> append(std::span<const iovec> parts) override {
    if (auto fault = state_->fault_of("append", path_)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    if (process_ != state_->process) return {};
    for (const iovec& part : parts) {
      const std::uint64_t count = std::min<std::uint64_t>(part.iov_len, state_->free);
      file_->bytes.append(static_cast<const char*>(part.iov_base), count);
      if (state_->free != UINT64_MAX) state_->free -= count;
      if (count < part.iov_len) {
        return fail(ErrorCode::TooLarge, path_ + " cannot be written: no space left");
      }
    }
    return {};
  }
  Result<void> truncate(std::uint64_t size) override {
    if (auto fault = state_->fault_of("truncate", path_)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    if (process_ != state_->process) return {};
    file_->cut(size);
    return {};
  }
  Result<void> sync() override {
    if (auto fault = state_->fault_of("sync", path_)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    if (process_ == state_->process) file_->sync();
    return {};
  }
  std::uint64_t size() const override {
    const std::lock_guard lock(state_->mutex);
    return file_->bytes.size();
  }
  int descriptor() const override { return -1; }
  std::uint64_t resident_bytes(std::uint64_t, std::uint64_t) override { return 0; }
  std::optional<std::int64_t> modified() override { return std::nullopt; }

 private:
  std::size_t copy(std::uint64_t at, std::span<char> into) const {
    if (at >= file_->bytes.size()) return 0;
    const std::size_t count = std::min<std::size_t>(into.size(), file_->bytes.size() - at);
    std::memcpy(into.data(), file_->bytes.data() + at, count);
    return count;
  }

  const StateRef state_;
  const int process_;
  const std::string path_;
  const FakeMedium::FileRef file_;
};

class FakeFolder final : public Folder {
 public:
  FakeFolder(StateRef state, int process, std::string path)
      : state_(std::move(state)), process_(process), path_(std::move(path)) {}
  ~FakeFolder() override {
    const std::lock_guard lock(state_->mutex);
    std::erase_if(state_->locks, [&](const auto& held) { return held.second.holder == this; });
  }

  Result<std::unique_ptr<File>> create(std::string_view name) override {
    if (auto fault = state_->fault_of("create", full(name))) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    if (state_->medium.names().contains(full(name))) {
      return fail(ErrorCode::Refused, full(name) + " cannot be made: File exists");
    }
    auto file = std::make_shared<FakeMedium::File>();
    if (is_alive()) state_->medium.change({{}, full(name), file});
    return std::make_unique<FakeFile>(state_, process_, full(name), std::move(file));
  }
  Result<std::unique_ptr<File>> open(std::string_view name) override {
    if (auto fault = state_->fault_of("open", full(name))) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->medium.names().find(full(name));
    if (found == state_->medium.names().end()) return missing(full(name));
    return std::make_unique<FakeFile>(state_, process_, full(name), found->second);
  }
  Result<void> remove(std::string_view name) override {
    if (auto fault = state_->fault_of("remove", full(name))) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    if (!state_->medium.names().contains(full(name))) return missing(full(name));
    if (is_alive()) state_->medium.change({full(name), {}, nullptr});
    return {};
  }
  Result<void> rename(std::string_view from, std::string_view to) override {
    if (auto fault = state_->fault_of("rename", full(from))) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->medium.names().find(full(from));
    if (found == state_->medium.names().end()) return missing(full(from));
    if (!is_alive()) return {};
    state_->medium.change({full(from), full(to), found->second});
    return {};
  }
  Result<void> sync() override {
    if (auto fault = state_->fault_of("sync", path_)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    if (!is_alive()) return {};
    state_->medium.sync_names([&](const std::string& name) { return is_ours(name); });
    return {};
  }
  Result<std::vector<std::string>> names() override {
    if (auto fault = state_->fault_of("names", path_)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    std::vector<std::string> out;
    for (const auto& [name, file] : state_->medium.names()) {
      if (is_ours(name)) out.push_back(name.substr(path_.size() + 1));
    }
    return out;
  }
  Result<Space> space() override {
    if (auto fault = state_->fault_of("space", path_)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    return Space{state_->free, UINT64_MAX};
  }
  Result<bool> is_writable_for_others() override {
    if (auto fault = state_->fault_of("is_writable_for_others", path_)) {
      return std::unexpected(*fault);
    }
    const std::lock_guard lock(state_->mutex);
    return state_->shared;
  }
  Result<void> lock(std::string_view name) override {
    if (auto fault = state_->fault_of("lock", full(name))) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    const auto held = state_->locks.find(full(name));
    if (held != state_->locks.end() && held->second.process == state_->process) {
      return fail(ErrorCode::InUse, full(name) + " is locked by another process");
    }
    if (!is_alive()) return {};
    if (!state_->medium.names().contains(full(name))) {
      state_->medium.change({{}, full(name), std::make_shared<FakeMedium::File>()});
    }
    state_->locks[full(name)] = {this, process_};
    return {};
  }

 private:
  std::string full(std::string_view name) const { return path_ + "/" + std::string(name); }
  bool is_ours(const std::string& path) const { return path.starts_with(path_ + "/"); }
  bool is_alive() const { return process_ == state_->process; }

  const StateRef state_;
  const int process_;
  const std::string path_;
};

class FakeFileSystem final : public FileSystem {
 public:
  explicit FakeFileSystem(StateRef state) : state_(std::move(state)), process_(state_->process) {}

  Result<std::unique_ptr<Folder>> open_folder(const std::string& path) override {
    if (auto fault = state_->fault_of("open_folder", path)) return std::unexpected(*fault);
    const std::lock_guard lock(state_->mutex);
    return std::make_unique<FakeFolder>(state_, process_, path);
  }
  // A folder is there when a file is in it.
  Access access(const std::string& path) override {
    if (state_->fault_of("access", path)) return Access::Closed;
    const std::lock_guard lock(state_->mutex);
    const auto& names = state_->medium.names();
    const auto first = names.lower_bound(path + "/");
    const bool there = first != names.end() && first->first.starts_with(path + "/");
    return there ? Access::Writable : Access::Missing;
  }

 private:
  const StateRef state_;
  const int process_;
};

}  // namespace

FakeDisk::FakeDisk() : state_(std::make_shared<State>()) {}
FakeDisk::~FakeDisk() = default;

std::unique_ptr<FileSystem> FakeDisk::mount() {
  const std::lock_guard lock(state_->mutex);
  return std::make_unique<FakeFileSystem>(state_);
}

void FakeDisk::fails(Fault fault) {
  const std::lock_guard lock(state_->mutex);
  state_->fault = std::move(fault);
}

void FakeDisk::set_free(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->free = bytes;
}

void FakeDisk::set_resident(bool resident) {
  const std::lock_guard lock(state_->mutex);
  state_->resident = resident;
}

void FakeDisk::set_shared(bool shared) {
  const std::lock_guard lock(state_->mutex);
  state_->shared = shared;
}

void FakeDisk::kill_process() {
  const std::lock_guard lock(state_->mutex);
  ++state_->process;
}

void FakeDisk::lose_power(std::mt19937& random) {
  const std::lock_guard lock(state_->mutex);
  ++state_->process;
  state_->medium.lose_power(random);
}

std::string FakeDisk::bytes(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->medium.names().at(path)->bytes;
}

std::uint64_t FakeDisk::size(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->medium.names().at(path)->bytes.size();
}

std::uint64_t FakeDisk::size_of_all() const {
  const std::lock_guard lock(state_->mutex);
  std::uint64_t sum = 0;
  for (const auto& [name, file] : state_->medium.names()) sum += file->bytes.size();
  return sum;
}

std::uint64_t FakeDisk::size_of_nameless() const {
  const std::lock_guard lock(state_->mutex);
  std::set<const FakeMedium::File*> nameless(state_->open.begin(), state_->open.end());
  for (const auto& [name, file] : state_->medium.names()) nameless.erase(file.get());
  std::uint64_t sum = 0;
  for (const FakeMedium::File* file : nameless) sum += file->bytes.size();
  return sum;
}

void FakeDisk::change(const std::string& path, const std::function<void(std::string&)>& how) {
  const std::lock_guard lock(state_->mutex);
  how(state_->medium.names().at(path)->bytes);
}

void FakeDisk::put(const std::string& path, std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  const auto file = std::make_shared<FakeMedium::File>();
  file->bytes = std::move(bytes);
  file->sync();
  state_->medium.settle(path, file);
}

void FakeDisk::erase(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->medium.settle(path, nullptr);
  state_->locks.erase(path);  // it was of that file
}

bool FakeDisk::has(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  return state_->medium.names().contains(path);
}

std::vector<std::string> FakeDisk::paths() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> out;
  for (const auto& [name, file] : state_->medium.names()) out.push_back(name);
  return out;
}

std::map<std::string, int> FakeDisk::take_calls() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->calls, {});
}

}  // namespace weir::test

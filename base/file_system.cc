#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace weir {
namespace {

std::unexpected<Error> system_error(const std::string& what) {
  const int code = errno;
  const ErrorCode kind = code == ENOENT || code == ENOTDIR  ? ErrorCode::NotFound
                         : code == ENOSPC || code == EDQUOT ? ErrorCode::TooLarge
                         : code == EACCES || code == EPERM || code == EROFS || code == EEXIST
                             ? ErrorCode::Refused
                             : ErrorCode::System;
  return fail(kind, what + ": " + std::strerror(code));
}

// Until no signal comes in between.
template <class Call>
auto retried(Call call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Closes what it holds.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

// A file in the address space, for the sake of mincore alone: nobody touches it, so that it brings
// nothing into memory and never faults.
class Mapping {
 public:
  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { drop(); }

  // Of each page of these bytes of a file of `size`: whether it lies in memory, in its lowest bit.
  bool look(int fd, std::uint64_t size, std::uint64_t from, std::uint64_t end,
            unsigned char* pages) {
    const std::lock_guard lock(mutex_);
    if (end > size_) {
      drop();
      void* const mapped = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
      if (mapped == MAP_FAILED) return false;
      begin_ = static_cast<char*>(mapped);
      size_ = size;
    }
    return mincore(begin_ + from, end - from, pages) == 0;
  }

 private:
  void drop() {
    if (size_ > 0) munmap(begin_, size_);
    size_ = 0;
  }

  std::mutex mutex_;
  char* begin_ = nullptr;
  std::uint64_t size_ = 0;
};

class SystemFile final : public File {
 public:
  SystemFile(Descriptor fd, std::string name, std::uint64_t size)
      : fd_(std::move(fd)), name_(std::move(name)), size_(size) {}

  Result<std::size_t> read(std::uint64_t at, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got = retried([&] {
        return pread(fd_.get(), into.data() + done, into.size() - done,
                     static_cast<off_t>(at + done));
      });
      if (got < 0) return system_error(name_ + " cannot be read");
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  std::size_t read_resident(std::uint64_t at, std::span<char> into) override {
    iovec part{into.data(), into.size()};
    const ssize_t got = preadv2(fd_.get(), &part, 1, static_cast<off_t>(at), RWF_NOWAIT);
    return got < 0 ? 0 : static_cast<std::size_t>(got);
  }

  std::uint64_t resident_bytes(std::uint64_t at, std::uint64_t most) override {
    static const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    const std::uint64_t from = at / page * page;
    const std::uint64_t size = size_.load();
    const std::uint64_t end = std::min(at + most, size);
    if (end <= at) return 0;
    std::vector<unsigned char> pages((end - from + page - 1) / page);
    if (!mapping_.look(fd_.get(), size, from, end, pages.data())) return 0;
    const auto absent =
        std::ranges::find_if(pages, [](unsigned char one) { return (one & 1) == 0; });
    const std::uint64_t until = from + static_cast<std::uint64_t>(absent - pages.begin()) * page;
    return until <= at ? 0 : std::min(until, end) - at;
  }

  std::optional<std::int64_t> modified() override {
    struct stat status{};
    if (fstat(fd_.get(), &status) != 0) return std::nullopt;
    return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  }

  Result<void> append(std::span<const iovec> parts) override {
    std::vector<iovec> left(parts.begin(), parts.end());
    std::span<iovec> rest(left);
    while (true) {
      while (!rest.empty() && rest.front().iov_len == 0) rest = rest.subspan(1);
      if (rest.empty()) return {};
      const auto count = static_cast<int>(std::min<std::size_t>(rest.size(), kMostParts));
      const ssize_t written = retried(
          [&] { return pwritev(fd_.get(), rest.data(), count, static_cast<off_t>(size_.load())); });
      if (written < 0) return system_error(name_ + " cannot be written");
      if (written == 0) return fail(ErrorCode::System, name_ + " takes no more bytes");
      size_ += static_cast<std::uint64_t>(written);
      for (auto taken = static_cast<std::size_t>(written); taken > 0;) {
        iovec& front = rest.front();
        const std::size_t step = std::min(taken, front.iov_len);
        front.iov_base = static_cast<char*>(front.iov_base) + step;
        front.iov_len -= step;
        taken -= step;
        if (front.iov_len == 0) rest = rest.subspan(1);
      }
    }
  }

  Result<void> truncate(std::uint64_t size) override {
    if (retried([&] { return ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0) {
      return system_error(name_ + " cannot be cut");
    }
    size_ = size;
    return {};
  }
  Result<void> sync() override {
    if (retried([&] { return fdatasync(fd_.get()); }) == 0) return {};
    return system_error(name_ + " cannot be synced");
  }
  std::uint64_t size() const override { return size_; }
  int descriptor() const override { return fd_.get(); }

 private:
  static constexpr std::size_t kMostParts = 1024;  // IOV_MAX
  const Descriptor fd_;
  const std::string name_;
  std::atomic<std::uint64_t> size_;
  Mapping mapping_;
};

class SystemFolder final : public Folder {
 public:
  SystemFolder(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::unique_ptr<File>> create(std::string_view name) override {
    return open_as(name, O_RDWR | O_CREAT | O_EXCL, "made");
  }
  Result<std::unique_ptr<File>> open(std::string_view name) override {
    return open_as(name, O_RDWR, "opened");
  }
  Result<void> remove(std::string_view name) override {
    if (unlinkat(fd_.get(), std::string(name).c_str(), 0) == 0) return {};
    return system_error(shown(name) + " cannot be removed");
  }
  Result<void> rename(std::string_view from, std::string_view to) override {
    if (renameat(fd_.get(), std::string(from).c_str(), fd_.get(), std::string(to).c_str()) == 0) {
      return {};
    }
    return system_error(shown(from) + " cannot be renamed");
  }
  Result<void> sync() override {
    if (retried([&] { return fsync(fd_.get()); }) == 0) return {};
    return system_error(path_ + " cannot be synced");
  }
  Result<std::vector<std::string>> names() override;
  Result<Space> space() override {
    struct statvfs found{};
    if (fstatvfs(fd_.get(), &found) != 0) return system_error(path_ + " has no figures");
    return Space{std::uint64_t{found.f_bavail} * found.f_frsize,
                 std::uint64_t{found.f_blocks} * found.f_frsize};
  }
  Result<bool> is_writable_for_others() override {
    struct stat found{};
    if (fstat(fd_.get(), &found) != 0) return system_error(path_ + " has no figures");
    return (found.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  }
  Result<void> lock(std::string_view name) override;

 private:
  struct Plain {
    Descriptor fd;
    std::uint64_t size;
  };
  Result<Plain> open_plain(std::string_view name, int flags, const char* what);
  Result<std::unique_ptr<File>> open_as(std::string_view name, int flags, const char* what);
  std::string shown(std::string_view name) const { return path_ + "/" + std::string(name); }

  const Descriptor fd_;
  const std::string path_;
  std::optional<Descriptor> lock_;
};

bool is_plain(const struct stat& found) {
  return S_ISREG(found.st_mode) && found.st_nlink == 1;
}

Result<SystemFolder::Plain> SystemFolder::open_plain(std::string_view name, int flags,
                                                     const char* what) {
  const std::string path(name);
  struct stat found{};
  const auto expect_ours = [&]() -> Result<void> {
    if (!is_plain(found)) return fail(ErrorCode::Corrupt, shown(name) + " is no plain file");
    if (found.st_uid == geteuid()) return {};
    return fail(ErrorCode::Refused, shown(name) + " belongs to another user");
  };
  Descriptor fd(retried([&] {
    return openat(fd_.get(), path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  }));
  if (!fd.valid()) {
    const auto error = system_error(shown(name) + " cannot be " + what);
    // Each kind of what is none of ours fails in its own way: so it is asked what it is.
    const bool is_looked_for = (flags & O_EXCL) == 0;
    if (is_looked_for && fstatat(fd_.get(), path.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
      if (const auto ours = expect_ours(); !ours) return std::unexpected(ours.error());
    }
    return error;
  }
  if (fstat(fd.get(), &found) != 0) return system_error(shown(name) + " has no figures");
  if (const auto ours = expect_ours(); !ours) return std::unexpected(ours.error());
  return Plain{std::move(fd), static_cast<std::uint64_t>(found.st_size)};
}

Result<std::unique_ptr<File>> SystemFolder::open_as(std::string_view name, int flags,
                                                    const char* what) {
  Result<Plain> opened = open_plain(name, flags, what);
  if (!opened) return std::unexpected(opened.error());
  return std::make_unique<SystemFile>(std::move(opened->fd), shown(name), opened->size);
}

Result<std::vector<std::string>> SystemFolder::names() {
  const int copy =
      retried([&] { return openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  const std::unique_ptr<DIR, decltype([](DIR* entries) { closedir(entries); })> entries(
      copy < 0 ? nullptr : fdopendir(copy));
  if (entries == nullptr) {
    const auto error = system_error(path_ + " cannot be listed");
    if (copy >= 0) close(copy);
    return error;
  }
  std::vector<std::string> out;
  while (true) {
    errno = 0;  // or a failure looks like the end
    const dirent* const entry = readdir(entries.get());
    if (entry == nullptr && errno != 0) return system_error(path_ + " cannot be listed");
    if (entry == nullptr) return out;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") out.emplace_back(name);
  }
}

// flock belongs to the open file: it ends with the process, however that ends.
Result<void> SystemFolder::lock(std::string_view name) {
  Result<Plain> opened = open_plain(name, O_RDWR | O_CREAT, "opened");
  if (!opened) return std::unexpected(opened.error());
  if (retried([&] { return flock(opened->fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return system_error(shown(name) + " cannot be locked");
    return fail(ErrorCode::InUse, shown(name) + " is locked by another process");
  }
  lock_.emplace(std::move(opened->fd));
  return {};
}

class SystemFiles final : public FileSystem {
 public:
  Result<std::unique_ptr<Folder>> open_folder(const std::string& path) override {
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
      return system_error(path + " cannot be made");
    }
    Descriptor fd(
        retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.valid()) return std::make_unique<SystemFolder>(std::move(fd), path);
    // Not found: a link that leads nowhere.
    if (errno == ENOTDIR || errno == ENOENT || errno == ELOOP) {
      return fail(ErrorCode::Corrupt, path + " is no folder");
    }
    return system_error(path + " cannot be opened as a folder");
  }
  Access access(const std::string& path) override {
    const auto may_use = [&path](int flags) {
      return faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, flags) == 0;
    };
    if (may_use(AT_EACCESS)) return Access::Writable;
    // An older container engine answers so to system calls that it does not know, as the one that
    // takes flags. The other one knows of the real user, who is the effective one there.
    if (errno == EPERM && may_use(0)) return Access::Writable;
    switch (errno) {
      case ENOENT:
        return Access::Missing;
      case EROFS:
        return Access::ReadOnly;
      case EACCES:
      case EPERM:
        return Access::Closed;
      default:
        return Access::Unknown;
    }
  }
};

}  // namespace

FileSystem& system_files() {
  static SystemFiles files;
  return files;
}

Result<std::string> read_at(File& file, std::uint64_t place, std::size_t count) {
  std::string bytes(count, '\0');
  const Result<std::size_t> got = file.read(place, bytes);
  if (!got) return std::unexpected(got.error());
  bytes.resize(*got);
  return bytes;
}

Result<void> append_bytes(File& file, std::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  return file.append(std::span(&part, 1));
}

Result<std::unique_ptr<File>> begin_replacement(Folder& folder, std::string_view temporary) {
  if (const auto gone = folder.remove(temporary);
      !gone && gone.error().code != ErrorCode::NotFound) {
    return std::unexpected(gone.error());
  }
  return folder.create(temporary);
}

Result<void> finish_replacement(Folder& folder, File& file, std::string_view temporary,
                                std::string_view name) {
  if (auto synced = file.sync(); !synced) return synced;
  if (auto renamed = folder.rename(temporary, name); !renamed) return renamed;
  return folder.sync();
}

}  // namespace weir

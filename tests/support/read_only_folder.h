// A folder in which nothing can be made or removed: by root, whom modes do not stop, since it is
// immutable. Ends with the object.
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace weir::test {

class ReadOnlyFolder {
 public:
  explicit ReadOnlyFolder(std::string path) : path_(std::move(path)), done_(set(true)) {}
  ~ReadOnlyFolder() {
    if (done_) set(false);
  }
  ReadOnlyFolder(const ReadOnlyFolder&) = delete;
  ReadOnlyFolder& operator=(const ReadOnlyFolder&) = delete;

  // False: the file system has no such thing.
  bool done() const { return done_; }

 private:
  bool set(bool read_only) const {
    if (geteuid() != 0) return chmod(path_.c_str(), read_only ? 0500 : 0700) == 0;
    const int folder = open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags = 0;
    bool ok = ioctl(folder, FS_IOC_GETFLAGS, &flags) == 0;
    flags = read_only ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    ok = ok && ioctl(folder, FS_IOC_SETFLAGS, &flags) == 0;
    close(folder);
    return ok;
  }

  const std::string path_;
  const bool done_;
};

}  // namespace weir::test

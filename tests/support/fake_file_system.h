// A disk by hand: files in memory that fill up, fail, are torn, and lose what was not synced. Any
// thread may call it; what it is told to do counts from the next call on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"

namespace weir::test {

class FakeDisk {
 public:
  // What it does at a call: `operation` is "read", "append", "create", …; `name` the file's.
  // Anything but nothing is what the call fails with, after it has done nothing. It may take its
  // time: other calls go on meanwhile.
  using Fault =
      std::function<std::optional<Error>(std::string_view operation, std::string_view name)>;

  FakeDisk();
  ~FakeDisk();

  // A file system as the process has it that runs now. Those of a process that has crashed go on
  // as if nothing were: what they write is lost.
  std::unique_ptr<FileSystem> mount();

  void fails(Fault fault);
  // From now on so many bytes can be written in all; then appends end in the middle with ENOSPC.
  void set_free(std::uint64_t bytes);
  // Whether reads find their bytes in memory.
  void set_resident(bool resident);
  // Whether other users may write into its folders.
  void set_shared(bool shared);

  // The process is killed: what its calls had returned for stays, and its locks are free.
  void kill_process();
  // The machine loses power: of what was not synced each sector of 512 bytes stays, or is what it
  // was before (zeros, where there was nothing; or the file is shorter). A file that was cut may
  // have its old size again. Names too; of a rename the one or the other is left.
  void lose_power(std::mt19937& random);

  // ---- by hand ----
  // A file as it is at this moment; and changed in place, while no other call is under way.
  std::string bytes(const std::string& path) const;
  std::uint64_t size(const std::string& path) const;
  std::uint64_t size_of_all() const;
  // Of files that are open and have no name any more: they take room all the same.
  std::uint64_t size_of_nameless() const;
  void change(const std::string& path, const std::function<void(std::string& bytes)>& how);
  void put(const std::string& path, std::string bytes);
  void erase(const std::string& path);
  bool has(const std::string& path) const;
  std::vector<std::string> paths() const;
  // Calls since the last time this was asked.
  std::map<std::string, int> take_calls();

  // For the .cc.
  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace weir::test

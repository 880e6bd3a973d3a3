// A cache that outlives the process: the binary is ended, or killed, and started again on the same
// folders.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/support/temp_dir.h"

namespace weir::test {

// How a process ends.
enum class End : std::uint8_t { InOrder, Killed };  // SIGTERM, SIGKILL
std::string name_of(End end);

class Disk : public E2e {
 protected:
  // One disk backend in dir(), with these further keys, and one route over everything.
  std::string on_disk(std::string_view keys = "max_size: 64MiB") const {
    return on_disk_alone(keys) + std::string(kCacheAll);
  }
  // The same without a route.
  std::string on_disk_alone(std::string_view keys = "max_size: 64MiB") const {
    return "backends: { disk: { type: disk, cache_dir: " + dir() + ", min_free: 0, " +
           std::string(keys) + " } }\n";
  }
  std::string dir() const { return folder_.file("cache"); }
  std::string other_dir() const { return folder_.file("other"); }

  WeirProcess& begin(std::string_view yaml);
  // Ends the process.
  void end(End how);
  // Ends it and begins the next with the same configuration; waits until that has found what lies
  // there.
  void restart(End how);
  // Waits until the log says of so many folders what was found in them; of an empty one it does
  // not.
  void await_found(std::size_t folders);

  // Waits until each of these texts lies in a file of dir() or other_dir(): what was written before
  // it is there too.
  void await_written(std::vector<std::string> texts) const;
  // Lines of the process's log that hold this text.
  int log_lines(std::string_view text);
  void await_line(std::string_view text);

  // 200, whole, and this body.
  Response expect_body(const std::string& target, std::string_view body, const Fields& fields = {});
  // The same from the cache, without asking the app.
  Response expect_hit(const std::string& target, std::string_view body, const Fields& fields = {});

  TempDir folder_;

 private:
  std::size_t folders_with_segments() const;

  std::string yaml_;
};

// The segments of a cache_dir, the oldest first.
std::vector<std::string> segments_in(const std::string& folder);
// Has the kernel forget what it holds of them in memory: the next to read them waits for the
// medium.
void drop_from_memory(const std::vector<std::string>& paths);
// Empty where there is no such file.
std::string bytes_of(const std::string& path);

}  // namespace weir::test

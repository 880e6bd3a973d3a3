// A disk backend on a disk by hand, with a clock by hand: it can be restarted, killed and
// unplugged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "backends/disk/disk_backend.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_file_system.h"

namespace weir::backends::testing {

class DiskKit {
 public:
  DiskKit() {
    options.cache_dir = "cache";
    options.max_size = 16 * 1024 * 1024;
  }

  // ---- its lives ----
  void open() {
    OpenedDisk opened = open_disk_backend(options, {*files_, executor_, clock}).value();
    opened.use_book(book);
    keep_free = std::move(opened.keep_free);
    most_kept_free = opened.most_kept_free;
    doubt = std::move(opened.doubt);
    tend = std::move(opened.tend);
    resize = std::move(opened.resize);
    attach(std::move(opened.backend));
  }
  void close() {
    attached_.reset();
    files_ = disk.mount();
  }
  void restart() {
    close();
    open();
  }
  // kill -9: what the old process still does is lost.
  void kill() {
    disk.kill_process();
    restart();
  }
  void lose_power(std::mt19937& random) {
    disk.lose_power(random);
    restart();
  }

  // ---- what it does ----
  Attached& at() { return *attached_; }
  // One that arrived now, with a field of that value more than it needs, if there is one.
  EntryRef entry(std::string_view key, std::string_view body, std::string_view field = {}) {
    EntryParts parts;
    parts.key = std::string(key);
    parts.hash = hash128(key);
    parts.meta.response_ms = clock.now_ms();
    if (!field.empty()) parts.fields.add("X-Field", field);
    parts.fields.add("Content-Length", std::to_string(body.size()));
    parts.body = make_body(body);
    return make_entry(std::move(parts));
  }
  StoreResult put(std::string_view key, std::string_view body) {
    return at().put(entry(key, body));
  }
  std::optional<std::string> body_at(std::string_view key) {
    const EntryRef entry = at().find(key);
    return entry ? std::optional(text_of(*entry)) : std::nullopt;
  }
  // Until so many objects are known: recovery finds them little by little.
  void wait_for_objects(std::uint64_t count) {
    while (at().stats().objects < count) std::this_thread::yield();
  }
  // Until what was asked for before is done, an erasure or a removal as well.
  void wait_for_writes() { put("settled", "x"); }

  // It takes turns with what is written, a segment each.
  void wait_for_recovery() {
    for (int i = 0; i < 6; ++i) wait_for_writes();
  }

  // Bytes of all its files.
  std::uint64_t bytes_on_disk() const { return disk.size_of_all(); }
  std::vector<std::string> segments() {
    std::vector<std::string> out;
    for (const std::string& path : disk.paths()) {
      if (path.ends_with(".seg")) out.push_back(path);
    }
    return out;
  }

  test::FakeDisk disk;
  test::FakeClock clock;
  DiskOptions options;
  std::uint64_t book = 1;  // the purge book's number, of those that are opened from now on
  std::function<void(std::uint64_t bytes)> keep_free;  // of the one that was opened last,
  std::uint64_t most_kept_free = 0;                    // as these three
  std::function<void(bool doubt)> doubt;
  std::function<void()> tend;
  std::function<void(const DiskOptions& options)> resize;

 private:
  void attach(std::shared_ptr<Backend> backend) {
    attached_ = std::make_unique<Attached>(std::move(backend));
  }

  ThreadPool executor_{2};
  std::unique_ptr<FileSystem> files_ = disk.mount();
  std::unique_ptr<Attached> attached_;
};

}  // namespace weir::backends::testing

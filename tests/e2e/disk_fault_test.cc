// What happens to the disk while it is in use. Requests go on as if there were none; when it can be
// written to again it is, which the next start shows. The log says once that it began, and once
// that it is over.
#include <sched.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/disk_fixture.h"
#include "tests/support/read_only_folder.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;

// What the pages are like: of known length or not, whole or written while they arrive. Sixteen
// small ones fill a segment of the smallest size.
enum class Kind : std::uint8_t { Small, Chunked, Large, LargeChunked };
constexpr std::string_view kNames[] = {"Small", "Chunked", "Large", "LargeChunked"};

class DiskFault : public Disk {
 protected:
  DiskFault() {
    origin_.otherwise([](const Request& request) {
      if (request.path.find("Chunked") == std::string::npos)
        return cacheable(page(request.path), kFresh);
      return Reply(200).header("Cache-Control", kFresh).chunked().part(page(request.path));
    });
  }

  static std::string page(const std::string& path) {
    const bool large = path.starts_with("/Large");
    return path + ":" + patterned(large ? 400'000 : 4'000);
  }
  // Pages that nobody has asked for yet.
  std::vector<std::string> fresh_paths(int count, Kind kind = Kind::Small) {
    const std::string name = "/" + std::string(kNames[static_cast<std::size_t>(kind)]);
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i) out.push_back(name + std::to_string(++paths_) + ".");
    return out;
  }
  void expect_right(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) expect_body(path, page(path));
  }
  // New pages, until the log says this; each is answered as it should be.
  void ask_until(std::string_view line, Kind kind = Kind::Small) {
    ASSERT_TRUE(eventually([&] {
      expect_right(fresh_paths(5, kind));
      return log_lines(line) > 0;
    })) << line
        << "\n"
        << weir().log_text();
  }
  // What is asked for now is stored, as the next start shows.
  void expect_stored_again(End how = End::InOrder) {
    const std::vector<std::string> paths = fresh_paths(40);
    expect_right(paths);
    await_written({page(paths.back())});
    restart(how);
    for (const std::string& path : paths) expect_hit(path, page(path));
  }

  // Segments of 64 KiB.
  WeirProcess& begin_small() { return begin(on_disk("max_size: 2MiB")); }

 private:
  static constexpr const char* kFresh = "max-age=600";
  int paths_ = 0;
};

// ---- the folder ----

TEST_F(DiskFault, TheFolderIsRemoved) {
  // It is made anew.
  begin_small();
  const std::vector<std::string> paths = fresh_paths(50);
  expect_right(paths);
  fs::remove_all(dir());
  expect_right(paths);
  ask_until(dir() + " had been removed; it is there again, and empty");
  expect_right(paths);
  EXPECT_EQ(log_lines("cannot be written to"), 0) << weir().log_text();
  expect_stored_again();
}

TEST_F(DiskFault, TheFolderIsEmptied) {
  // As one empties other caches: its mark and its lock are there again, and it stays the same
  // cache.
  begin_small();
  const std::vector<std::string> paths = fresh_paths(50);
  expect_right(paths);
  for (const auto& entry : fs::directory_iterator(dir())) fs::remove(entry.path());
  expect_right(paths);
  ask_until(dir() + " had been removed; it is there again, and empty");
  expect_stored_again();
  EXPECT_EQ(log_lines("left alone"), 0) << weir().log_text();
}

class DiskReadOnly : public DiskFault, public testing::WithParamInterface<Kind> {};

INSTANTIATE_TEST_SUITE_P(Disk, DiskReadOnly,
                         testing::Values(Kind::Small, Kind::Chunked, Kind::Large,
                                         Kind::LargeChunked),
                         [](const auto& test) {
                           return std::string(kNames[static_cast<std::size_t>(test.param)]);
                         });

TEST_P(DiskReadOnly, WhatIsThereIsServedAndAfterwardsItIsWrittenToAgain) {
  // Whatever it is that is stored then. What is there already is served from there all the time.
  begin_small();
  const std::vector<std::string> paths = fresh_paths(50);
  expect_right(paths);
  await_written({page(paths.back())});
  {
    const ReadOnlyFolder fault(dir());
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    ask_until("cannot be written to", GetParam());
    expect_right(fresh_paths(20, GetParam()));
    for (const std::string& path : paths) expect_hit(path, page(path));
  }
  ask_until(dir() + " is written to again", GetParam());
  EXPECT_EQ(log_lines("cannot be written to"), 1) << weir().log_text();
  EXPECT_EQ(log_lines("is written to again"), 1) << weir().log_text();
  expect_stored_again();
}

// ---- the file system ----

// One of 4 MiB, which this process and those it starts see alone.
class DiskFull : public DiskFault {
 protected:
  void SetUp() override {
    fs::create_directory(dir());
    mounted_ = unshare(CLONE_NEWNS) == 0 &&
               mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               mount("tmpfs", dir().c_str(), "tmpfs", 0, "size=4m,mode=0700") == 0;
    if (!mounted_) GTEST_SKIP() << "no file system can be mounted here";
    begin(on_disk());
  }
  void TearDown() override {
    DiskFault::TearDown();
    if (mounted_) umount2(dir().c_str(), MNT_DETACH);
  }

  std::string ballast() const { return dir() + "/ballast"; }
  // Somebody else takes all that is free, whenever something is.
  void fill_until(std::string_view line) {
    ASSERT_TRUE(eventually([&] {
      std::ofstream file(ballast(), std::ios::app);
      while (file.write(block_.data(), 4096).flush()) {
      }
      expect_right(fresh_paths(5));
      return log_lines(line) > 0;
    })) << weir().log_text();
  }

 private:
  bool mounted_ = false;
  const std::string block_ = std::string(4096, 'x');
};

TEST_F(DiskFull, ItsOldestObjectsGiveWayAndThenNothingIsWritten) {
  // There is room for less than max_size from the start.
  expect_right(fresh_paths(2000));
  const std::vector<std::string> newest = fresh_paths(100);
  expect_right(newest);
  for (const std::string& path : newest) expect_hit(path, page(path));
  EXPECT_EQ(log_lines("disk: "), 0) << weir().log_text();
  fill_until("nothing is written to " + dir());
  expect_right(fresh_paths(50));
  fs::remove(ballast());
  ask_until(dir() + " is written to again");
  expect_stored_again(End::Killed);
}

TEST_F(DiskFull, TheLogSaysOnceThatAllFaultsAreOver) {
  fill_until("nothing is written to " + dir());
  {
    const ReadOnlyFolder fault(dir());
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    std::ofstream(ballast(), std::ios::trunc);
    ask_until("cannot be written to");
  }
  ask_until("is written to again");
  expect_right(fresh_paths(20));
  EXPECT_EQ(log_lines("nothing is written to"), 1) << weir().log_text();
  EXPECT_EQ(log_lines("cannot be written to"), 1) << weir().log_text();
  EXPECT_EQ(log_lines("is written to again"), 1) << weir().log_text();
}

// ---- the segments ----

TEST_F(DiskFault, SegmentsAreCut) {
  // What is lost is a miss, and never more than that.
  begin_small();
  const std::vector<std::string> paths = fresh_paths(100);
  expect_right(paths);
  for (const std::uintmax_t size :
       {std::uintmax_t{30'000}, std::uintmax_t{64}, std::uintmax_t{0}}) {
    for (const std::string& segment : segments_in(dir())) {
      if (fs::file_size(segment) > size) fs::resize_file(segment, size);
    }
    expect_right(paths);
    expect_right(paths);
  }
  expect_stored_again(End::InOrder);
  expect_stored_again(End::Killed);
}

}  // namespace
}  // namespace weir::test

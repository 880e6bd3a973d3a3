// The seam's promises, kept by the machine's file system and by the fake that plays the disk.
#include "base/file_system.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/fake_file_system.h"
#include "tests/support/temp_dir.h"

namespace weir {
namespace {

// A folder's path that is not there yet, in one of the two.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual FileSystem& files() = 0;
  virtual std::string path() = 0;
};

class RealDisk final : public Disk {
 public:
  FileSystem& files() override { return system_files(); }
  std::string path() override { return top_.file("folder"); }

 private:
  test::TempDir top_;
};

class PlayedDisk final : public Disk {
 public:
  FileSystem& files() override { return *files_; }
  std::string path() override { return "/cache"; }

 private:
  test::FakeDisk disk_;
  std::unique_ptr<FileSystem> files_ = disk_.mount();
};

struct DiskCase {
  const char* name;
  std::unique_ptr<Disk> (*make)();
};

class FileSystemTest : public testing::TestWithParam<DiskCase> {
 protected:
  std::unique_ptr<Folder> open() { return disk_->files().open_folder(disk_->path()).value(); }
  static void append(File& file, std::string_view a, std::string_view b = {}) {
    const iovec parts[] = {{const_cast<char*>(a.data()), a.size()},
                           {const_cast<char*>(b.data()), b.size()}};
    ASSERT_TRUE(file.append(parts));
  }
  static std::string read(File& file, std::uint64_t at, std::size_t most) {
    std::string out(most, '?');
    const Result<std::size_t> got = file.read(at, out);
    EXPECT_TRUE(got);
    out.resize(got.value_or(0));
    return out;
  }

  std::unique_ptr<Disk> disk_ = GetParam().make();
};

TEST_P(FileSystemTest, AppendsAndReadsAtAnyPlace) {
  const auto folder = open();
  const auto file = folder->create("one").value();
  append(*file, "abc", "defg");
  append(*file, "", "h");
  EXPECT_EQ(file->size(), 8U);
  EXPECT_EQ(read(*file, 2, 4), "cdef");
  EXPECT_EQ(read(*file, 6, 10), "gh");
  EXPECT_EQ(read(*file, 8, 10), "");
  EXPECT_EQ(read(*file, 100, 1), "");
  // Written a moment ago, so it lies in memory; if not, nothing is said.
  std::string out(4, '?');
  const std::size_t resident = file->read_resident(2, out);
  EXPECT_EQ(out.substr(0, resident), std::string("cdef").substr(0, resident));
  EXPECT_TRUE(file->sync());
}

TEST_P(FileSystemTest, GoesOnBehindWhatIsThere) {
  open()->create("one").value()->size();
  const auto folder = open();
  append(*folder->open("one").value(), "abc");
  const auto file = folder->open("one").value();
  EXPECT_EQ(file->size(), 3U);
  append(*file, "de");
  ASSERT_TRUE(file->truncate(4));
  append(*file, "X");
  EXPECT_EQ(read(*file, 0, 10), "abcdX");
}

TEST_P(FileSystemTest, SaysWhichFilesThereAre) {
  const auto folder = open();
  folder->create("b").value();
  folder->create("a").value();
  ASSERT_TRUE(folder->rename("b", "c"));
  ASSERT_TRUE(folder->remove("a"));
  ASSERT_TRUE(folder->sync());
  EXPECT_EQ(folder->names().value(), std::vector<std::string>{"c"});
  append(*folder->create("d").value(), "new");
  ASSERT_TRUE(folder->rename("d", "c")) << "it takes the other's place";
  EXPECT_EQ(read(*folder->open("c").value(), 0, 9), "new");
}

TEST_P(FileSystemTest, SaysWhatDoesNotGo) {
  const auto folder = open();
  folder->create("one").value();
  EXPECT_EQ(folder->create("one").error().code, ErrorCode::Refused);
  EXPECT_EQ(folder->open("two").error().code, ErrorCode::NotFound);
  EXPECT_EQ(folder->remove("two").error().code, ErrorCode::NotFound);
  EXPECT_EQ(folder->rename("two", "three").error().code, ErrorCode::NotFound);
  EXPECT_NE(folder->open("two").error().message.find(disk_->path() + "/two"), std::string::npos);
}

TEST_P(FileSystemTest, AFileThatWasRemovedIsThereForWhoHoldsIt) {
  const auto folder = open();
  const auto file = folder->create("one").value();
  append(*file, "abc");
  ASSERT_TRUE(folder->remove("one"));
  EXPECT_EQ(read(*file, 0, 3), "abc");
}

TEST_P(FileSystemTest, LocksOthersOutForAsLongAsItIsHeld) {
  auto folder = open();
  ASSERT_TRUE(folder->lock("lock"));
  const auto second = open();
  EXPECT_EQ(second->lock("lock").error().code, ErrorCode::InUse);
  EXPECT_TRUE(second->lock("other"));
  folder.reset();
  EXPECT_TRUE(second->lock("lock"));
}

TEST_P(FileSystemTest, ALockChangesNothingInItsFile) {
  const auto folder = open();
  append(*folder->create("mine").value(), "abc");
  for (const char* name : {"mine", "new"}) ASSERT_TRUE(folder->lock(name)) << name;
  EXPECT_EQ(read(*folder->open("mine").value(), 0, 9), "abc");
  EXPECT_EQ(read(*folder->open("new").value(), 0, 9), "");
}

TEST_P(FileSystemTest, AFolderIsMadeForItsUserAlone) {
  EXPECT_FALSE(open()->is_writable_for_others().value());
}

TEST_P(FileSystemTest, TellsHowMuchRoomThereIs) {
  const auto space = open()->space();
  ASSERT_TRUE(space);
  EXPECT_GT(space->free, 0U);
  EXPECT_GE(space->total, space->free);
}

INSTANTIATE_TEST_SUITE_P(
    Each, FileSystemTest,
    testing::Values(
        DiskCase{"Machine", [] { return std::unique_ptr<Disk>(std::make_unique<RealDisk>()); }},
        DiskCase{"Fake", [] { return std::unique_ptr<Disk>(std::make_unique<PlayedDisk>()); }}),
    [](const auto& each) { return each.param.name; });

// ---- the fake's alone ----

class FakeDiskTest : public testing::Test {
 protected:
  static void append(File& file, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    EXPECT_TRUE(file.append(std::span(&part, 1)));
  }

  test::FakeDisk disk;
  std::unique_ptr<FileSystem> files = disk.mount();
  std::unique_ptr<Folder> folder = files->open_folder("/cache").value();
};

TEST_F(FakeDiskTest, FailsAsItIsTold) {
  const auto file = folder->create("one").value();
  disk.fails([](std::string_view operation, std::string_view name) -> std::optional<Error> {
    if (operation != "append" || name != "/cache/one") return std::nullopt;
    return Error{ErrorCode::System, "Input/output error"};
  });
  const std::string_view bytes = "abc";
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  EXPECT_EQ(file->append(std::span(&part, 1)).error().message, "Input/output error");
  EXPECT_EQ(file->size(), 0U);
  EXPECT_TRUE(file->sync());
}

TEST_F(FakeDiskTest, FillsUpInTheMiddleOfAWrite) {
  const auto file = folder->create("one").value();
  disk.set_free(5);
  append(*file, "abc");
  const std::string_view bytes = "defg";
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  EXPECT_EQ(file->append(std::span(&part, 1)).error().code, ErrorCode::TooLarge);
  EXPECT_EQ(disk.bytes("/cache/one"), "abcde");
  EXPECT_EQ(folder->space()->free, 0U);
}

TEST_F(FakeDiskTest, OfAKilledProcessWhatItHadWrittenStays) {
  const auto file = folder->create("one").value();
  append(*file, "abc");
  ASSERT_TRUE(folder->lock("lock"));
  disk.kill_process();
  append(*file, "def");
  EXPECT_EQ(disk.bytes("/cache/one"), "abc");
  const auto next = disk.mount();
  EXPECT_TRUE(next->open_folder("/cache").value()->lock("lock"));
}

TEST_F(FakeDiskTest, LosesInAPowerCutWhatWasNotSynced) {
  // What was synced stays, whatever is drawn; of the rest anything may be left.
  std::mt19937 random(7);
  bool lost_a_name = false;
  bool lost_bytes = false;
  bool left_a_hole = false;
  for (int i = 0; i < 200; ++i) {
    const auto now = disk.mount()->open_folder("/cache").value();
    const std::string name = std::to_string(i);
    const auto kept = now->create(name).value();
    append(*kept, std::string(3000, 'a'));
    ASSERT_TRUE(kept->sync());
    ASSERT_TRUE(now->sync());
    append(*kept, std::string(3000, 'b'));
    append(*now->create(name + ".new").value(), "x");
    disk.lose_power(random);
    const std::string bytes = disk.bytes("/cache/" + name);
    ASSERT_EQ(bytes.substr(0, 3000), std::string(3000, 'a'));
    lost_bytes = lost_bytes || bytes.size() < 6000;
    left_a_hole = left_a_hole || bytes.find('\0') != std::string::npos;
    lost_a_name = lost_a_name || !disk.has("/cache/" + name + ".new");
  }
  EXPECT_TRUE(lost_a_name && lost_bytes && left_a_hole);
}

TEST_F(FakeDiskTest, ACutThatWasNotSyncedMayBeUndoneByAPowerCut) {
  struct Case {
    const char* what;
    std::size_t cut_to;
    std::size_t appended;
    bool synced;
    std::set<std::size_t> sizes;  // that it may have afterwards, all of them in the end
  };
  const Case cases[] = {
      {"cut", 1000, 0, false, {1000, 3000}},
      {"cut to nothing", 0, 0, false, {0, 3000}},
      {"cut and synced", 1000, 0, true, {1000}},
      {"written behind the cut", 1000, 20, false, {1000, 1020, 3000}},
      {"written beyond the old end",
       1000,
       2100,
       false,
       {1000, 1024, 1536, 2048, 2560, 3000, 3072, 3100}},
  };
  std::mt19937 random(3);
  for (const Case& each : cases) {
    std::set<std::size_t> sizes;
    for (int i = 0; i < 500; ++i) {
      disk.put("/cache/one", std::string(3000, 'a'));
      const auto file = disk.mount()->open_folder("/cache").value()->open("one").value();
      ASSERT_TRUE(file->truncate(each.cut_to));
      append(*file, std::string(each.appended, 'b'));
      ASSERT_TRUE(!each.synced || file->sync());
      disk.lose_power(random);
      const std::string bytes = disk.bytes("/cache/one");
      ASSERT_EQ(bytes.substr(0, each.cut_to), std::string(each.cut_to, 'a')) << each.what;
      sizes.insert(bytes.size());
    }
    EXPECT_EQ(sizes, each.sizes) << each.what;
  }
}

TEST_F(FakeDiskTest, APowerCutLeavesTheOneNameOfARenameOrTheOther) {
  // The file and its old name are synced; where another file then stands is no matter.
  std::mt19937 random(5);
  std::set<std::string> left;
  for (int i = 0; i < 200; ++i) {
    disk.erase("/cache/new");
    disk.put("/cache/old", "it");
    const auto now = disk.mount()->open_folder("/cache").value();
    const bool replaces = i % 2 == 0;
    if (replaces) disk.put("/cache/new", "replaced");
    ASSERT_TRUE(now->rename("old", "new"));
    const bool follows = i % 3 == 0;
    if (follows) now->create("old").value();
    disk.lose_power(random);
    const bool at_old = disk.has("/cache/old") && disk.bytes("/cache/old") == "it";
    const bool at_new = disk.has("/cache/new") && disk.bytes("/cache/new") == "it";
    ASSERT_NE(at_old, at_new) << i;
    ASSERT_TRUE(!replaces || disk.has("/cache/new"));
    left.insert(at_old ? "old" : "new");
  }
  EXPECT_EQ(left, (std::set<std::string>{"new", "old"}));
}

}  // namespace
}  // namespace weir

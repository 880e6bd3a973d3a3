#include "backends/disk/cache_folder.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/fake_file_system.h"

namespace weir::backends::disk {
namespace {

class CacheFolderTest : public testing::Test {
 protected:
  Result<CacheFolder> open(std::uint64_t fresh_id = 7) {
    return open_cache_folder(*files_, "/cache", "weir, process 12", fresh_id);
  }
  void expect_refused(std::string_view why) {
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::Refused);
    EXPECT_NE(opened.error().message.find(why), std::string::npos) << opened.error().message;
    EXPECT_TRUE(opened.error().message.starts_with("/cache ")) << opened.error().message;
  }
  void put(std::string_view name) { files_->open_folder("/cache").value()->create(name).value(); }

  test::FakeDisk disk_;
  std::unique_ptr<FileSystem> files_ = disk_.mount();
};

TEST_F(CacheFolderTest, IsTheSameOneTheNextTime) {
  EXPECT_EQ(open(7)->id, 7U);
  put("000000000000000a.seg");
  put("0000000000000002.seg");
  put("000000000000000A.seg");  // none of ours: left alone
  const auto again = open(8);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id, 7U);
  EXPECT_EQ(again->segments, (std::vector<std::uint64_t>{2, 10}));
  EXPECT_TRUE(disk_.has("/cache/000000000000000A.seg"));
}

TEST_F(CacheFolderTest, IsForOneProcessAtATime) {
  const auto first = open();
  ASSERT_TRUE(first);
  expect_refused("is in use by weir, process 12; each process");
}

TEST_F(CacheFolderTest, OfSomebodyElseIsLeftAsItWas) {
  put("photo.jpg");
  put("000000000000000a.seg");
  expect_refused("is no cache of Weir's and not empty: it holds photo.jpg; give the backend");
  EXPECT_EQ(disk_.paths(),
            (std::vector<std::string>{"/cache/000000000000000a.seg", "/cache/photo.jpg"}));
}

TEST_F(CacheFolderTest, WhoseMarkCannotBeBelievedIsNotUsed) {
  ASSERT_TRUE(open());
  const std::string mark = disk_.bytes("/cache/weir-cache");
  ASSERT_EQ(mark.size(), 64U);
  EXPECT_EQ(mark.substr(0, 8), "WEIRDISK");
  for (std::size_t i = 0; i < mark.size(); ++i) {
    disk_.bytes("/cache/weir-cache") = mark;
    disk_.bytes("/cache/weir-cache")[i] ^= 1;
    const bool version = i >= 8 && i < 12;
    expect_refused(version ? "was written by another version of Weir; give the backend another"
                           : "holds a file weir-cache that Weir cannot read; give the backend");
  }
  for (const std::string& other : {std::string(), mark.substr(0, 63), mark + "x"}) {
    disk_.bytes("/cache/weir-cache") = other;
    expect_refused("holds a file weir-cache that Weir cannot read");
  }
  disk_.bytes("/cache/weir-cache") = mark;
  EXPECT_TRUE(open());
}

TEST_F(CacheFolderTest, SaysWhatTheFileSystemSays) {
  for (const char* call :
       {"open_folder", "names", "open", "lock", "create", "append", "sync", "rename"}) {
    disk_.fails([call](std::string_view operation, std::string_view) -> std::optional<Error> {
      if (operation != call) return std::nullopt;
      return Error{ErrorCode::System, std::string(call) + ": Input/output error"};
    });
    const auto opened = open();
    ASSERT_FALSE(opened) << call;
    EXPECT_EQ(opened.error().message, std::string(call) + ": Input/output error");
  }
  disk_.fails(nullptr);
  EXPECT_TRUE(open()) << "what a failed attempt has left is in nobody's way";
}

TEST_F(CacheFolderTest, IsWholeOrNewAfterAPowerCutWhileItWasMade) {
  std::mt19937 random(9);
  for (int round = 0; round < 200; ++round) {
    test::FakeDisk disk;
    // The machine goes off at one of the calls.
    const int last = static_cast<int>(random() % 12);
    int calls = 0;
    disk.fails([&calls, last](std::string_view, std::string_view) -> std::optional<Error> {
      if (calls++ < last) return std::nullopt;
      return Error{ErrorCode::System, "the power is going"};
    });
    const auto files = disk.mount();
    const bool made = open_cache_folder(*files, "/cache", "first", 7).has_value();
    disk.fails(nullptr);
    disk.lose_power(random);
    const auto next = disk.mount();
    const auto opened = open_cache_folder(*next, "/cache", "second", 8);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE(!made || opened->id == 7U) << "it was told to be there";
  }
}

}  // namespace
}  // namespace weir::backends::disk

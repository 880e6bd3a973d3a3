#include "backends/disk/cache_folder.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/fake_file_system.h"

namespace weir::backends::disk {
namespace {

class CacheFolderTest : public testing::Test {
 protected:
  Result<CacheFolder> open(std::uint64_t fresh_id = 7) {
    return open_cache_folder(*files_, "/cache", "process 12", fresh_id);
  }
  void expect_refused(std::string_view why, ErrorCode code = ErrorCode::Refused) {
    const auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code) << why;
    EXPECT_NE(opened.error().message.find(why), std::string::npos) << opened.error().message;
    EXPECT_TRUE(opened.error().message.starts_with("/cache ")) << opened.error().message;
  }
  void put(std::string_view name) { disk_.put("/cache/" + std::string(name), ""); }
  void fails_at(std::string call, ErrorCode code, std::string name = "") {
    disk_.fails([=](std::string_view operation, std::string_view path) -> std::optional<Error> {
      if (operation != call || !path.ends_with(name)) return std::nullopt;
      return Error{code, call + " goes wrong"};
    });
  }

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

TEST_F(CacheFolderTest, IsCheckedWithoutBeingTouched) {
  const auto checked = [&] {
    const auto result = check_cache_folder(*files_, "/cache");
    return result ? "" : result.error().message;
  };
  EXPECT_EQ(checked(), "");
  EXPECT_TRUE(disk_.paths().empty()) << "it may be made";
  fails_at("access", ErrorCode::Refused);
  EXPECT_TRUE(
      checked().starts_with("/cache is not writable for this user: give it, and what is in it"));
  disk_.fails(nullptr);
  put("notes.txt");
  EXPECT_TRUE(checked().starts_with("/cache is no cache of Weir's and not empty: it holds notes"));
  disk_.erase("/cache/notes.txt");
  const auto opened = open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(checked(), "") << "that it is in use is nothing that a check could know";
  disk_.change("/cache/weir-cache", [](std::string& bytes) { bytes[20] ^= 1; });
  EXPECT_TRUE(checked().starts_with("/cache holds a file weir-cache that Weir cannot read"));
}

TEST_F(CacheFolderTest, IsForOneProcessAtATime) {
  const auto first = open();
  ASSERT_TRUE(first);
  EXPECT_EQ(disk_.bytes("/cache/lock"), "locked by Weir, process 12");
  expect_refused("is in use by process 12; each process, and each backend, needs a cache_dir of");
  // It may not have said so yet, or it is none of ours.
  for (const char* text : {"", "locked by Weir, ", "backup, process 3"}) {
    disk_.change("/cache/lock", [&](std::string& bytes) { bytes = text; });
    expect_refused("is in use by another process; each process");
  }
}

TEST_F(CacheFolderTest, IsNotWhereALockIsKeptThatWeirHasNotWritten) {
  struct Case {
    std::string text;
    bool is_ours;
  };
  const Case cases[] = {
      {"", true},
      {"locked by Weir, process 9", true},
      {"locked by We", true},         // the disk was full
      {std::string(25, '\0'), true},  // the power went
      {"dear diary", false},
      {"locked by Weird Al", false},
      {std::string(25, '\0') + "x", false},
      {std::string(200, '\0') + "x", false},
  };
  for (const Case& each : cases) {
    disk_.erase("/cache/weir-cache");
    disk_.put("/cache/lock", each.text);
    if (each.is_ours) {
      EXPECT_TRUE(open()) << each.text;
      EXPECT_EQ(disk_.bytes("/cache/lock"), "locked by Weir, process 12");
      continue;
    }
    expect_refused(
        "is no cache of Weir's and not empty: it holds a lock that Weir has not written;");
    EXPECT_EQ(disk_.bytes("/cache/lock"), each.text);
    EXPECT_FALSE(disk_.has("/cache/weir-cache"));
  }
}

TEST_F(CacheFolderTest, WhatItsLockHoldsIsNoMatter) {
  ASSERT_TRUE(open());
  disk_.change("/cache/lock", [](std::string& bytes) { bytes = "torn"; });
  ASSERT_TRUE(open());
  EXPECT_EQ(disk_.bytes("/cache/lock"), "locked by Weir, process 12");
}

TEST_F(CacheFolderTest, ThatOthersCanWriteToIsNotUsed) {
  disk_.set_shared(true);
  expect_refused(
      "can be written to by other users, who could replace what is in it: take that from");
  EXPECT_EQ(disk_.paths(), std::vector<std::string>());
  disk_.set_shared(false);
  EXPECT_TRUE(open());
  disk_.set_shared(true);
  expect_refused("can be written to by other users");
}

TEST_F(CacheFolderTest, OfSomebodyElseIsLeftAsItWas) {
  put("photo.jpg");
  put("000000000000000a.seg");
  expect_refused("is no cache of Weir's and not empty: it holds photo.jpg; give the backend");
  EXPECT_EQ(disk_.paths(),
            (std::vector<std::string>{"/cache/000000000000000a.seg", "/cache/photo.jpg"}));
}

TEST_F(CacheFolderTest, MayBeTheTopOfAFileSystem) {
  put("lost+found");
  EXPECT_TRUE(open());
}

TEST_F(CacheFolderTest, WhoseMarkCannotBeBelievedIsNotUsed) {
  ASSERT_TRUE(open());
  const std::string mark = disk_.bytes("/cache/weir-cache");
  const auto set = [&](const std::string& to) {
    disk_.change("/cache/weir-cache", [&](std::string& bytes) { bytes = to; });
  };
  ASSERT_EQ(mark.size(), 64U);
  EXPECT_EQ(mark.substr(0, 8), "WEIRDISK");
  for (std::size_t i = 0; i < mark.size(); ++i) {
    std::string changed = mark;
    changed[i] ^= 1;
    set(changed);
    const bool version = i >= 8 && i < 12;
    expect_refused(version ? "was written by another version of Weir; give the backend another"
                           : "holds a file weir-cache that Weir cannot read; give the backend");
  }
  for (const std::string& other : {std::string(), mark.substr(0, 63), mark + "x"}) {
    set(other);
    expect_refused("holds a file weir-cache that Weir cannot read");
  }
  set(mark);
  EXPECT_TRUE(open());
}

TEST_F(CacheFolderTest, SaysWhatToDo) {
  struct Case {
    const char* call;
    ErrorCode code;
    const char* sentence;
    const char* name = "";
  };
  const Case cases[] = {
      {"open_folder", ErrorCode::NotFound,
       "cannot be made, for there is no folder above it: make that one first, or choose another"},
      {"open_folder", ErrorCode::Corrupt, "is no folder: remove what is there, or choose another"},
      {"open_folder", ErrorCode::Refused,
       "is closed to this user: make it, and give it to the user that Weir runs as, or choose "
       "another cache_dir (open_folder goes wrong)"},
      {"open", ErrorCode::Corrupt,
       "holds a weir-cache that is no plain file; give the backend another", "/weir-cache"},
      {"open", ErrorCode::Refused,
       "is not writable for this user: give it, and what is in it, to the user that Weir runs as, "
       "or choose another cache_dir (open goes wrong)",
       "/weir-cache"},
      {"access", ErrorCode::Refused, "is not writable for this user: give it, and what is in it"},
      {"lock", ErrorCode::Corrupt,
       "holds a lock that is no plain file; give the backend another cache_dir or, "
       "if it is nothing but an old cache, remove it while Weir is not running"},
      {"lock", ErrorCode::Refused,
       "is not writable for this user: give it, and what is in it, to the user that Weir runs as, "
       "or choose another cache_dir (lock goes wrong)"},
      {"create", ErrorCode::Refused, "is not writable for this user: give it, and what is in it"},
      {"rename", ErrorCode::Refused, "is not writable for this user: give it, and what is in it"},
  };
  for (const Case& each : cases) {
    fails_at(each.call, each.code, each.name);
    const bool is_the_users = each.code == ErrorCode::Refused;
    expect_refused(each.sentence, is_the_users ? ErrorCode::Unavailable : ErrorCode::Refused);
  }
}

TEST_F(CacheFolderTest, SaysFromWhereItsPathIsSeen) {
  fails_at("open_folder", ErrorCode::NotFound);
  EXPECT_EQ(open_cache_folder(*files_, "no/cache", "process 12", 7).error().message,
            "no/cache cannot be made, for there is no folder above it, seen from where Weir was "
            "started: make that one first, or choose another cache_dir");
}

TEST_F(CacheFolderTest, SaysWhatTheFileSystemSays) {
  for (const char* call : {"open_folder", "names", "is_writable_for_others", "open", "lock", "read",
                           "truncate", "create", "append", "sync", "rename"}) {
    fails_at(call, ErrorCode::System);
    const auto opened = open();
    ASSERT_FALSE(opened) << call;
    EXPECT_EQ(opened.error().message, std::string(call) + " goes wrong");
    EXPECT_EQ(opened.error().code, ErrorCode::Unavailable) << "another time it may do";
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

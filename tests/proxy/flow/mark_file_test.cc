// The purge book on a disk by hand: what was marked is so in the next run.
#include "proxy/flow/mark_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>

#include "tests/proxy/flow/purge_kit.h"
#include "tests/support/fake_file_system.h"

namespace weir::flow {
namespace {

class MarkFileTest : public ::testing::Test {
 protected:
  static constexpr const char* kFile = "cache/marks";

  void open() {
    folder_ = disk_.mount()->open_folder("cache").value();
    file_.emplace(folder_, executor_, ++fresh_,
                  [this](std::uint64_t bytes) { kept_free_ = bytes; });
    book_.emplace(file_->seed());
    file_->load(*book_);
  }
  // In order: what was marked is written.
  void close() {
    file_.reset();
    book_.reset();
  }
  std::uint64_t bytes_on_disk() const { return disk_.size_of_all(); }
  PurgeVerdict of(const Url& url, std::uint64_t seq) { return book_->check(seq, url.name()); }

  test::FakeDisk disk_;
  std::shared_ptr<Folder> folder_;
  ThreadPool executor_{2};
  std::uint64_t fresh_ = 100;
  std::atomic<std::uint64_t> kept_free_{0};
  std::optional<PurgeBook> book_;
  std::optional<MarkFile> file_;
  const Url page_{"/page"};
  const Url other_{"/other"};
  const Url below_{"/blog/1"};
};

TEST_F(MarkFileTest, MarksAreThereInTheNextRun) {
  open();
  EXPECT_FALSE(file_->was_there());
  const std::uint64_t before = book_->position();
  book_->mark_url(page_.name());
  book_->mark_prefix("/blog/", true);
  const std::uint64_t after = book_->position();
  for (int run = 0; run < 3; ++run) {
    close();
    open();
    EXPECT_TRUE(file_->was_there());
    EXPECT_EQ(of(page_, before), PurgeVerdict::Dead);
    EXPECT_EQ(of(page_, after), PurgeVerdict::Alive);
    EXPECT_EQ(of(below_, before), PurgeVerdict::Stale);
    EXPECT_EQ(of(other_, before), PurgeVerdict::Alive);
  }
}

TEST_F(MarkFileTest, PositionsNeverGoBack) {
  // Also when the process was killed before its last marks were written: what it had stored since
  // stands below everything that the next run marks.
  open();
  for (int i = 0; i < 100; ++i) book_->mark_url(other_.name());
  const std::uint64_t seq = book_->position();
  disk_.kill_process();
  disk_.change(kFile, [](std::string& bytes) { bytes.resize(64 + 32); });
  close();
  open();
  EXPECT_GE(book_->position(), seq);
  book_->mark_url(page_.name());
  EXPECT_EQ(of(page_, seq), PurgeVerdict::Dead);
}

TEST_F(MarkFileTest, ATornTailIsCutOff) {
  // Whatever the place: the marks before it are there, and new ones behind it are read again.
  open();
  book_->mark_url(page_.name());
  const std::uint64_t first = book_->position();
  book_->mark_prefix("/blog/");
  close();
  const std::string sound = disk_.bytes(kFile);
  for (std::size_t size = sound.size() - 37; size < sound.size(); size += 3) {
    disk_.put(kFile, sound.substr(0, size));
    open();
    EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead) << size;
    EXPECT_EQ(of(below_, first), PurgeVerdict::Alive) << size;
    book_->mark_url(other_.name());
    close();
    open();
    EXPECT_EQ(of(other_, first), PurgeVerdict::Dead) << size;
    close();
  }
}

TEST_F(MarkFileTest, OneThatCannotBeReadIsBegunAnew) {
  // And says so: what was stored beside it must not be used.
  open();
  book_->mark_url(page_.name());
  close();
  const std::string sound = disk_.bytes(kFile);
  for (std::size_t at = 0; at < 64; at += 3) {
    std::string changed = sound;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    disk_.put(kFile, changed);
    open();
    EXPECT_FALSE(file_->was_there()) << at;
    close();
    open();
    EXPECT_TRUE(file_->was_there()) << at;
    close();
  }
}

TEST_F(MarkFileTest, IsWrittenAnewWhenItHasGrown) {
  // A page that is marked again and again does not make it grow for ever.
  open();
  for (int i = 0; i < 200'000; ++i) book_->mark_url(page_.name());
  close();
  EXPECT_LT(disk_.size(kFile), 200'000U);
  open();
  EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
}

TEST_F(MarkFileTest, AsksForItsRoomBeforeItTakesIt) {
  // Also while it is written anew beside the old one. And gives back what it needs no more.
  disk_.fails([&](std::string_view, std::string_view) -> std::optional<Error> {
    EXPECT_LE(bytes_on_disk(), kept_free_);
    return std::nullopt;
  });
  open();
  for (int i = 0; i < 20'000; ++i) {
    book_->mark_url(Url("/page/" + std::to_string(i)).name());
  }
  close();
  EXPECT_GT(bytes_on_disk(), 640'000U);
  EXPECT_LE(bytes_on_disk(), kept_free_);
  open();
  book_->mark_all();
  for (int i = 0; i < 60'000; ++i) book_->mark_url(page_.name());
  close();
  EXPECT_LE(bytes_on_disk(), kept_free_);
  EXPECT_LT(kept_free_, 500'000U);
  disk_.fails(nullptr);
}

TEST_F(MarkFileTest, AFailingDiskHoldsUpNobodyAndLosesNothingOnceItWorksAgain) {
  open();
  disk_.fails([](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation != "append" && operation != "create") return std::nullopt;
    return Error{ErrorCode::System, "it fails"};
  });
  book_->mark_url(page_.name());
  EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
  disk_.fails(nullptr);
  book_->mark_url(other_.name());
  close();
  open();
  EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
  EXPECT_EQ(of(other_, 0), PurgeVerdict::Dead);
}

TEST_F(MarkFileTest, GoesOnInAFolderThatWasMadeAnew) {
  // With what had been marked before.
  open();
  book_->mark_url(page_.name());
  disk_.erase(kFile);
  file_->move_to(disk_.mount()->open_folder("cache").value());
  book_->mark_url(other_.name());
  close();
  open();
  EXPECT_TRUE(file_->was_there());
  EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
  EXPECT_EQ(of(other_, 0), PurgeVerdict::Dead);
}

TEST_F(MarkFileTest, WithoutPowerTheFileIsTheOldOrTheNewOne) {
  std::mt19937 random(1);
  open();
  book_->mark_url(page_.name());
  close();
  open();  // written anew, and synced
  for (int i = 0; i < 20; ++i) {
    disk_.lose_power(random);
    close();
    open();
    EXPECT_TRUE(file_->was_there());
    EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
  }
}

}  // namespace
}  // namespace weir::flow

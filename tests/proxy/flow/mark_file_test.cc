// The purge book on a disk by hand: what was marked is so in the next run.
#include "proxy/flow/mark_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "tests/proxy/flow/purge_kit.h"
#include "tests/support/fake_file_system.h"

namespace weir::flow {
namespace {

class MarkFileTest : public ::testing::Test {
 protected:
  static constexpr const char* kFile = "cache/marks";

  void open() {
    folder_ = disk_.mount()->open_folder("cache").value();
    file_ = MarkFile::open({.folder = folder_,
                            .fresh_seed = ++fresh_,
                            .most_bytes = most_bytes_,
                            .keep_free = [this](std::uint64_t bytes) { kept_free_ = bytes; },
                            .doubt = [this](bool doubt) { doubts_ += doubt ? 1 : -1; }},
                           executor_)
                .value();
    book_.emplace(file_->seed());
    file_->load(*book_);
  }
  // In order: what was marked is written.
  void close() {
    file_.reset();
    book_.reset();
  }
  // Whether the file that lay there was believed.
  bool was_believed() const { return file_->seed() != fresh_; }
  std::uint64_t bytes_on_disk() const { return disk_.size_of_all(); }
  PurgeVerdict of(const Url& url, std::uint64_t seq) { return book_->check(seq, url.name()); }

  test::FakeDisk disk_;
  std::shared_ptr<Folder> folder_;
  ThreadPool executor_{2};
  std::uint64_t fresh_ = 100;
  std::uint64_t most_bytes_ = std::uint64_t{128} << 20U;
  std::atomic<std::uint64_t> kept_free_{0};
  std::atomic<int> doubts_{0};
  std::optional<PurgeBook> book_;
  std::unique_ptr<MarkFile> file_;
  const Url page_{"/page"};
  const Url other_{"/other"};
  const Url below_{"/blog/1"};
};

TEST_F(MarkFileTest, MarksAreThereInTheNextRun) {
  open();
  EXPECT_FALSE(was_believed());
  const std::uint64_t before = book_->position();
  book_->mark_url(page_.name());
  book_->mark_prefix("/blog/", true);
  const std::uint64_t after = book_->position();
  for (int run = 0; run < 3; ++run) {
    close();
    open();
    EXPECT_TRUE(was_believed());
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
  // The last one, and the limit that was written with it.
  const std::size_t end = sound.size() - 32;
  for (std::size_t size = end - 37; size < end; size += 3) {
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
  // Under another seed, so that what was stored beside it is not used: the header, the limit, a
  // mark with others behind it.
  open();
  for (int i = 0; i < 3; ++i) book_->mark_prefix("/blog/" + std::to_string(i));
  close();
  const std::string sound = disk_.bytes(kFile);
  for (std::size_t at = 0; at < sound.size() - 32; at += 3) {
    std::string changed = sound;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    disk_.put(kFile, changed);
    open();
    EXPECT_FALSE(was_believed()) << at;
    close();
    open();
    EXPECT_TRUE(was_believed()) << at;
    close();
  }
}

TEST_F(MarkFileTest, OneThatIsCutBehindItsHeaderIsBegunAnew) {
  open();
  book_->mark_url(page_.name());
  close();
  const std::string sound = disk_.bytes(kFile);
  for (const std::size_t size : {0U, 63U, 64U, 70U, 95U}) {
    for (const std::size_t zeros : {0U, 32U, 4096U}) {
      disk_.put(kFile, sound.substr(0, size) + std::string(zeros, '\0'));
      open();
      EXPECT_FALSE(was_believed()) << size << " and " << zeros << " zeros";
      close();
    }
  }
}

TEST_F(MarkFileTest, TheLastMarkShowsWhenItChanges) {
  // It is not taken for the end of a process that was killed.
  for (const bool told : {false, true}) {
    open();
    book_->mark_url(page_.name());
    if (told) book_->when_kept([](const Result<void>& kept) { EXPECT_TRUE(kept); });
    close();
    disk_.change(kFile, [](std::string& bytes) { bytes[bytes.size() - 32 - 10] ^= 1; });
    open();
    EXPECT_FALSE(was_believed());
    close();
  }
}

TEST_F(MarkFileTest, AStartThatCannotOpenItBeginsNothingAnew) {
  open();
  book_->mark_url(page_.name());
  close();
  disk_.fails([](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation != "open") return std::nullopt;
    return Error{ErrorCode::System, "Too many open files"};
  });
  const auto opened = MarkFile::open({.folder = folder_}, executor_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "Too many open files");
  disk_.fails(nullptr);
  open();
  EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
}

TEST_F(MarkFileTest, MoreMarksThanItMayHoldBecomeOneAboutEverything) {
  // The oldest: what was fetched before them is gone in the next run, whatever it was. The newest
  // are there, and the file never takes more than it may.
  most_bytes_ = std::uint64_t{192} * 1024;
  disk_.fails([&](std::string_view, std::string_view) -> std::optional<Error> {
    EXPECT_LE(bytes_on_disk(), most_bytes_);
    EXPECT_LE(kept_free_, most_bytes_);
    return std::nullopt;
  });
  open();
  std::uint64_t late = 0;
  for (int i = 0; i < 60'000; ++i) {
    book_->mark_url(Url("/page/" + std::to_string(i)).name(), i % 2 == 0);
    if (i == 59'000) late = book_->position();
  }
  EXPECT_EQ(of(other_, 5), PurgeVerdict::Alive) << "in this run all of them are known";
  for (int run = 0; run < 2; ++run) {
    close();
    open();
    EXPECT_EQ(of(other_, 5), PurgeVerdict::Dead);
    EXPECT_EQ(of(other_, late), PurgeVerdict::Alive);
    EXPECT_EQ(of(Url("/page/59999"), late), PurgeVerdict::Dead);
    EXPECT_EQ(of(Url("/page/59998"), late), PurgeVerdict::Stale);
  }
  disk_.fails(nullptr);
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
  while (doubts_ == 0) std::this_thread::yield();
  disk_.fails(nullptr);
  book_->mark_url(other_.name());
  close();
  EXPECT_EQ(doubts_, 0) << "it is believed again";
  open();
  EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
  EXPECT_EQ(of(other_, 0), PurgeVerdict::Dead);
}

TEST_F(MarkFileTest, AStartOnAFullDiskLeavesWhatItFound) {
  // It cannot be written anew. Nothing was marked since, so that nothing is in doubt.
  open();
  book_->mark_url(page_.name());
  close();
  disk_.set_free(0);
  open();
  close();
  EXPECT_EQ(doubts_, 0);
  open();
  EXPECT_TRUE(was_believed());
  EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
  book_->mark_url(other_.name());
  file_->finish();
  EXPECT_EQ(doubts_, 1);
  disk_.set_free(100'000);
  file_->finish();
  EXPECT_EQ(doubts_, 0) << "it is tried again, also when nothing more is marked";
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
  EXPECT_TRUE(was_believed());
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
    EXPECT_TRUE(was_believed());
    EXPECT_EQ(of(page_, 0), PurgeVerdict::Dead);
  }
}

}  // namespace
}  // namespace weir::flow

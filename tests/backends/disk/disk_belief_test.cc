// What lies in a folder counts for the purge book alone under which it was stored, and only where
// nothing was left to be written down when the process ended.
#include <gtest/gtest.h>

#include "tests/backends/disk/disk_kit.h"

namespace weir::backends::testing {
namespace {

using Maybe = std::optional<std::string>;

class DiskBelief : public ::testing::Test, protected DiskKit {
 protected:
  static constexpr const char* kBook = "cache/book";

  // Of "key", in the next run.
  Maybe body_next() {
    kill();
    wait_for_recovery();
    return body_at("key");
  }
  // A newer answer cannot be written, nor that the older one is gone: nothing can be made, written
  // or removed.
  void fail_to_replace() {
    put("key", "old");
    put("other", "o");
    disk.fails([](std::string_view operation, std::string_view) -> std::optional<Error> {
      const bool changes = operation == "create" || operation == "append" ||
                           operation == "remove" || operation == "rename";
      if (!changes) return std::nullopt;
      return Error{ErrorCode::System, "Input/output error"};
    });
    EXPECT_EQ(put("key", "new"), StoreResult::Failed);
  }
};

TEST_F(DiskBelief, WhatWasStoredUnderTheSameBookIsThere) {
  open();
  put("key", "body");
  EXPECT_EQ(body_next(), Maybe("body"));
}

TEST_F(DiskBelief, WhatWasStoredUnderAnotherBookIsNot) {
  // Nor when the folder comes back under the first one.
  open();
  put("key", "body");
  book = 2;
  EXPECT_EQ(body_next(), std::nullopt);
  book = 1;
  EXPECT_EQ(body_next(), std::nullopt);
  put("key", "later");
  EXPECT_EQ(body_next(), Maybe("later"));
}

TEST_F(DiskBelief, AKilledStartLeavesNothingThatTheNextOneBelieves) {
  // It had another book, and was killed before it had removed what lay there.
  open();
  put("key", "body");
  close();
  book = 2;
  auto held = std::make_shared<std::atomic<bool>>(true);
  disk.fails([held](std::string_view operation, std::string_view name) -> std::optional<Error> {
    while (operation == "remove" && name.ends_with(".seg") && *held) std::this_thread::yield();
    return std::nullopt;
  });
  open();
  disk.kill_process();
  *held = false;
  close();
  disk.fails(nullptr);
  open();
  wait_for_recovery();
  EXPECT_EQ(body_at("key"), std::nullopt);
}

TEST_F(DiskBelief, AnErasureIsToldOnceNoLaterProcessUndoesIt) {
  // It is written, or the next process begins empty.
  struct Case {
    bool can_write;
    bool can_begin_anew;
    bool is_gone;
  };
  for (const Case& each : {Case{true, true, true}, {false, true, true}, {false, false, false}}) {
    SCOPED_TRACE(each.can_write);
    open();
    ASSERT_EQ(put("key", "old"), StoreResult::Stored);
    disk.fails([each](std::string_view, std::string_view name) -> std::optional<Error> {
      const bool can_change = name.ends_with("/book") ? each.can_begin_anew : each.can_write;
      if (can_change) return std::nullopt;
      return Error{ErrorCode::System, "Read-only file system"};
    });
    at().erase("key");
    std::optional<bool> told;
    const auto asked = at().store().when_erased(0, [&told](bool is_gone) { told = is_gone; });
    ASSERT_TRUE(asked);
    EXPECT_FALSE(told) << "never from within";
    while (!told) turn(at().loop());
    EXPECT_EQ(told, each.is_gone);
    disk.kill_process();
    disk.fails(nullptr);
    restart();
    wait_for_recovery();
    EXPECT_EQ(body_at("key"), each.is_gone ? std::nullopt : Maybe("old"));
    close();
  }
}

TEST_F(DiskBelief, AnErasureIsNotKeptWhereAnotherBookCannotBeTakenBack) {
  // A process with that book would believe all that lies there.
  open();
  put("key", "old");
  close();
  book = 2;
  // The folder is opened by what may still be done to the lock.
  disk.fails([](std::string_view operation, std::string_view name) -> std::optional<Error> {
    const bool changes = operation == "remove" || operation == "truncate" ||
                         operation == "append" || operation == "create";
    if (!changes || name.ends_with("/lock")) return std::nullopt;
    return Error{ErrorCode::System, "Operation not permitted"};
  });
  open();
  at().erase("key");
  std::optional<bool> told;
  const auto asked = at().store().when_erased(0, [&told](bool is_gone) { told = is_gone; });
  while (!told) turn(at().loop());
  EXPECT_EQ(told, false);
  disk.kill_process();
  disk.fails(nullptr);
  book = 1;
  restart();
  wait_for_recovery();
  EXPECT_EQ(body_at("key"), Maybe("old"));
}

TEST_F(DiskBelief, WhoDropsAnErasureHearsNothing) {
  open();
  at().erase("key");
  bool told = false;
  at().store().when_erased(0, [&told](bool) { told = true; }).reset();
  wait_for_writes();
  turn(at().loop());
  EXPECT_FALSE(told);
}

TEST_F(DiskBelief, ABookThatIsNoneIsNotBelieved) {
  for (const std::string& bytes :
       {std::string(), std::string(64, '\0'), std::string("book"), std::string(64, 'x')}) {
    open();
    put("key", "body");
    close();
    disk.put(kBook, bytes);
    EXPECT_EQ(body_next(), std::nullopt) << bytes;
    close();
  }
}

TEST_F(DiskBelief, AStartThatCannotOpenItFails) {
  open();
  put("key", "body");
  close();
  disk.fails([](std::string_view operation, std::string_view name) -> std::optional<Error> {
    if (operation != "open" || !name.ends_with("/book")) return std::nullopt;
    return Error{ErrorCode::System, "Too many open files"};
  });
  const auto files = disk.mount();
  ThreadPool executor(1);
  EXPECT_FALSE(open_disk_backend(options, {*files, executor, clock}));
  disk.fails(nullptr);
  open();
  EXPECT_EQ(body_next(), Maybe("body"));
}

TEST_F(DiskBelief, WhatCouldNotBeReplacedDoesNotComeBack) {
  // A newer answer could not be written, nor that the older one is gone; then the process ended.
  open();
  fail_to_replace();
  EXPECT_EQ(body_at("key"), std::nullopt);
  disk.kill_process();
  disk.fails(nullptr);
  restart();
  wait_for_recovery();
  EXPECT_EQ(body_at("key"), std::nullopt);
}

TEST_F(DiskBelief, OnceItIsWrittenThatItIsGoneTheRestIsBelievedAgain) {
  open();
  fail_to_replace();
  disk.fails(nullptr);
  clock.advance(1'000);
  EXPECT_EQ(put("third", "t"), StoreResult::Stored);
  wait_for_writes();
  EXPECT_EQ(body_next(), std::nullopt);
  EXPECT_EQ(body_at("other"), Maybe("o"));
  EXPECT_EQ(body_at("third"), Maybe("t"));
}

TEST_F(DiskBelief, WhatIsOwedIsPaidWithoutAnotherStore) {
  // By who tends it, or at the latest when the process ends in order.
  for (const bool tended : {true, false}) {
    open();
    fail_to_replace();
    disk.fails(nullptr);
    if (tended) {
      tend();
      while (disk.size(kBook) == 0) std::this_thread::yield();
      disk.kill_process();
    }
    restart();
    wait_for_objects(1);
    EXPECT_EQ(body_at("key"), std::nullopt) << tended;
    EXPECT_EQ(body_at("other"), Maybe("o")) << tended;
    close();
  }
}

TEST_F(DiskBelief, WhileOthersDoubtItNothingIs) {
  // Marks of the purge book cannot be written, say.
  open();
  put("key", "body");
  doubt(true);
  wait_for_writes();
  EXPECT_EQ(body_at("key"), Maybe("body")) << "in this run they are known";
  EXPECT_EQ(body_next(), std::nullopt);
  put("key", "body");
  doubt(true);
  doubt(false);
  wait_for_writes();
  EXPECT_EQ(body_next(), Maybe("body"));
}

TEST_F(DiskBelief, AFolderThatWasMadeAnewIsBelieved) {
  open();
  put("key", "body");
  for (const std::string& path : disk.paths()) disk.erase(path);
  for (int i = 0; i < 10; ++i) put("k" + std::to_string(i), std::string(60'000, 'x'));
  put("key", "again");
  EXPECT_EQ(body_next(), Maybe("again"));
}

TEST_F(DiskBelief, NoObjectLargerThanItsRoomIsPromisedToBeStored) {
  // Whatever lies beside the segments.
  for (const std::uint64_t mib : {1, 4, 16}) {
    options.max_size = mib * 1024 * 1024;
    options.cache_dir = "cache" + std::to_string(mib);
    open();
    keep_free(most_kept_free);
    const std::uint64_t most = at().backend().max_object_size();
    EXPECT_GT(most, options.max_size / 2) << mib;
    EXPECT_EQ(put("large", std::string(most, 'l')), StoreResult::Stored) << mib;
    EXPECT_EQ(put("large", std::string(most + 1, 'l')), StoreResult::TooLarge) << mib;
    EXPECT_LE(bytes_on_disk(), options.max_size - most_kept_free);
    close();
    for (const std::string& path : disk.paths()) disk.erase(path);
  }
}

}  // namespace
}  // namespace weir::backends::testing

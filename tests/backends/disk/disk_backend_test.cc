// A disk backend from start to start: what it keeps, what it gives up, and what it does when the
// medium does not.
#include <gtest/gtest.h>

#include "tests/backends/disk/disk_kit.h"

namespace weir::backends::testing {
namespace {

using Maybe = std::optional<std::string>;

class DiskBackendTest : public ::testing::Test, protected DiskKit {};

// How a process ends.
enum class End : std::uint8_t { Closed, Killed };
class DiskEnds : public ::testing::TestWithParam<End>, protected DiskKit {
 protected:
  void end() { GetParam() == End::Closed ? restart() : kill(); }
};

INSTANTIATE_TEST_SUITE_P(Both, DiskEnds, ::testing::Values(End::Closed, End::Killed),
                         [](const auto& test) {
                           return std::string(test.param == End::Closed ? "Closed" : "Killed");
                         });

TEST_P(DiskEnds, TheNextStartFindsTheLastRecordOfEachKey) {
  // What was replaced or erased does not come back, over several runs.
  open();
  for (int i = 0; i < 100; ++i) put("key" + std::to_string(i), "first");
  put("key1", "second");
  at().erase("key2");
  wait_for_writes();
  end();
  wait_for_objects(100);
  EXPECT_EQ(body_at("key0"), Maybe("first"));
  EXPECT_EQ(body_at("key1"), Maybe("second"));
  EXPECT_EQ(body_at("key2"), std::nullopt);
  put("key2", "third");
  at().erase("key3");
  wait_for_writes();
  end();
  wait_for_objects(100);
  EXPECT_EQ(body_at("key1"), Maybe("second"));
  EXPECT_EQ(body_at("key2"), Maybe("third"));
  EXPECT_EQ(body_at("key3"), std::nullopt);
}

TEST_P(DiskEnds, WhatWasClearedStaysSo) {
  open();
  put("old", "1");
  at().backend().clear();
  put("new", "2");
  end();
  wait_for_objects(1);
  EXPECT_EQ(body_at("old"), std::nullopt);
  EXPECT_EQ(body_at("new"), Maybe("2"));
}

TEST_F(DiskBackendTest, WhatIsReadIsWhatWasWrittenWhateverTheSizes) {
  // Of head and body: which is copied out of what was read, and which stays there, depends on both.
  open();
  const std::size_t sizes[] = {0, 10, 400, 700, 1'500, 6'000};
  const auto value = [](std::size_t size) {
    std::string text(size, 'v');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
  };
  const std::size_t bodies[] = {0, 4'000, 4'096, 4'097, 5'000, 8'000, 16'000, 200'000};
  for (const std::size_t head : sizes) {
    for (const std::size_t body : bodies) {
      SCOPED_TRACE(std::to_string(head) + " and " + std::to_string(body) + " bytes");
      const std::string key = std::to_string(head) + "/" + std::to_string(body);
      const EntryRef written = entry(key, value(body), value(head));
      ASSERT_EQ(at().put(written), StoreResult::Stored);
      const EntryRef read = at().find(key);
      ASSERT_TRUE(read);
      ASSERT_NE(read.get(), written.get());
      EXPECT_TRUE(read->status_line() == written->status_line());
      EXPECT_TRUE(read->stored_head() == written->stored_head());
      EXPECT_TRUE(text_of(*read) == text_of(*written));
    }
  }
}

TEST_F(DiskBackendTest, WhatHappensDuringRecoveryIsNewerThanWhatIsFound) {
  // Stored, erased or cleared before the old records were met.
  open();
  for (const char* key : {"kept", "stored", "erased"}) put(key, "old");
  close();
  std::atomic<bool> held{true};
  disk.fails([&](std::string_view operation, std::string_view) -> std::optional<Error> {
    while (operation == "read" && held) std::this_thread::yield();
    return std::nullopt;
  });
  // Opening reads as well, on this thread: the headers and the newest time.
  held = false;
  open();
  held = true;
  RecordingStoreWaiter waiter;
  const Storing storing = at().store().store(entry_of("stored", "new"), nullptr, {}, waiter);
  EXPECT_NE(at().erase("erased"), EraseResult::Absent);
  held = false;
  while (storing.pending && waiter.answers == 0) turn(at().loop());
  wait_for_writes();
  wait_for_objects(3);
  EXPECT_EQ(body_at("kept"), Maybe("old"));
  EXPECT_EQ(body_at("stored"), Maybe("new"));
  EXPECT_EQ(body_at("erased"), std::nullopt);
  disk.fails(nullptr);
  restart();
  wait_for_objects(3);
  EXPECT_EQ(body_at("stored"), Maybe("new"));
  EXPECT_EQ(body_at("erased"), std::nullopt);
}

TEST_F(DiskBackendTest, WhatIsNotRecoveredYetIsListedAndCanBeErased) {
  // What lies in the newest segment is known at once.
  open();
  std::vector<std::string> stored;
  const std::string body(200'000, 'x');
  while (segments().size() < 3) {
    stored.push_back("v" + std::to_string(stored.size()));
    put(stored.back(), body);
  }
  std::ranges::sort(stored);
  close();
  // The first thread but this one that reads is the recovery's.
  std::atomic<bool> held{true};
  std::mutex mutex;
  std::optional<std::thread::id> recovery;
  disk.fails([&, here = std::this_thread::get_id()](std::string_view operation,
                                                    std::string_view) -> std::optional<Error> {
    const std::thread::id me = std::this_thread::get_id();
    if (operation != "read" || me == here) return std::nullopt;
    {
      const std::lock_guard lock(mutex);
      if (!recovery) recovery = me;
      if (*recovery != me) return std::nullopt;
    }
    while (held) std::this_thread::yield();
    return std::nullopt;
  });
  open();
  const auto recovery_reads = [&] {
    const std::lock_guard lock(mutex);
    return recovery.has_value();
  };
  while (!recovery_reads()) std::this_thread::yield();
  EXPECT_LT(at().stats().objects, stored.size());
  std::vector<std::string> keys = list_keys(at().store(), 'v', at().loop());
  std::ranges::sort(keys);
  EXPECT_EQ(keys, stored);
  EXPECT_EQ(at().erase("v0"), EraseResult::Started);
  EXPECT_EQ(list_keys(at().store(), 'v', at().loop()).size(), stored.size() - 1);
  held = false;
  wait_for_objects(stored.size() - 1);
  EXPECT_EQ(body_at("v1"), Maybe(body));
  EXPECT_EQ(body_at("v0"), std::nullopt);
  disk.fails(nullptr);
  restart();
  wait_for_objects(stored.size() - 1);
  EXPECT_EQ(body_at("v0"), std::nullopt);
}

// ---- a medium that fails ----

TEST_F(DiskBackendTest, AFailedStoreLeavesNothingOlder) {
  // Not now, and not after a restart, when the disk still holds the older record.
  open();
  put("a", "old");
  put("b", "other");
  disk.fails([](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation != "append" && operation != "create") return std::nullopt;
    return Error{ErrorCode::System, "it fails"};
  });
  EXPECT_EQ(put("a", "new"), StoreResult::Failed);
  EXPECT_EQ(body_at("a"), std::nullopt);
  EXPECT_EQ(body_at("b"), Maybe("other"));
  disk.fails(nullptr);
  EXPECT_EQ(put("c", "after"), StoreResult::Stored);
  kill();
  wait_for_objects(2);
  EXPECT_EQ(body_at("a"), std::nullopt);
  EXPECT_EQ(body_at("b"), Maybe("other"));
  EXPECT_EQ(body_at("c"), Maybe("after"));
}

TEST_F(DiskBackendTest, RestsAfterFailuresAndComesBack) {
  // Five in a row: then stores are refused at once, until one attempt succeeds.
  open();
  disk.fails([](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation != "append" && operation != "create") return std::nullopt;
    return Error{ErrorCode::System, "it fails"};
  });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(put("a", "1"), StoreResult::Failed) << i;
  disk.take_calls();
  EXPECT_EQ(put("a", "1"), StoreResult::Failed);
  EXPECT_EQ(at().store().admit(1).error(), StoreResult::Failed);
  EXPECT_EQ(disk.take_calls()["append"], 0);
  clock.advance(1'000);
  EXPECT_TRUE(at().store().admit(1));  // the attempt
  EXPECT_EQ(at().store().admit(1).error(), StoreResult::Failed);
  disk.fails(nullptr);
  EXPECT_EQ(put("a", "1"), StoreResult::Failed);
  clock.advance(10'000);
  EXPECT_EQ(put("a", "2"), StoreResult::Stored);
  EXPECT_EQ(put("b", "3"), StoreResult::Stored);
  EXPECT_EQ(body_at("a"), Maybe("2"));
}

TEST_F(DiskBackendTest, WhatCannotBeReadIsAMiss) {
  // And after five failures nothing is read for a while.
  disk.set_resident(false);
  open();
  for (int i = 0; i < 10; ++i) put("key" + std::to_string(i), "1");
  disk.fails([](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation != "read") return std::nullopt;
    return Error{ErrorCode::System, "it fails"};
  });
  for (int i = 0; i < 5; ++i) EXPECT_EQ(body_at("key" + std::to_string(i)), std::nullopt);
  disk.take_calls();
  EXPECT_EQ(body_at("key7"), std::nullopt);
  EXPECT_EQ(disk.take_calls()["read"], 0);
  disk.fails(nullptr);
  clock.advance(1'000);
  EXPECT_EQ(body_at("key7"), Maybe("1"));
  EXPECT_EQ(body_at("key8"), Maybe("1"));
}

// ---- bytes that have changed ----

// What a look-up finds after somebody has been at the files: what was stored, or nothing.
class DiskDamage : public ::testing::Test, protected DiskKit {
 protected:
  static constexpr int kKeys = 12;
  static std::string key(int i) { return "key" + std::to_string(i); }
  static std::string body(int i) {
    return std::string(static_cast<std::size_t>(i) * 700, 'a' + static_cast<char>(i));
  }

  void fill() {
    open();
    for (int i = 0; i < kKeys; ++i) put(key(i), body(i));
    close();
  }
  // How many are found; each of them as it was stored.
  int count_found() {
    open();
    int found = 0;
    wait_for_recovery();
    for (int i = 0; i < kKeys; ++i) {
      const Maybe got = body_at(key(i));
      if (!got) continue;
      EXPECT_EQ(*got, body(i)) << i;
      ++found;
    }
    close();
    return found;
  }
};

TEST_F(DiskDamage, AFlippedBitIsAMissNeverAWrongByte) {
  // Anywhere in the segment: every byte of heads and frames, sampled in bodies.
  fill();
  ASSERT_EQ(segments().size(), 1U);
  const std::string path = segments().front();
  const std::string sound = disk.bytes(path);
  int lost = 0;
  for (std::size_t at = 0; at < sound.size(); at += 97) {
    disk.change(path, [&](std::string& bytes) { bytes[at] = static_cast<char>(sound[at] ^ 16); });
    const int found = count_found();
    EXPECT_GE(found, at < 64 ? 0 : kKeys - 1) << at;
    lost += kKeys - found;
    for (const std::string& other : segments()) {
      if (other != path) disk.erase(other);
    }
    disk.put(path, sound);
  }
  EXPECT_GT(lost, 100);
}

TEST_F(DiskDamage, WhatIsCutOffIsMissingAndTheRestIsThere) {
  fill();
  const std::string path = segments().front();
  const std::string sound = disk.bytes(path);
  for (int cut = 0; cut < 20; ++cut) {
    const std::size_t size = sound.size() * static_cast<std::size_t>(cut) / 20;
    disk.change(path, [&](std::string& bytes) { bytes.resize(size); });
    const int found = count_found();
    EXPECT_LE(found, kKeys);
    if (cut == 0) {
      EXPECT_EQ(found, 0);
    }
    for (const std::string& other : segments()) disk.erase(other);
    disk.put(path, sound);
  }
  EXPECT_EQ(count_found(), kKeys);
}

TEST_F(DiskDamage, AnotherSegmentsFileIsNone) {
  // Copied under another number, or from another folder: nothing in it counts, and it goes, for
  // nobody would count the room that it takes.
  fill();
  const std::string sound = disk.bytes(segments().front());
  disk.erase(segments().front());
  disk.put("cache/0000000000000005.seg", sound);
  EXPECT_EQ(count_found(), 0);
  EXPECT_FALSE(disk.has("cache/0000000000000005.seg"));
  options.cache_dir = "elsewhere";
  fill();
  disk.put("elsewhere/0000000000000000.seg", sound);
  EXPECT_EQ(count_found(), 0);
}

}  // namespace
}  // namespace weir::backends::testing

// The RAM store's limits: what they count, and that nothing passes them.
#include "backends/ram/ram_backend.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "backends/ram/ghost.h"
#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"

namespace weir::backends::testing {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

Attached ram(RamOptions options) {
  return Attached(make_ram_backend(std::move(options)));
}
bool has(Attached& ram, std::string_view key) {
  return static_cast<bool>(ram.find(key, Purpose::Probe));
}
// max_size that leaves so much to the objects themselves.
std::uint64_t room_for(std::uint64_t bytes) {
  return bytes + Ghost(0).bytes();
}
std::string key_no(int number) {
  return "key" + std::to_string(1000 + number);
}

TEST(RamBackendTest, SaysWhatItIs) {
  // Name and expiry as configured; no object larger than the whole store is invited, and of that
  // the memory of evictions has its share.
  const auto backend = make_ram_backend({.name = "r", .max_size = 5 * kMiB, .default_expire_s = 9});
  EXPECT_EQ(backend->name(), "r");
  EXPECT_EQ(backend->default_expire_s(), 9);
  EXPECT_LT(backend->max_object_size(), 5 * kMiB);
  EXPECT_GT(backend->max_object_size(), 5 * kMiB * 99 / 100);
  EXPECT_EQ(make_ram_backend({})->max_object_size(), 16 * kMiB);
}

TEST(RamBackendTest, NoShardIsSmallerThanAnObject) {
  // An object of 16 MiB fits a store of 20 MiB that was full of small ones.
  Attached backend = ram({.max_size = 20 * kMiB});
  for (int i = 0; i < 3000; ++i) backend.put(entry_of_size(key_no(i), 8000));
  ASSERT_GT(backend.stats().evictions, 0U);
  backend.put(entry_of_size("large", 16 * kMiB));
  EXPECT_TRUE(has(backend, "large"));
  EXPECT_LE(backend.stats().bytes, 20 * kMiB);
  EXPECT_GT(backend.stats().objects, 300U);  // no more left than had to
}

TEST(RamBackendTest, OneEntryMayBeTheWholeStore) {
  // An entry of exactly max_size, but for the memory of evictions, is stored, and replaced by its
  // like; one byte less of room and it is refused without harm.
  const std::uint64_t weight = entry_of_size("whole", 100000)->charge();
  const std::uint64_t whole = weight + Ghost(0).bytes();
  Attached fits = ram({.max_size = whole});
  fits.put(entry_of_size("whole", 100000));
  EXPECT_TRUE(has(fits, "whole"));
  EXPECT_EQ(fits.stats().bytes, weight);
  fits.put(entry_of_size("whole", 100000));
  EXPECT_TRUE(has(fits, "whole"));
  EXPECT_EQ(fits.stats().bytes, weight);

  Attached lacks_one = ram({.max_size = whole - 1});
  lacks_one.put(entry_of("small", "1"));
  lacks_one.put(entry_of_size("whole", 100000));
  EXPECT_FALSE(has(lacks_one, "whole"));
  EXPECT_TRUE(has(lacks_one, "small"));
  EXPECT_EQ(lacks_one.stats().evictions, 0U);
}

TEST(RamBackendTest, ThresholdIsExact) {
  // 500 objects are kept, the 501st takes the place of one.
  Attached backend = ram({.threshold = 500});
  for (int i = 0; i < 500; ++i) backend.put(entry_of(key_no(i), "x"));
  EXPECT_EQ(backend.stats().objects, 500U);
  EXPECT_EQ(backend.stats().evictions, 0U);
  for (int i = 500; i < 700; ++i) {
    backend.put(entry_of(key_no(i), "x"));
    EXPECT_EQ(backend.stats().objects, 500U);
    EXPECT_TRUE(has(backend, key_no(i)));
  }
  EXPECT_EQ(backend.stats().evictions, 200U);
}

TEST(RamBackendTest, ThresholdOfOne) {
  // The newest object is the one that stays; replacing it evicts nobody.
  Attached backend = ram({.threshold = 1});
  backend.put(entry_of("a", "1"));
  backend.put(entry_of("b", "2"));
  backend.put(entry_of("b", "3"));
  EXPECT_FALSE(has(backend, "a"));
  EXPECT_TRUE(has(backend, "b"));
  EXPECT_EQ(backend.stats().evictions, 1U);
}

TEST(RamBackendTest, BytesComeToNothing) {
  // After replacement, erasure and clear with no readers the account is at zero.
  Attached backend = ram({});
  for (int i = 0; i < 50; ++i) backend.put(entry_of_size(key_no(i), 100));
  for (int i = 0; i < 50; ++i) backend.put(entry_of_size(key_no(i), 3000));
  for (int i = 0; i < 25; ++i) backend.erase(key_no(i));
  EXPECT_EQ(backend.stats().objects, 25U);
  EXPECT_GE(backend.stats().bytes, 25U * 3000);
  EXPECT_LE(backend.stats().bytes, 25U * 4000);
  backend.backend().clear();
  EXPECT_EQ(backend.stats().bytes, 0U);
}

TEST(RamBackendTest, ReplacementIsBoundedToo) {
  // A replacement that grows makes room like any other.
  Attached backend = ram({.max_size = 100000});
  for (int i = 0; i < 40; ++i) backend.put(entry_of_size(key_no(i), 1000));
  for (int i = 0; i < 40; ++i) {
    backend.put(entry_of_size(key_no(i), 20000));
    EXPECT_LE(backend.stats().bytes, 100000U);
    EXPECT_TRUE(has(backend, key_no(i)));
  }
}

TEST(RamBackendTest, HeldBytesStayCharged) {
  // What readers hold counts after its eviction, and leaves no room until they let go.
  Attached backend = ram({.max_size = room_for(100000)});
  std::vector<EntryRef> readers;
  for (int i = 0; i < 9; ++i) {
    backend.put(entry_of_size(key_no(i), 10000));
    readers.push_back(backend.find(key_no(i)));
    ASSERT_TRUE(readers.back());
  }
  const std::uint64_t held = backend.stats().bytes;
  backend.backend().clear();
  EXPECT_EQ(backend.stats().objects, 0U);
  EXPECT_EQ(backend.stats().bytes, held);

  backend.put(entry_of_size("new", 20000));
  EXPECT_FALSE(has(backend, "new"));
  EXPECT_EQ(backend.stats().bytes, held);
  readers.clear();
  EXPECT_EQ(backend.stats().bytes, 0U);
  backend.put(entry_of_size("new", 20000));
  EXPECT_TRUE(has(backend, "new"));
}

TEST(RamBackendTest, NobodyLeavesForWhatCannotCome) {
  // Where all that could leave would not be enough, since readers hold the rest, nobody does.
  Attached backend = ram({.max_size = room_for(100000)});
  for (int i = 0; i < 6; ++i) backend.put(entry_of_size(key_no(i), 10000));
  std::vector<EntryRef> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(backend.find(key_no(i)));
  EXPECT_EQ(backend.put(entry_of_size("large", 70000)), StoreResult::NoRoom);
  const auto admitted = backend.store().admit(70000);
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error(), StoreResult::NoRoom);
  EXPECT_EQ(backend.stats().evictions, 0U);
  EXPECT_EQ(backend.stats().objects, 6U);
  EXPECT_EQ(backend.put(entry_of_size("fits", 50000)), StoreResult::Stored);
}

TEST(RamBackendTest, ReservationsAreCharged) {
  // Room is made when it is admitted, counted like what is stored, and given back with the
  // reservation; what it is too small for is paid, and what is left of it returned.
  Attached backend = ram({.max_size = 100000});
  for (int i = 0; i < 9; ++i) backend.put(entry_of_size(key_no(i), 10000));
  auto admitted = backend.store().admit(40000);
  ASSERT_TRUE(admitted);
  EXPECT_GE(backend.stats().bytes, 40000U);
  EXPECT_LE(backend.stats().bytes, 100000U);
  EXPECT_GE(backend.stats().evictions, 3U);
  EXPECT_EQ(backend.store().admit(70000).error(), StoreResult::NoRoom);

  const EntryRef entry = entry_of_size("smaller", 20000);
  const std::uint64_t before = backend.stats().bytes;
  EXPECT_EQ(backend.put(entry, std::move(*admitted)), StoreResult::Stored);
  EXPECT_LT(backend.stats().bytes, before - 15000);
  backend.backend().clear();
  EXPECT_EQ(backend.stats().bytes, entry->charge());

  auto unused = backend.store().admit(40000);
  EXPECT_GE(backend.stats().bytes, entry->charge() + 40000);
  unused->reset();
  EXPECT_EQ(backend.stats().bytes, entry->charge());
}

TEST(RamBackendTest, AReservationIsEnough) {
  // What was admitted finds its room however full the store has become meanwhile, even when
  // readers hold all of the rest.
  Attached backend = ram({.max_size = room_for(100000)});
  auto admitted = backend.store().admit(40000);
  ASSERT_TRUE(admitted);
  std::vector<EntryRef> readers;
  while (backend.put(entry_of_size(key_no(static_cast<int>(readers.size())), 5000)) ==
         StoreResult::Stored) {
    readers.push_back(backend.find(key_no(static_cast<int>(readers.size()))));
    ASSERT_TRUE(readers.back());
  }
  ASSERT_GE(readers.size(), 9U);
  EXPECT_EQ(backend.put(entry_of_size("admitted", 40000), std::move(*admitted)),
            StoreResult::Stored);
  EXPECT_TRUE(has(backend, "admitted"));
}

TEST(RamBackendTest, AdmissionKnowsTheWholeStore) {
  // What could never fit is too large, of known length or not.
  Attached backend = ram({.max_size = 50000, .max_object_size = 100000});
  EXPECT_EQ(backend.store().admit(49999).error(), StoreResult::TooLarge);
  EXPECT_EQ(backend.store().admit(60000).error(), StoreResult::TooLarge);
  EXPECT_EQ(backend.put(entry_of_size("a", 49999)), StoreResult::TooLarge);
  EXPECT_TRUE(backend.store().admit(std::nullopt));
  Attached tiny = ram({.max_size = 500});
  EXPECT_EQ(tiny.store().admit(std::nullopt).error(), StoreResult::TooLarge);
}

TEST(RamBackendTest, RoomComesFromWhatNobodyReads) {
  // As long as enough entries are not being read, those being read stay where they are.
  Attached backend = ram({.max_size = 100000});
  backend.put(entry_of_size("read", 20000));
  const EntryRef reader = backend.find("read");
  for (int i = 0; i < 200; ++i) backend.put(entry_of_size(key_no(i), 10000));
  EXPECT_EQ(backend.find("read"), reader);
}

TEST(RamBackendTest, EntriesOutliveTheStore) {
  // A reader may be the last one to know the entry, account and all.
  EntryRef reader;
  {
    Attached backend = ram({});
    backend.put(entry_of("a", "1"));
    reader = backend.find("a");
  }
  ASSERT_TRUE(reader);
  EXPECT_EQ(text_of(*reader), "1");
  reader = nullptr;
}

// Runs `work(thread number, its presence)` on four threads until all are done,
// each attached to a loop of its own.
template <class Work>
void in_threads(const std::shared_ptr<Backend>& backend, Work work) {
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      Attached own(backend);
      work(thread, own);
    });
  }
}

TEST(RamBackendThreads, LimitsHoldAtEveryMoment) {
  // Four threads churn through sizes from 1 to 60,000 bytes, with readers that hold on to entries
  // for a while: no moment shows more bytes or objects than allowed.
  constexpr std::uint64_t kMaxSize = 200000;
  constexpr std::uint64_t kThreshold = 30;
  const auto backend = make_ram_backend({.max_size = kMaxSize, .threshold = kThreshold});
  std::atomic<int> passed{0};
  std::atomic<int> hits{0};
  in_threads(backend, [&](unsigned thread, Attached& own) {
    std::vector<EntryRef> readers(3);
    unsigned random = thread + 1;
    for (unsigned i = 0; i < 1000; ++i) {
      random = random * 1664525U + 1013904223U;
      const std::string key = key_no(static_cast<int>(random >> 24U) % 60);
      EntryRef found = own.find(key);
      hits += static_cast<bool>(found);
      if (!found) own.put(entry_of_size(key, (random >> 8U) % 60000));
      readers[i % 3] = std::move(found);
      const BackendStats stats = backend->stats();
      if (stats.bytes > kMaxSize || stats.objects > kThreshold) ++passed;
    }
  });
  EXPECT_EQ(passed, 0);
  EXPECT_GT(hits, 0);
  EXPECT_GT(backend->stats().evictions, 0U);
  backend->clear();
  EXPECT_EQ(backend->stats().bytes, 0U);
}

TEST(RamBackendThreads, ClearWhileReading) {
  // Readers see whole entries or none while others store, replace, erase and clear.
  const auto backend = make_ram_backend({.max_size = 50000});
  std::atomic<int> wrong{0};
  in_threads(backend, [&](unsigned thread, Attached& own) {
    for (unsigned i = 0; i < 1000; ++i) {
      const std::string key = key_no(static_cast<int>(i % 10));
      if (thread == 0) {
        own.put(entry_of(key, key + std::string(i % 3000, '.')));
      } else if (thread == 1 && i % 50 == 0) {
        backend->clear();
      } else if (thread == 1 && i % 7 == 0) {
        own.erase(key);
      } else if (const EntryRef found = own.find(key)) {
        if (!text_of(*found).starts_with(key)) ++wrong;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  backend->clear();
  EXPECT_EQ(backend->stats().bytes, 0U);
  EXPECT_EQ(backend->stats().objects, 0U);
}

TEST(RamBackendThreads, OneEntryStoredByAllAtOnce) {
  // Threads that store the same object pay for it once.
  const auto backend = make_ram_backend({});
  for (int round = 0; round < 100; ++round) {
    const EntryRef entry = entry_of_size("a", 1000);
    in_threads(backend, [&](unsigned, Attached& own) { own.put(entry); });
    ASSERT_EQ(backend->stats().bytes, entry->charge());
    ASSERT_EQ(backend->stats().objects, 1U);
    Attached(backend).erase("a");
  }
}

}  // namespace
}  // namespace weir::backends::testing

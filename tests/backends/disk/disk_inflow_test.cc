// A large object that arrives: its place among the changes of its key is that of its commit,
// whenever its head is written.
#include <gtest/gtest.h>

#include <functional>

#include "tests/backends/disk/disk_kit.h"

namespace weir::backends::testing {
namespace {

constexpr std::uint64_t kLarge = std::uint64_t{3} * 1024 * 1024;

class DiskInflowTest : public ::testing::Test, public DiskKit {
 protected:
  // A store under way. Its end is heard when its loop turns.
  struct Arriving {
    std::unique_ptr<Inflow> inflow;
    std::unique_ptr<RecordingStoreWaiter> waiter = std::make_unique<RecordingStoreWaiter>();
    Storing storing = {};
  };
  static Arriving commit(Attached& at, std::string_view key, char letter) {
    return commit(at, key, std::string(kLarge, letter));
  }
  static Arriving commit(Attached& at, std::string_view key, std::string_view body) {
    Arriving out{.inflow = at.store().open_inflow(body.size()).value()};
    EXPECT_TRUE(out.inflow->append(body));
    EntryParts head;
    head.key = std::string(key);
    head.hash = hash128(key);
    head.fields.add("Content-Length", std::to_string(body.size()));
    out.storing = out.inflow->commit(std::move(head), *out.waiter);
    return out;
  }
  static StoreResult ended(Attached& at, Arriving& arriving) {
    while (arriving.waiter->answers == 0) turn(at.loop());
    return *arriving.waiter->result;
  }

  // Of a body that has changed nothing but "!".
  std::string whole(const Ref<const FarBody>& body) {
    std::string out;
    bool came = false;
    FarReader reader(at().loop(), [&came] { came = true; });
    while (out.size() < body->size()) {
      const FarReader::Got got = reader.get(body, out.size());
      if (got.status == FarReader::Status::Data) out += got.bytes;
      if (got.status == FarReader::Status::Failed) return "!";
      if (got.status != FarReader::Status::Pending) continue;
      while (!came) turn(at().loop());
      came = false;
    }
    return out;
  }
  // Nothing but "-" where there is none.
  std::string text_at(std::string_view key) {
    const EntryRef entry = at().find(key);
    if (!entry) return "-";
    const Ref<const FarBody> body(entry->far_body());
    return body ? whole(body) : text_of(*entry);
  }
  char letter_at(std::string_view key) { return text_at(key).front(); }
};

TEST_F(DiskInflowTest, WhatIsDoneBehindItsCommitIsNewer) {
  struct Row {
    const char* what;
    char found;
    std::function<void(DiskInflowTest&, Attached& other)> done;
  };
  const Row rows[] = {
      {"nothing", 'a', [](DiskInflowTest&, Attached&) {}},
      {"a small one is stored", 's', [](DiskInflowTest& t, Attached&) { t.put("k", "small"); }},
      {"a small one is stored on another loop", 's',
       [](DiskInflowTest&, Attached& other) { other.put(entry_of("k", "small")); }},
      {"it is erased", '-', [](DiskInflowTest& t, Attached&) { t.at().erase("k"); }},
      {"it is erased on another loop", '-',
       [](DiskInflowTest&, Attached& other) { other.erase("k"); }},
      {"all is cleared", '-', [](DiskInflowTest& t, Attached&) { t.at().backend().clear(); }},
      {"a large one is stored on another loop", 'b',
       [](DiskInflowTest&, Attached& other) {
         Arriving second = commit(other, "k", 'b');
         EXPECT_EQ(ended(other, second), StoreResult::Stored);
       }},
      {"another key's is stored", 'a',
       [](DiskInflowTest&, Attached& other) { other.put(entry_of("m", "small")); }},
  };
  open();
  for (const Row& row : rows) {
    {
      put("k", "old");
      Attached other(at().share());
      Arriving first = commit(at(), "k", 'a');
      row.done(*this, other);
      EXPECT_EQ(ended(at(), first), StoreResult::Stored) << row.what;
      EXPECT_EQ(letter_at("k"), row.found) << row.what;
    }
    wait_for_writes();
    restart();
    wait_for_objects(1);
    EXPECT_EQ(letter_at("k"), row.found) << row.what << ", after a restart";
    at().backend().clear();
  }
}

TEST_F(DiskInflowTest, OneThatIsUsedIsKeptWhenItsSegmentGoes) {
  // With all its pieces, and a head that leads to where they are then. A fifth of a segment, which
  // is a 64th of max_size, is more than one of them.
  options.max_size = std::uint64_t{4} * 1024 * 1024;
  options.threshold = 0;
  std::string body(12'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i / 50 % 26);
  open();
  // More of them than there is room for, and than a segment takes: one reaches into the next.
  const std::string keys[] = {"used0", "unused", "used1", "used2", "used3", "used4", "used5"};
  for (const std::string& key : keys) {
    Arriving arriving = commit(at(), key, body);
    ASSERT_EQ(ended(at(), arriving), StoreResult::Stored);
  }
  const std::string other(10'000, 'x');
  for (int i = 0; at().stats().evictions < 50; ++i) {
    ASSERT_LT(i, 3'000);
    ASSERT_EQ(put("other" + std::to_string(i), other), StoreResult::Stored);
    if (i % 100 > 0) continue;
    for (const std::string& key : keys) {
      if (key != "unused") at().find(key);
    }
  }
  std::string kept;
  for (const std::string& key : keys) {
    const std::string text = text_at(key);
    if (text == "-") continue;
    EXPECT_TRUE(text == body) << key;
    kept += key + " ";
  }
  EXPECT_EQ(kept.find("unused"), kept.npos);
  EXPECT_NE(kept.find("used0"), kept.npos);
  EXPECT_LT(kept.size(), sizeof "used0 used1 used2 used3 used4 used5 ") << "some have to go";
  const std::uint64_t objects = at().stats().objects;
  restart();
  wait_for_objects(objects);
  for (const std::string& key : keys) {
    EXPECT_EQ(text_at(key) == body, kept.find(key) != kept.npos) << key << ", after a restart";
  }
}

TEST_F(DiskInflowTest, WhoGivesItUpLeavesNothing) {
  open();
  put("k", "old");
  {
    const Arriving dropped = commit(at(), "k", 'a');
    EXPECT_EQ(letter_at("k"), '-') << "what stood there is older";
  }
  wait_for_writes();
  EXPECT_EQ(letter_at("k"), '-');
  put("k", "new");
  EXPECT_EQ(letter_at("k"), 'n');
}

}  // namespace
}  // namespace weir::backends::testing

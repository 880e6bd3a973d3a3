// An older version of an object never comes back, whatever has become of the segment that a newer
// one stood in. And starts that leave little behind do not make a segment each.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/backends/disk/disk_kit.h"

namespace weir::backends::testing {
namespace {

using Maybe = std::optional<std::string>;

enum class Place { InTheMiddle, Newest };
enum class End { Closed, Killed };

struct Damage {
  const char* what;
  // Of a segment: two records of 64 bytes, key, head and body; contents, if it is sealed.
  void (*how)(std::string& bytes);
  // Whether a newest segment that was not sealed looks as if a process had just begun it.
  bool as_if_begun = false;
};

constexpr Damage kDamages[] = {
    {"its header has changed", [](std::string& bytes) { bytes[20] ^= 1; }},
    {"a frame and the contents have changed",
     [](std::string& bytes) {
       bytes[64 + 9] ^= 1;  // the first frame's
       bytes[bytes.size() - 3] ^= 1;
     }},
    {"another file's bytes are in it", [](std::string& bytes) { bytes.assign(bytes.size(), 'x'); }},
    {"it is cut to nothing", [](std::string& bytes) { bytes.clear(); }, true},
    {"it is cut within its header", [](std::string& bytes) { bytes.resize(40); }, true},
    {"it is cut within its first record", [](std::string& bytes) { bytes.resize(150); }, true},
    {"its header is zeros", [](std::string& bytes) { bytes.assign(bytes.size(), '\0'); }, true},
};

class DiskOlder : public ::testing::TestWithParam<std::tuple<Damage, End>>, protected DiskKit {
 protected:
  static constexpr int kKeys = 10;
  static std::string key(int i) { return "key" + std::to_string(i); }

  // Each life of the machine begins a segment of its own.
  void next_segment(End end) {
    if (end == End::Killed) disk.kill_process();
    close();
    clock.reboot();
    open();
  }
  void put_all(const std::string& body) {
    for (int i = 0; i < kKeys; ++i) ASSERT_EQ(put(key(i), body + key(i)), StoreResult::Stored);
  }
  int count(const std::string& body) {
    int found = 0;
    for (int i = 0; i < kKeys; ++i) found += body_at(key(i)) == Maybe(body + key(i)) ? 1 : 0;
    return found;
  }
};

INSTANTIATE_TEST_SUITE_P(Damages, DiskOlder,
                         ::testing::Combine(::testing::ValuesIn(kDamages),
                                            ::testing::Values(End::Closed, End::Killed)));

TEST_P(DiskOlder, DoesNotComeBackWhereASegmentInTheMiddleHasChanged) {
  const auto& [damage, end] = GetParam();
  SCOPED_TRACE(damage.what);
  open();
  put_all("old");
  next_segment(end);
  put_all("new");
  next_segment(end);
  put("last", "l");
  if (end == End::Killed) disk.kill_process();
  close();
  ASSERT_EQ(segments().size(), 3U);
  disk.change(segments()[1], damage.how);
  open();
  wait_for_recovery();
  EXPECT_EQ(count("old"), 0);
  EXPECT_EQ(body_at("last"), Maybe("l")) << "what is newer than all that has changed is a hit";
  put_all("third");
  restart();
  wait_for_recovery();
  EXPECT_EQ(count("third"), kKeys);
}

TEST_P(DiskOlder, DoesNotComeBackWhereTheNewestHasChanged) {
  const auto& [damage, end] = GetParam();
  SCOPED_TRACE(damage.what);
  open();
  put_all("old");
  next_segment(End::Closed);
  put_all("new");
  if (end == End::Killed) disk.kill_process();
  close();
  ASSERT_EQ(segments().size(), 2U);
  disk.change(segments()[1], damage.how);
  open();
  wait_for_recovery();
  if (damage.as_if_begun) {
    EXPECT_GE(count("old"), kKeys - 1) << "so ends a machine that lost its power, too";
  } else {
    EXPECT_EQ(count("old"), 0);
  }
}

class DiskOlderOnce : public ::testing::Test, protected DiskKit {};

TEST_F(DiskOlderOnce, DoesNotComeBackWhereASegmentIsMissing) {
  open();
  put("key", "old");
  for (const char* body : {"new", "last"}) {
    close();
    clock.reboot();
    open();
    put(body == std::string("new") ? "key" : "other", body);
  }
  close();
  ASSERT_EQ(segments().size(), 3U);
  disk.erase(segments()[1]);
  open();
  wait_for_recovery();
  EXPECT_EQ(body_at("key"), std::nullopt);
  EXPECT_EQ(body_at("other"), Maybe("last"));
}

TEST_F(DiskOlderOnce, AStartThatCannotOpenASegmentEmptiesNothing) {
  // There are too few file descriptors: that says nothing of what lies there.
  open();
  put("key", "body");
  close();
  disk.fails([](std::string_view operation, std::string_view name) -> std::optional<Error> {
    if (operation != "open" || !name.ends_with(".seg")) return std::nullopt;
    return Error{ErrorCode::System, "Too many open files"};
  });
  const auto files = disk.mount();
  ThreadPool executor(1);
  const auto opened = open_disk_backend(options, {*files, executor, clock});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("Too many open files"), std::string::npos);
  disk.fails(nullptr);
  open();
  wait_for_objects(1);
  EXPECT_EQ(body_at("key"), Maybe("body"));
}

TEST_F(DiskOlderOnce, AStartGoesOnInTheSegmentThatTheLastOneLeft) {
  // However that ended. What was found and what is added is there after the next one.
  open();
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(put("key" + std::to_string(i), "body" + std::to_string(i)), StoreResult::Stored);
    i % 3 == 0 ? kill() : restart();
    wait_for_objects(static_cast<std::uint64_t>(i) + 1);
  }
  EXPECT_LE(segments().size(), 2U);
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(body_at("key" + std::to_string(i)), Maybe("body" + std::to_string(i))) << i;
  }
}

TEST_F(DiskOlderOnce, AStartAfterAPowerCutGoesOnBehindWhatIsSound) {
  std::mt19937 random(5);
  open();
  for (int i = 0; i < 40; ++i) {
    const std::string key = "key" + std::to_string(i % 7);
    put(key, "body" + std::to_string(i));
    lose_power(random);
    put(key, "again" + std::to_string(i));
    restart();
    wait_for_recovery();
    ASSERT_EQ(body_at(key), Maybe("again" + std::to_string(i))) << i;
  }
}

}  // namespace
}  // namespace weir::backends::testing

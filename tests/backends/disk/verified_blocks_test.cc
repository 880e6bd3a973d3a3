#include "backends/disk/verified_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace weir::backends::disk {
namespace {

constexpr std::uint64_t kBlock = 1000;

// A file of which a part lies in memory, and that others write to.
class FileByHand final : public File {
 public:
  Result<std::size_t> read(std::uint64_t, std::span<char>) override { return 0; }
  std::size_t read_resident(std::uint64_t, std::span<char>) override { return 0; }
  Result<void> append(std::span<const iovec>) override { return {}; }
  Result<void> truncate(std::uint64_t) override { return {}; }
  Result<void> sync() override { return {}; }
  std::uint64_t size() const override { return 1'000'000; }
  int descriptor() const override { return number; }
  std::uint64_t resident_bytes(std::uint64_t at, std::uint64_t most) override {
    ++looks;
    return at >= in_memory ? 0 : std::min(most, in_memory - at);
  }
  std::optional<std::int64_t> modified() override { return written; }

  int number = 7;
  int looks = 0;
  std::uint64_t in_memory = 1'000'000;
  std::optional<std::int64_t> written = 1;
};

class VerifiedBlocksTest : public ::testing::Test {
 protected:
  void read(std::uint64_t block) { blocks.add(block, blocks.modified(file)); }
  // Of a body that lies at 64 and has five blocks, the last of them short.
  std::uint64_t sendable(std::uint64_t from) {
    const std::uint64_t block = 64 + from / kBlock * kBlock;
    return blocks.sendable(file, {.block = block,
                                  .block_bytes = kBlock,
                                  .at = 64 + from,
                                  .end = 64 + 4'300,
                                  .now_ms = now_ms});
  }
  void a_moment_passes() { now_ms += VerifiedBlocks::kSeenFor_ms; }

  FileByHand file;
  VerifiedBlocks blocks;
  std::int64_t now_ms = 1'000;
};

TEST_F(VerifiedBlocksTest, NothingIsSentThatWasNotRead) {
  EXPECT_EQ(sendable(0), 0U);
  read(64);
  read(1064);
  read(3064);
  read(4064);
  EXPECT_EQ(sendable(0), 2000U);
  EXPECT_EQ(sendable(1), 1999U);
  EXPECT_EQ(sendable(1999), 1U);
  EXPECT_EQ(sendable(2000), 0U);
  EXPECT_EQ(sendable(2999), 0U);
  EXPECT_EQ(sendable(3000), 1300U);
  read(2064);
  EXPECT_EQ(sendable(0), 4300U);
}

TEST_F(VerifiedBlocksTest, OurOwnWritesLeaveWhatIsKnown) {
  read(64);
  const auto before = blocks.modified(file);
  blocks.begin_write();
  file.written = 2;
  EXPECT_EQ(sendable(0), 0U) << "whether it is ours cannot be told yet";
  EXPECT_EQ(blocks.modified(file), std::nullopt);
  blocks.end_write(file);
  EXPECT_EQ(sendable(0), 1000U);
  blocks.add(1064, before);  // of before, and told late
  EXPECT_EQ(sendable(0), 1000U);
  read(1064);
  EXPECT_EQ(sendable(0), 2000U);
  blocks.begin_write();
  file.written = 3;
  EXPECT_EQ(sendable(0), 2000U) << "so short a time after a look nobody else has written";
  blocks.end_write(file);
}

TEST_F(VerifiedBlocksTest, ARecordIsKnownWithAllOfItsBlocks) {
  constexpr std::uint64_t kRecord = 10;
  EXPECT_FALSE(blocks.knows_record(file, kRecord, now_ms));
  const auto before = blocks.modified(file);
  blocks.add_record(kRecord, {.at = 64, .bytes = 4'300, .block_bytes = kBlock}, before);
  EXPECT_TRUE(blocks.knows_record(file, kRecord, now_ms));
  EXPECT_FALSE(blocks.knows_record(file, kRecord + 1, now_ms));
  EXPECT_EQ(sendable(0), 4300U);
  file.written = 2;
  a_moment_passes();
  EXPECT_FALSE(blocks.knows_record(file, kRecord, now_ms));
  EXPECT_EQ(sendable(0), 0U);
  blocks.add_record(kRecord, {.at = 64, .bytes = 4'300, .block_bytes = kBlock}, before);
  EXPECT_FALSE(blocks.knows_record(file, kRecord, now_ms)) << "it was read before that";
}

TEST_F(VerifiedBlocksTest, WhatIsKnownIsBounded) {
  std::uint64_t known = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) read(i * kBlock);
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    known += blocks.knows_record(file, i * kBlock, now_ms) ? 1 : 0;
  }
  EXPECT_GT(known, 0U);
  EXPECT_LE(known, 4'096U);
  EXPECT_TRUE(blocks.knows_record(file, 99'999 * kBlock, now_ms)) << "the last is";
}

TEST_F(VerifiedBlocksTest, WhatHasLeftMemoryHasToBeReadAnew) {
  for (const std::uint64_t block : {64, 1064, 2064, 3064, 4064}) read(block);
  EXPECT_EQ(sendable(0), 4300U);
  a_moment_passes();
  file.in_memory = 2500;
  EXPECT_EQ(sendable(0), 2436U);
  file.in_memory = 1'000'000;  // read by whomever
  EXPECT_EQ(sendable(0), 2000U);
  EXPECT_EQ(sendable(2500), 0U);
  read(2064);
  EXPECT_EQ(sendable(0), 3000U);
}

TEST_F(VerifiedBlocksTest, WhatWasSeenInMemoryAMomentAgoIsNotLookedForAgain) {
  for (const std::uint64_t block : {64, 1064, 2064, 3064, 4064}) read(block);
  EXPECT_EQ(sendable(2500), 1800U);
  EXPECT_EQ(file.looks, 1);
  EXPECT_EQ(sendable(3000), 1300U);
  EXPECT_EQ(sendable(4299), 1U);
  EXPECT_EQ(file.looks, 1) << "a body's last block too";
  EXPECT_EQ(sendable(2500), 1800U);
  EXPECT_EQ(file.looks, 2) << "of that block only a part was looked at";
  EXPECT_EQ(sendable(0), 4300U);
  EXPECT_EQ(sendable(2500), 1800U);
  EXPECT_EQ(file.looks, 3);
  now_ms += VerifiedBlocks::kSeenFor_ms - 1;
  EXPECT_EQ(sendable(0), 4300U);
  EXPECT_EQ(file.looks, 3);
  now_ms += 1;
  file.in_memory = 2500;
  EXPECT_EQ(sendable(0), 2436U);
  EXPECT_EQ(file.looks, 4);
  read(2064);  // what is read anew was not looked for
  EXPECT_EQ(sendable(0), 2436U);
  EXPECT_EQ(file.looks, 5);
  file.written = 2;
  EXPECT_EQ(sendable(0), 2000U);
  a_moment_passes();
  EXPECT_EQ(sendable(0), 0U) << "somebody has written to it";
}

TEST_F(VerifiedBlocksTest, NothingIsBelievedOnceSomebodyHasWrittenToTheFile) {
  read(64);
  const auto before = blocks.modified(file);
  file.written = 2;
  EXPECT_EQ(sendable(0), 0U);
  file.written = 1;  // set back: what was known then is forgotten
  EXPECT_EQ(sendable(0), 0U);
  read(64);
  EXPECT_EQ(sendable(0), 0U) << "when that was cannot be told any more";
  file.written = 3;
  blocks.add(64, before);  // it was read before that
  EXPECT_EQ(sendable(0), 0U);
  read(64);
  EXPECT_EQ(sendable(0), 1000U);
}

TEST_F(VerifiedBlocksTest, NothingIsSentWhereTheFileCannotTell) {
  read(64);
  file.number = -1;
  EXPECT_EQ(sendable(0), 0U);
  file.number = 7;
  file.written = std::nullopt;
  EXPECT_EQ(sendable(0), 0U);
  read(64);
  EXPECT_EQ(sendable(0), 0U);
}

}  // namespace
}  // namespace weir::backends::disk

// The segments that are there, and those that are read still though they have gone.
#include "backends/disk/segments.h"

#include <gtest/gtest.h>

#include "tests/support/fake_file_system.h"

namespace weir::backends::disk {
namespace {

constexpr std::uint64_t kFolder = 7;

class SegmentsTest : public testing::Test {
 protected:
  SegmentsTest() : files_(disk_.mount()), folder_(files_->open_folder("cache").value()) {}
  // Who looks at it sees whether its file is open still.
  std::weak_ptr<File> add(std::uint64_t number, std::uint64_t bytes) {
    std::shared_ptr<File> file = folder_->create(segment_name(number)).value();
    segments.add({.id = {.folder = kFolder, .number = number}, .time = {}}, file)->set_bytes(bytes);
    return file;
  }

  Segments segments{kFolder};

 private:
  test::FakeDisk disk_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<Folder> folder_;
};

TEST_F(SegmentsTest, WhatNobodyReadsIsClosedWhenItGoes) {
  const auto first = add(1, 10'000);
  const auto second = add(2, 20);
  segments.remove(1);
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(second.expired());
  EXPECT_EQ(segments.find(1), nullptr);
  EXPECT_EQ(segments.bytes(), 4096U) << "in whole blocks";
}

TEST_F(SegmentsTest, NoReaderIsTheOneWhoClosesIt) {
  const auto file = add(1, 10'000);
  add(2, 20);
  std::shared_ptr<const Segment> reader = segments.find(1);
  segments.remove(1);
  segments.close_removed();
  EXPECT_EQ(reader->number(), 1U);
  EXPECT_EQ(segments.find(1), nullptr) << "nobody else comes to it";
  EXPECT_EQ(segments.bytes(), 4U * 4096);
  reader = nullptr;
  EXPECT_FALSE(file.expired()) << "he is a loop, which must not wait for that";
  segments.close_removed();
  EXPECT_TRUE(file.expired());
  EXPECT_EQ(segments.bytes(), 4096U) << "in whole blocks";
}

}  // namespace
}  // namespace weir::backends::disk

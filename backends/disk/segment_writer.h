// Appends records to one segment, several with one write, until it is full and sealed. One caller
// at a time, on the executor: it blocks.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "backends/disk/segment_reader.h"
#include "base/file_system.h"
#include "base/result.h"

namespace weir::backends::disk {

// A record as it is given to be written.
struct NewRecord {
  FrameKind kind = FrameKind::Object;
  Hash128 hash{};
  std::string_view bytes{};
  // Of a Head, as in Frame.
  std::uint64_t body_segment = 0;
  std::uint64_t body_at = 0;
};

class SegmentWriter {
 public:
  // A new segment in `folder`. `orders` counts the folder's records and outlives this object. After
  // a failure no file of that name is left, if the file system still does what it is told.
  static Result<std::unique_ptr<SegmentWriter>> create(Folder& folder, const SegmentHeader& header,
                                                       std::atomic<std::uint64_t>& orders);
  // One that was found: goes on behind its last sound record; what follows is cut off, the contents
  // of a sealed one as well.
  static Result<std::unique_ptr<SegmentWriter>> resume(std::shared_ptr<File> file,
                                                       SegmentListing listing,
                                                       std::atomic<std::uint64_t>& orders);

  // All of them or none: after a failure what was written of them is cut off again. Where each of
  // them stands. TooLarge, before anything is written: the last would end beyond kMostRecordEnd.
  Result<std::vector<PlacedFrame>> append(std::span<const NewRecord> records);
  // The bytes that append() would add.
  static std::uint64_t bytes_of(std::span<const NewRecord> records);

  // Writes the contents; nothing is appended after it. That the medium has them, and the segment's
  // name, is its caller's affair.
  Result<void> seal();
  // The bytes that seal() would add now: none once the contents are there.
  std::uint64_t seal_bytes() const;

  // Bytes of sound records, the header included, and the contents once they are there.
  std::uint64_t end() const { return end_; }
  std::size_t records() const { return frames_.size(); }
  // A failed write could not be undone: nothing can be appended any more, what was stands.
  bool broken() const { return broken_; }
  const SegmentHeader& header() const { return header_; }
  // For readers; any thread.
  const std::shared_ptr<File>& file() const { return file_; }

 private:
  SegmentWriter(std::shared_ptr<File> file, const SegmentHeader& header,
                std::atomic<std::uint64_t>& orders);

  Result<void> write(std::span<const iovec> parts, std::uint64_t bytes);

  const std::shared_ptr<File> file_;
  const SegmentHeader header_;
  std::atomic<std::uint64_t>& orders_;
  std::vector<PlacedFrame> frames_;
  std::uint64_t end_ = kSegmentHeaderBytes;
  bool sealed_ = false;  // the contents are written
  bool broken_ = false;
};

}  // namespace weir::backends::disk

#include "backends/disk/segment_writer.h"

#include <string>
#include <utility>

#include "base/check.h"

namespace weir::backends::disk {
namespace {

constexpr char kPadding[kAlignment] = {};

iovec part_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

SegmentWriter::SegmentWriter(std::shared_ptr<File> file, const SegmentHeader& header,
                             std::atomic<std::uint64_t>& orders)
    : file_(std::move(file)), header_(header), orders_(orders) {}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(Folder& folder,
                                                             const SegmentHeader& header,
                                                             std::atomic<std::uint64_t>& orders) {
  const std::string name = segment_name(header.id.number);
  Result<std::unique_ptr<File>> file = folder.create(name);
  // One may lie there that could not be taken back: no other is of that number.
  if (!file && file.error().code == ErrorCode::Refused && folder.remove(name)) {
    file = folder.create(name);
  }
  if (!file) return std::unexpected(file.error());
  if (const auto begun = append_bytes(**file, segment_header(header)); !begun) {
    [[maybe_unused]] const Result<void> removed =
        folder.remove(name);  // else it is found and passed over
    return std::unexpected(begun.error());
  }
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(*file), header, orders));
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::resume(std::shared_ptr<File> file,
                                                             SegmentListing listing,
                                                             std::atomic<std::uint64_t>& orders) {
  WEIR_CHECK(listing.end <= kMostRecordEnd);
  if (file->size() > listing.end) {
    if (const auto cut = file->truncate(listing.end); !cut) return std::unexpected(cut.error());
  }
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(std::move(file), listing.header, orders));
  writer->frames_ = std::move(listing.frames);
  writer->end_ = listing.end;
  return writer;
}

std::uint64_t SegmentWriter::bytes_of(std::span<const NewRecord> records) {
  std::uint64_t sum = 0;
  for (const NewRecord& record : records) {
    sum += stride_of(record.bytes.size());
  }
  return sum;
}

Result<std::vector<PlacedFrame>> SegmentWriter::append(std::span<const NewRecord> records) {
  WEIR_CHECK(!sealed_);
  if (bytes_of(records) > kMostRecordEnd - end_) {
    return fail(ErrorCode::TooLarge, "a segment's records end at 32 GiB at most");
  }
  std::vector<PlacedFrame> placed;
  placed.reserve(records.size());
  std::string frames;
  frames.reserve(records.size() * kFrameBytes);  // the parts below point into it
  std::vector<iovec> parts;
  parts.reserve(records.size() * 3);
  std::uint64_t at = end_;
  for (const NewRecord& record : records) {
    WEIR_CHECK(record.kind != FrameKind::Contents);
    const Frame frame{.kind = record.kind,
                      .order = orders_.fetch_add(1),
                      .hash = record.hash,
                      .size = record.bytes.size(),
                      .body_segment = record.body_segment,
                      .body_at = record.body_at};
    append_frame(frames, frame, header_.id);
    parts.push_back(part_of(std::string_view(frames).substr(frames.size() - kFrameBytes)));
    parts.push_back(part_of(record.bytes));
    parts.push_back(part_of({kPadding, padding_of(frame.size)}));
    placed.push_back({frame, at});
    at += frame.stride();
  }
  if (const auto written = write(parts, at - end_); !written) {
    return std::unexpected(written.error());
  }
  frames_.insert(frames_.end(), placed.begin(), placed.end());
  return placed;
}

std::uint64_t SegmentWriter::seal_bytes() const {
  return sealed_ ? 0 : contents_bytes(frames_.size());
}

Result<void> SegmentWriter::seal() {
  if (sealed_) return {};
  const std::string bytes = contents_record(frames_, end_, orders_.fetch_add(1), header_.id);
  const iovec part = part_of(bytes);
  const Result<void> written = write(std::span(&part, 1), bytes.size());
  if (!written) return written;
  sealed_ = true;
  frames_ = {};
  return {};
}

// What a failed write has left would stand between the sound records and the next ones: nobody
// would ever find those.
Result<void> SegmentWriter::write(std::span<const iovec> parts, std::uint64_t bytes) {
  if (broken_) return fail(ErrorCode::Unavailable, "a write to this segment has failed before");
  const Result<void> written = file_->append(parts);
  if (written) {
    end_ += bytes;
  } else if (file_->size() > end_ && !file_->truncate(end_)) {
    broken_ = true;
  }
  return written;
}

}  // namespace weir::backends::disk

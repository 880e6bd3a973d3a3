#include "backends/disk/record_reader.h"

#include <algorithm>
#include <utility>

#include "backends/disk/disk_body.h"
#include "backends/disk/piece_list.h"
#include "backends/record.h"
#include "base/log.h"

namespace weir::backends::disk {
namespace {

using Status = RecordRead::Status;

// Of a large record, read at first: most heads are shorter.
constexpr std::uint64_t kFirstBytes = std::uint64_t{16} * 1024;
// A thread's buffer that has grown beyond this is not kept.
constexpr std::size_t kKeepBytes = std::size_t{1024} * 1024;
// The head of an object of a terabyte is shorter.
constexpr std::uint64_t kMostHeadBytes = std::uint64_t{256} * 1024 * 1024;

// Reads on until `bytes` holds so many of the record. Found: it does.
Status fill(const RecordReader::Asked& asked, std::uint64_t wanted, std::string& bytes, bool wait) {
  const std::size_t had = bytes.size();
  if (wanted <= had) return Status::Found;
  File& file = *asked.segment->file();
  Result<std::size_t> got = std::size_t{0};
  // Not the size that is handed in: g++ 12's library tells its capacity there.
  bytes.resize_and_overwrite(wanted, [&](char* data, std::size_t) {
    const std::span<char> into(data + had, wanted - had);
    got = wait ? file.read(asked.place.at + had, into)
               : Result<std::size_t>(file.read_resident(asked.place.at + had, into));
    return had + got.value_or(0);
  });
  if (!got) {
    log_warn("disk: {}", got.error().message);
    return Status::Failed;
  }
  if (bytes.size() == wanted) return Status::Found;
  return wait ? Status::Corrupt : Status::Elsewhere;
}

}  // namespace

RecordRead RecordReader::read(const Asked& asked, bool wait) const {
  const std::uint64_t size = asked.place.size;
  if (size < kFrameBytes) return {Status::Corrupt, nullptr};
  static thread_local std::string buffer;  // what is of use is copied out of it
  if (buffer.capacity() > kKeepBytes) buffer = {};
  std::string& bytes = buffer;
  bytes.clear();
  const std::uint64_t first = size <= kWholeBytes ? size : kFirstBytes;
  if (const Status status = fill(asked, first, bytes, wait); status != Status::Found) {
    return {status, nullptr};
  }
  const std::string_view all(bytes);
  const Result<Frame> frame = read_frame(all.substr(0, kFrameBytes), asked.segment->id());
  if (!frame || frame->stride() != size) return {Status::Corrupt, nullptr};
  if (frame->hash != asked.hash) return {Status::Stranger, nullptr};
  if (frame->kind != FrameKind::Object || first < size) {
    return read_head(asked, *frame, bytes, wait);
  }
  Result<EntryRef> entry = decode(all.substr(kFrameBytes, frame->size), asked.key,
                                  time_.reading(asked.segment->header().time), asked.now_ms);
  if (!entry) return {Status::Corrupt, nullptr};
  return {Status::Found, std::move(*entry)};
}

RecordRead RecordReader::read_head(const Asked& asked, const Frame& frame, std::string& bytes,
                                   bool wait) const {
  const bool in_record = frame.kind == FrameKind::Object;
  if (!in_record && frame.kind != FrameKind::Head) return {Status::Corrupt, nullptr};
  if (frame.size < kRecordFixedBytes) return {Status::Corrupt, nullptr};
  const auto head = record_head_bytes(std::string_view(bytes).substr(kFrameBytes));
  if (!head || *head > frame.size || *head > kMostHeadBytes) return {Status::Corrupt, nullptr};
  const std::uint64_t wanted = kFrameBytes + (in_record ? *head : frame.size);
  if (const Status status = fill(asked, wanted, bytes, wait); status != Status::Found) {
    return {status, nullptr};
  }
  const std::string_view all(bytes);
  const std::string_view list = all.substr(kFrameBytes + *head, wanted - kFrameBytes - *head);
  Ref<DiskBody> body;
  bool is_gone = false;
  const auto make_body = [&](std::uint64_t size, std::vector<std::uint64_t> sums) {
    if (!in_record) {
      body = body_in_pieces(list, size, sums);
      is_gone = !body;
    } else if (*head + size == frame.size) {
      body = body_in_record(asked, *head, size, std::move(sums));
    }
    return Ref<const FarBody>(body);
  };
  Result<EntryRef> entry =
      decode_head(all.substr(kFrameBytes, *head), asked.key,
                  time_.reading(asked.segment->header().time), asked.now_ms, make_body);
  if (!entry) return {is_gone ? Status::Gone : Status::Corrupt, nullptr};
  return {Status::Found, std::move(*entry), std::move(body)};
}

Ref<DiskBody> RecordReader::body_in_record(const Asked& asked, std::uint64_t head_bytes,
                                           std::uint64_t size,
                                           std::vector<std::uint64_t> sums) const {
  const DiskBody::Piece whole{asked.segment, asked.place.at + kFrameBytes + head_bytes, size};
  return make_ref<DiskBody>(*executor_, whole, std::move(sums));
}

std::shared_ptr<const Segment> RecordReader::find_segment(const PiecePlace& place) const {
  if (place.segment > Segments::kMostNumber) return nullptr;
  return segments_->find(static_cast<std::uint32_t>(place.segment));
}

// Null: the pieces are not all there.
Ref<DiskBody> RecordReader::body_in_pieces(std::string_view list, std::uint64_t size,
                                           const std::vector<std::uint64_t>& sums) const {
  const auto places = read_pieces(list);
  if (!places) return nullptr;
  if (places->size() == 1) {
    const PiecePlace& place = places->front();
    std::shared_ptr<const Segment> segment = find_segment(place);
    if (!segment || place.size != size) return nullptr;
    return make_ref<DiskBody>(*executor_, DiskBody::Piece{std::move(segment), place.at, size},
                              std::vector(sums));
  }
  Ref<DiskBody> body = make_ref<DiskBody>(*executor_);
  std::span<const std::uint64_t> left(sums);
  std::uint64_t at = 0;
  for (const PiecePlace& place : *places) {
    const bool is_last = at + place.size == size;
    const bool fits = place.size == DiskBody::kPieceBytes ||
                      (is_last && place.size > 0 && place.size < DiskBody::kPieceBytes);
    std::shared_ptr<const Segment> segment = fits ? find_segment(place) : nullptr;
    const std::size_t blocks = (place.size + FarBody::kBlockBytes - 1) / FarBody::kBlockBytes;
    if (!segment || blocks > left.size()) return nullptr;
    body->grow({std::move(segment), place.at, place.size}, left.first(blocks));
    left = left.subspan(blocks);
    at += place.size;
  }
  if (at != size || !left.empty()) return nullptr;
  return body;
}

}  // namespace weir::backends::disk

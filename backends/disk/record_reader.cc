#include "backends/disk/record_reader.h"

#include <algorithm>
#include <expected>
#include <utility>

#include "backends/disk/disk_body.h"
#include "backends/disk/piece_list.h"
#include "backends/record.h"
#include "base/log.h"

namespace weir::backends::disk {
namespace {

using Status = RecordRead::Status;

// Of a large record, read at first: most heads are shorter.
constexpr std::uint64_t kFirstBytes = std::uint64_t{4} * 1024;
// The same of a record that is no larger than what is read whole.
constexpr std::uint64_t kFirstOfSmall = 1024;
// A thread's buffer that has grown beyond this is not kept.
constexpr std::size_t kKeepBytes = std::size_t{1024} * 1024;
// The head of an object of a terabyte is shorter.
constexpr std::uint64_t kMostHeadBytes = std::uint64_t{256} * 1024 * 1024;

// Records up to this size are copied out of the thread's buffer: what they hold is small.
constexpr std::uint64_t kCopiedBytes = Entry::kInlineBody;

// Those bytes of the record. Found: all of them.
Status read_bytes(const RecordReader::Asked& asked, std::uint64_t from, std::span<char> into,
                  bool wait) {
  File& file = *asked.segment->file();
  const std::uint64_t at = asked.place.at + from;
  const Result<std::size_t> got =
      wait ? file.read(at, into) : Result<std::size_t>(file.read_resident(at, into));
  if (!got) {
    log_warn("disk: {}", got.error().message);
    return Status::Failed;
  }
  if (*got == into.size()) return Status::Found;
  return wait ? Status::Corrupt : Status::Elsewhere;
}

// Reads on until `bytes` holds so many of the record.
Status fill(const RecordReader::Asked& asked, std::uint64_t wanted, std::string& bytes, bool wait) {
  const std::size_t had = bytes.size();
  if (wanted <= had) return Status::Found;
  Status status = Status::Failed;
  // Not the size that is handed in: g++ 12's library tells its capacity there.
  bytes.resize_and_overwrite(wanted, [&](char* data, std::size_t) {
    status = read_bytes(asked, had, {data + had, wanted - had}, wait);
    return status == Status::Found ? wanted : had;
  });
  return status;
}

// Empty, and not too large to be kept.
std::string& thread_buffer() {
  static thread_local std::string buffer;
  if (buffer.capacity() > kKeepBytes) buffer = {};
  buffer.clear();
  return buffer;
}

// The frame of the record that was asked for, which `bytes` begin with; or why it is none.
std::expected<Frame, Status> frame_of(const RecordReader::Asked& asked, std::string_view bytes) {
  const Result<Frame> frame = read_frame(bytes.substr(0, kFrameBytes), asked.segment->id());
  if (!frame || frame->stride() != asked.place.size) return std::unexpected(Status::Corrupt);
  if (frame->hash != asked.hash) return std::unexpected(Status::Stranger);
  return *frame;
}

}  // namespace

RecordRead RecordReader::read(const Asked& asked, bool wait) const {
  const std::uint64_t size = asked.place.size;
  if (size < kFrameBytes) return {Status::Corrupt};
  const bool is_sendable =
      asked.may_be_far && size >= kSentBytes && size <= kWholeBytes &&
      asked.segment->verified().knows_record(*asked.segment->file(), asked.place.at, asked.now_ms);
  if (is_sendable) {
    RecordRead read = read_large(asked, wait, HeadTrust::WasParsed);
    if (read.entry) return read;
  }
  return size <= kWholeBytes ? read_whole(asked, wait) : read_large(asked, wait, HeadTrust::None);
}

RecordRead RecordReader::read_whole(const Asked& asked, bool wait) const {
  const std::uint64_t size = asked.place.size;
  if (size <= kCopiedBytes) {
    std::string& bytes = thread_buffer();
    const Status status = fill(asked, size, bytes, wait);
    return status == Status::Found ? decode_whole(asked, bytes, nullptr, {}) : RecordRead{status};
  }
  const Segment& segment = *asked.segment;
  const auto modified =
      size >= kSentBytes ? segment.verified().modified(*segment.file()) : std::nullopt;
  const Ref<Chunk> chunk = Chunk::allocate(size);
  const Status status = read_bytes(asked, 0, chunk->free_space(), wait);
  if (status != Status::Found) return {status};
  chunk->advance(size);
  return decode_whole(asked, {chunk->data(), size}, chunk, modified);
}

// `chunk` is where `all` lies, if it lies in one; `modified` tells when the file was, before.
RecordRead RecordReader::decode_whole(const Asked& asked, std::string_view all,
                                      const Ref<Chunk>& chunk,
                                      VerifiedBlocks::Modified modified) const {
  const auto frame = frame_of(asked, all);
  if (!frame) return {frame.error()};
  const std::string_view record = all.substr(kFrameBytes, frame->size);
  if (frame->kind != FrameKind::Object) {
    const auto bytes = head_bytes(*frame, record);
    return bytes ? read_head(asked, *frame, record, *bytes, HeadTrust::None)
                 : RecordRead{Status::Corrupt};
  }
  Result<EntryRef> entry =
      decode(record, asked.key, time_.reading(asked.segment->header().time), asked.now_ms, chunk);
  if (!entry) return {Status::Corrupt};
  if ((*entry)->kind() == EntryKind::Response) {
    const std::uint64_t body = (*entry)->body_size();
    asked.segment->verified().add_record(asked.place.at,
                                         {.at = asked.place.at + kFrameBytes + frame->size - body,
                                          .bytes = body,
                                          .block_bytes = FarBody::kBlockBytes},
                                         modified);
  }
  return {Status::Found, std::move(*entry)};
}

RecordRead RecordReader::read_large(const Asked& asked, bool wait, HeadTrust trust) const {
  std::string& bytes = thread_buffer();
  const std::uint64_t first_bytes = asked.place.size <= kWholeBytes ? kFirstOfSmall : kFirstBytes;
  if (const Status status = fill(asked, first_bytes, bytes, wait); status != Status::Found) {
    return {status};
  }
  const std::string_view first(bytes);
  const auto frame = frame_of(asked, first);
  if (!frame) return {frame.error()};
  const auto head = head_bytes(*frame, first.substr(kFrameBytes));
  if (!head) return {Status::Corrupt};
  const std::uint64_t wanted = frame->kind == FrameKind::Object ? *head : frame->size;
  if (const Status status = fill(asked, kFrameBytes + wanted, bytes, wait);
      status != Status::Found) {
    return {status};
  }
  return read_head(asked, *frame, std::string_view(bytes).substr(kFrameBytes, wanted), *head,
                   trust);
}

// Bytes of the head that `first` begins with; empty: it is no entry's, or says what cannot be.
std::optional<std::uint64_t> RecordReader::head_bytes(const Frame& frame, std::string_view first) {
  if (!is_entry(frame.kind) || frame.size < kRecordFixedBytes) return std::nullopt;
  const auto head = record_head_bytes(first);
  if (!head || *head > frame.size || *head > kMostHeadBytes) return std::nullopt;
  return head;
}

// `bytes` are those of its head, and the list of its body's pieces where it has them elsewhere.
RecordRead RecordReader::read_head(const Asked& asked, const Frame& frame, std::string_view bytes,
                                   std::uint64_t head, HeadTrust trust) const {
  const bool in_record = frame.kind == FrameKind::Object;
  const std::string_view list = bytes.substr(head);
  Ref<DiskBody> body;
  bool is_gone = false;
  const auto make_body = [&](std::uint64_t size, std::vector<std::uint64_t> sums) {
    if (!in_record) {
      body = body_in_pieces(asked, list, size, sums);
      is_gone = !body;
    } else if (head + size == frame.size) {
      body = body_in_record(asked, head, size, std::move(sums));
    }
    return Ref<const FarBody>(body);
  };
  Result<EntryRef> entry =
      decode_head(bytes.substr(0, head), asked.key, time_.reading(asked.segment->header().time),
                  asked.now_ms, make_body, trust);
  if (!entry) return {is_gone ? Status::Gone : Status::Corrupt};
  return {Status::Found, std::move(*entry), std::move(body)};
}

Ref<DiskBody> RecordReader::body_in_record(const Asked& asked, std::uint64_t head_bytes,
                                           std::uint64_t size,
                                           std::vector<std::uint64_t> sums) const {
  const DiskBody::Piece whole{asked.segment, asked.place.at + kFrameBytes + head_bytes, size};
  return make_ref<DiskBody>(*executor_, whole, std::move(sums));
}

// The record's own segment may have lost its name by now: it was found while it had one.
std::shared_ptr<const Segment> RecordReader::find_segment(const Asked& asked,
                                                          const PiecePlace& place) const {
  if (place.segment == asked.segment->number()) return asked.segment;
  if (place.segment > Segments::kMostNumber) return nullptr;
  return segments_->find(static_cast<std::uint32_t>(place.segment));
}

// Null: the pieces are not all there.
Ref<DiskBody> RecordReader::body_in_pieces(const Asked& asked, std::string_view list,
                                           std::uint64_t size,
                                           const std::vector<std::uint64_t>& sums) const {
  const auto places = read_pieces(list);
  if (!places) return nullptr;
  if (places->size() == 1) {
    const PiecePlace& place = places->front();
    std::shared_ptr<const Segment> segment = find_segment(asked, place);
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
    std::shared_ptr<const Segment> segment = fits ? find_segment(asked, place) : nullptr;
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

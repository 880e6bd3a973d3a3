#include "backends/disk/record_at.h"

#include <memory>
#include <string>
#include <utility>

#include "backends/disk/frame.h"
#include "backends/record.h"
#include "base/log.h"

namespace weir::backends::disk {
namespace {

using Status = RecordRead::Status;

RecordRead believe(std::string_view bytes, const Segment& segment, const RecordPlace& place,
                   const Hash128& hash, keys::KeyView key, const DiskTime& time,
                   std::int64_t now_ms) {
  if (bytes.size() != place.size || bytes.size() < kFrameBytes) return {Status::Corrupt, nullptr};
  const Result<Frame> frame = read_frame(bytes.substr(0, kFrameBytes), segment.id());
  if (!frame || frame->kind != FrameKind::Object || frame->stride() != place.size) {
    return {Status::Corrupt, nullptr};
  }
  if (frame->hash != hash) return {Status::Stranger, nullptr};
  Result<EntryRef> entry = decode(bytes.substr(kFrameBytes, frame->size), key,
                                  time.reading(segment.header().time), now_ms);
  if (!entry) return {Status::Corrupt, nullptr};
  return {Status::Found, std::move(*entry)};
}

}  // namespace

RecordRead read_resident(const Segment& segment, const RecordPlace& place, const Hash128& hash,
                         keys::KeyView key, const DiskTime& time, std::int64_t now_ms) {
  if (place.size > kAtOnceBytes) return {Status::Elsewhere, nullptr};
  // One buffer a thread: the bytes are copied out of it at once.
  static thread_local const std::unique_ptr<char[]> buffer =
      std::make_unique_for_overwrite<char[]>(kAtOnceBytes);
  const std::span<char> into(buffer.get(), place.size);
  if (segment.file()->read_resident(place.at, into) != into.size()) {
    return {Status::Elsewhere, nullptr};
  }
  return believe({into.data(), into.size()}, segment, place, hash, key, time, now_ms);
}

RecordRead read_record(const Segment& segment, const RecordPlace& place, const Hash128& hash,
                       keys::KeyView key, const DiskTime& time, std::int64_t now_ms) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(place.size);
  const Result<std::size_t> got = segment.file()->read(place.at, {buffer.get(), place.size});
  if (!got) {
    log_warn("disk: {}", got.error().message);
    return {Status::Failed, nullptr};
  }
  return believe({buffer.get(), *got}, segment, place, hash, key, time, now_ms);
}

}  // namespace weir::backends::disk

#include "backends/disk/segment_reader.h"

#include <algorithm>
#include <string>
#include <utility>

namespace weir::backends::disk {
namespace {

// Frames of small objects lie close together: read many at once.
constexpr std::size_t kWindowBytes = std::size_t{256} * 1024;

// So far a record is looked for behind one that has changed: large bodies are written in smaller
// pieces.
constexpr std::uint64_t kMostSearched = std::uint64_t{16} << 20U;

// Reads a file from its front on, by whole windows, skipping what lies between.
class Window {
 public:
  explicit Window(File& file) : file_(file) {}

  // `count` bytes at this place; fewer only where the file ends.
  Result<std::string_view> at(std::uint64_t place, std::size_t count) {
    const bool here = place >= begin_ && place + count <= begin_ + bytes_.size();
    if (!here) {
      bytes_.resize(std::max(count, kWindowBytes));
      const Result<std::size_t> got = file_.read(place, bytes_);
      if (!got) return std::unexpected(got.error());
      bytes_.resize(*got);
      begin_ = place;
    }
    return std::string_view(bytes_).substr(place - begin_, count);
  }

 private:
  File& file_;
  std::string bytes_;
  std::uint64_t begin_ = 0;
};

// Where the contents begin, by the tail of a sealed segment.
Result<std::optional<std::uint64_t>> find_contents(File& file, SegmentId id) {
  const std::uint64_t size = file.size();
  if (size < kSegmentHeaderBytes + contents_bytes(0)) return std::nullopt;
  const Result<std::string> tail = read_at(file, size - kSegmentTailBytes, kSegmentTailBytes);
  if (!tail) return std::unexpected(tail.error());
  const auto begin = contents_begin(*tail, id);
  return begin && *begin <= size - contents_bytes(0) ? begin : std::nullopt;
}

// False: it is not sealed, or its contents cannot be believed.
Result<bool> list_by_contents(File& file, std::optional<std::uint64_t> begin,
                              SegmentListing& listing) {
  if (!begin) return false;
  const SegmentId id = listing.header.id;
  const std::uint64_t size = file.size();
  const Result<std::string> first = read_at(file, *begin, kFrameBytes);
  if (!first) return std::unexpected(first.error());
  if (first->size() < kFrameBytes) return false;
  const Result<Frame> frame = read_frame(*first, id);
  if (!frame || !may_be_contents(*frame, *begin, size - *begin)) return false;
  const Result<std::string> all = read_at(file, *begin, size - *begin);
  if (!all) return std::unexpected(all.error());
  auto frames = read_contents(*all, *begin, id);
  if (!frames) return false;
  listing.frames = std::move(*frames);
  listing.sealed = true;
  listing.end = *begin;
  return true;
}

// Whether a frame of that segment stands anywhere behind this place.
Result<bool> has_frame_behind(File& file, std::uint64_t at, SegmentId id) {
  Window window(file);
  const std::uint64_t end = std::min(file.size(), at + kMostSearched);
  for (at += kAlignment; at + kFrameBytes <= end; at += kAlignment) {
    const Result<std::string_view> bytes = window.at(at, kFrameBytes);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->size() < kFrameBytes) break;
    if (begins_like_frame(*bytes) && read_frame(*bytes, id)) return true;
  }
  return false;
}

Result<void> list_by_walking(File& file, std::optional<std::uint64_t> contents,
                             SegmentListing& listing) {
  using Rest = SegmentListing::Rest;
  Window window(file);
  const std::uint64_t end = std::min(file.size(), kMostRecordEnd);
  std::uint64_t at = kSegmentHeaderBytes;
  bool has_contents = false;
  while (at + kFrameBytes <= end) {
    const Result<std::string_view> bytes = window.at(at, kFrameBytes);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->size() < kFrameBytes) break;
    const Result<Frame> frame = read_frame(*bytes, listing.header.id);
    // Contents that are not whole were being written when the process ended: they go.
    has_contents = frame && frame->kind == FrameKind::Contents;
    if (!frame || has_contents || frame->stride() > end - at) break;
    listing.frames.push_back({*frame, at});
    at += frame->stride();
  }
  listing.end = at;
  if (has_contents || at == contents || at == file.size()) return {};
  const Result<bool> records = has_frame_behind(file, at, listing.header.id);
  if (!records) return std::unexpected(records.error());
  listing.rest = *records ? Rest::Records : Rest::Torn;
  return {};
}

}  // namespace

Result<SegmentListing> list_segment(File& file, SegmentId id) {
  const Result<std::string> bytes = read_at(file, 0, kSegmentHeaderBytes);
  if (!bytes) return std::unexpected(bytes.error());
  const auto header = read_segment_header(*bytes, id);
  if (!header) return std::unexpected(header.error());
  SegmentListing listing;
  listing.header = *header;
  const auto contents = find_contents(file, id);
  if (!contents) return std::unexpected(contents.error());
  const Result<bool> sealed = list_by_contents(file, *contents, listing);
  if (!sealed) return std::unexpected(sealed.error());
  if (*sealed) return listing;
  const Result<void> walked = list_by_walking(file, *contents, listing);
  if (!walked) return std::unexpected(walked.error());
  return listing;
}

}  // namespace weir::backends::disk

#include "backends/disk/segments.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace weir::backends::disk {

Segment::Segment(const SegmentHeader& header, std::shared_ptr<File> file, Account account)
    : header_(header), file_(std::move(file)), account_(std::move(account)) {
  WEIR_CHECK(header_.id.number <= Segments::kMostNumber);
}

Segment::~Segment() {
  set_bytes(0);
}

void Segment::set_bytes(std::uint64_t bytes) {
  bytes = in_blocks(bytes);
  account_->fetch_add(bytes - bytes_, std::memory_order_relaxed);  // modulo 2^64: may be less
  bytes_ = bytes;
}

SegmentRef Segments::add(const SegmentHeader& header, std::shared_ptr<File> file) {
  auto segment = std::make_shared<Segment>(header, std::move(file), account_);
  const std::unique_lock lock(mutex_);
  const bool added = segments_.emplace(segment->number(), segment).second;
  WEIR_CHECK(added);  // or the index would lead to another one's records
  return segment;
}

SegmentRef Segments::find(std::uint32_t number) const {
  const std::shared_lock lock(mutex_);
  const auto found = segments_.find(number);
  return found == segments_.end() ? nullptr : found->second;
}

SegmentRef Segments::at_or_after(std::uint32_t number) const {
  const std::shared_lock lock(mutex_);
  const auto found = segments_.lower_bound(number);
  return found == segments_.end() ? nullptr : found->second;
}

SegmentRef Segments::oldest() const {
  const std::shared_lock lock(mutex_);
  return segments_.empty() ? nullptr : segments_.begin()->second;
}

SegmentRef Segments::newest() const {
  const std::shared_lock lock(mutex_);
  return segments_.empty() ? nullptr : segments_.rbegin()->second;
}

SegmentRef Segments::oldest_unsynced() const {
  const std::shared_lock lock(mutex_);
  const auto owes = [](const auto& numbered) { return numbered.second->owes_sync(); };
  const auto found = std::ranges::find_if(segments_, owes);
  return found == segments_.end() ? nullptr : found->second;
}

std::uint64_t Segments::bytes_held() const {
  const std::shared_lock lock(mutex_);
  std::uint64_t sum = 0;
  for (const SegmentRef& segment : removed_) sum += segment->bytes();
  return sum;
}

void Segments::remove(std::uint32_t number) {
  {
    const std::unique_lock lock(mutex_);
    const auto found = segments_.find(number);
    if (found == segments_.end()) return;
    removed_.push_back(std::move(found->second));
    has_removed_.store(true, std::memory_order_relaxed);
    segments_.erase(found);
  }
  close_removed();
}

void Segments::close_removed() {
  if (!has_removed()) return;
  std::vector<SegmentRef> unread;  // they die outside of the lock
  const std::unique_lock lock(mutex_);
  const auto is_read = [](const SegmentRef& segment) { return segment.use_count() > 1; };
  const auto rest = std::partition(removed_.begin(), removed_.end(), is_read);
  std::move(rest, removed_.end(), std::back_inserter(unread));
  removed_.erase(rest, removed_.end());
  has_removed_.store(!removed_.empty(), std::memory_order_relaxed);
}

}  // namespace weir::backends::disk

// What a volume does when the medium fails, is full, or was taken away: what could not be written
// is remembered, so that nothing older comes back for it, in this run or in the next.
#include <span>
#include <utility>
#include <vector>

#include "backends/disk/volume.h"
#include "base/log.h"

namespace weir::backends::disk {
namespace {

// Once there was no room, nothing is admitted for so long.
constexpr std::int64_t kFullRest_ms = 1'000;
// Beyond so many owed erasures the whole folder is.
constexpr std::size_t kMostOwed = 100'000;

}  // namespace

// What is not written leaves nothing older, now and after a restart.
void Volume::give_up(std::span<WriteQueue::Item> items) {
  if (items.empty()) return;
  for (const WriteQueue::Item& item : items) owed_.insert(item.key);
  if (owed_.size() > kMostOwed) {
    owes_all_ = true;
    owed_.clear();
  }
  settle_belief();  // before anybody hears of it
  for (WriteQueue::Item& item : items) {
    queue_.settle(item, StoreResult::Failed, {});
    if (item.heard) item.heard(StoreResult::Failed);
  }
}

bool Volume::pay_owed() {
  if (owed_.empty()) return true;
  std::vector<NewRecord> records;
  records.reserve(owed_.size());
  for (const Hash128& key : owed_) records.push_back({.kind = FrameKind::Erased, .hash = key});
  const SegmentLog::Appended appended =
      log_->append(records, [](std::size_t, const RecordPlace&) {});
  for (std::size_t i = 0; i < appended.count; ++i) owed_.erase(records[i].hash);
  if (!appended.result) report(appended.result);
  return appended.result.has_value();
}

// Says once that it begins to fail, and once that it does not any more.
void Volume::report(const Result<void>& result) {
  if (result) {
    full_until_ms_.store(0, std::memory_order_relaxed);
    const bool was_full = std::exchange(full_said_, false);
    if (writes_.succeeded() || was_full) {
      log_info("disk: {} is written to again", options_.cache_dir);
    }
    return;
  }
  errors_.fetch_add(1, std::memory_order_relaxed);
  const Error& error = result.error();
  if (error.code == ErrorCode::Unavailable) {
    full_until_ms_.store(seams_.clock.now_ms() + kFullRest_ms, std::memory_order_relaxed);
    if (!std::exchange(full_said_, true)) {
      log_warn("disk: nothing is written to {}: {}", options_.cache_dir, error.message);
    }
    return;
  }
  if (error.code == ErrorCode::NotFound && reopen()) return;
  if (writes_.failed(seams_.clock.now_ms())) {
    log_error("disk: {} cannot be written to: {}; stores are refused until it can",
              options_.cache_dir, error.message);
  }
}

void Volume::on_made_anew(MadeAnew told) {
  tasks_.run([this, told = std::move(told)]() mutable { made_anew_ = std::move(told); });
}

// The folder was removed, or emptied, while it was in use: it is made anew, and what was in it is
// gone. Under the same id, which keys are known by here.
bool Volume::reopen() {
  Result<CacheFolder> again =
      open_cache_folder(seams_.files, options_.cache_dir, process_name(), folder_id_);
  if (!again || again->id != folder_id_ || !again->segments.empty()) return false;
  queue_.drop_written();
  [[maybe_unused]] const Result<void> gone = log_->clear();  // there is nothing left to remove
  owed_.clear();
  owes_all_ = false;
  folder_ = std::move(*again);
  book_file_ = BookFile(folder_.folder);
  believer_ = Believer::Nobody;
  if (made_anew_) made_anew_(folder_.folder);
  log_warn("disk: {} had been removed; it is there again, and empty", options_.cache_dir);
  return true;
}

// ---- the purge book ----

bool Volume::use_book(std::uint64_t book) {
  const bool same = found_book_ == book;
  tasks_.run([this, book, same] {
    book_ = book;
    if (found_book_) believer_ = same ? Believer::Us : Believer::Others;
    owes_all_ = owes_all_ || !same;
  });
  if (!same) clear();
  return same;
}

void Volume::doubt(bool doubt) {
  tasks_.run([this, doubt] {
    in_doubt_ = doubt;
    settle_belief();
  });
}

void Volume::tend() {
  if (segments_->has_removed() || owes_.load(std::memory_order_relaxed)) schedule();
}

// Whether the next run may believe what lies here, should this one end now.
void Volume::settle_belief() {
  owes_.store(owes_anything(), std::memory_order_relaxed);
  if (!book_) return;
  const bool is_sound = !in_doubt_ && !owes_anything();
  const Believer wanted = is_sound ? Believer::Us : Believer::Nobody;
  if (wanted == believer_) return;
  const Result<void> settled = is_sound ? book_file_.write(*book_) : book_file_.take_back();
  if (settled) {
    believer_ = wanted;
  } else if (!is_sound && !std::exchange(doubt_said_, true)) {
    log_error("disk: {}: {}; should the process end now, older objects may come back",
              options_.cache_dir, settled.error().message);
  }
}

}  // namespace weir::backends::disk

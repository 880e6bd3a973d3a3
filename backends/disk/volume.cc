#include "backends/disk/volume.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "backends/record.h"
#include "base/check.h"
#include "base/log.h"

namespace weir::backends::disk {
namespace {

// On its way to the disk at a time; a store that finds no room is dropped.
constexpr std::uint64_t kMostQueued = std::uint64_t{64} << 20U;
// Written with one call.
constexpr std::uint64_t kGroupBytes = std::uint64_t{2} << 20U;
// Of the room, what is not the body of a single object: its head, the segment's header and
// contents; and what is not its record.
constexpr std::uint64_t kOverheadShare = 8;
constexpr std::uint64_t kRecordOverheadShare = 16;
constexpr std::int64_t kProgress_ms = 2'000;

RoomLimits limits_of(const DiskOptions& options) {
  return {.max_size = options.max_size,
          .threshold = options.threshold,
          .min_free_bytes = options.min_free_bytes,
          .min_free_percent = options.min_free_percent};
}

}  // namespace

std::string process_name() {
  return "process " + std::to_string(getpid());
}

Result<std::shared_ptr<Volume>> Volume::open(DiskOptions options, const DiskSeams& seams,
                                             CacheFolder folder) {
  auto segments = std::make_shared<Segments>(folder.id);
  Result<Recovery> recovery = Recovery::begin(folder, *segments);
  if (!recovery) return std::unexpected(recovery.error());
  BookFile book_file(folder.folder);
  const auto book = book_file.read();
  if (!book) return std::unexpected(book.error());
  Lying lying{std::move(segments), std::move(*recovery), std::move(book_file), *book};
  return std::shared_ptr<Volume>(
      new Volume(std::move(options), seams, std::move(folder), std::move(lying)));
}

Volume::Volume(DiskOptions options, const DiskSeams& seams, CacheFolder folder, Lying lying)
    : options_(std::move(options)),
      max_size_(options_.max_size),
      max_object_size_(options_.max_object_size),
      default_expire_s_(options_.default_expire_s),
      seams_(seams),
      folder_(std::move(folder)),
      folder_id_(folder_.id),
      segments_(std::move(lying.segments)),
      queue_(index_, kMostQueued),
      recovery_(std::move(lying.recovery)),
      found_book_(lying.book),
      book_file_(std::move(lying.book_file)),
      tasks_(seams.executor) {
  reader_.emplace(segments_, seams_.executor, DiskTime(seams_.clock, recovery_.time()));
  log_.emplace(folder_, *segments_, index_, reader_->time(), limits_of(options_), *kept_free_,
               recovery_.next_number(), seams_.executor);
  kept_free_->on_more([this] { tasks_.run([this] { log_->shrink(); }); });
  recovery_began_ms_ = progress_said_ms_ = seams_.clock.now_ms();
  queue_.begin_recovery();
  tasks_.run([this] { recover_some(); });
}

Volume::~Volume() {
  ending_.store(true);
  kept_free_->on_more(nullptr);
  tasks_.wait();
  tasks_.run([this] {
    write_some();  // what is owed: its readers have gone
    log_->close();
    log_->sync();
  });
  tasks_.wait();
}

std::uint64_t Volume::max_object_size() const {
  const std::uint64_t room = least_room(max_size_.load(std::memory_order_relaxed));
  return std::min(max_object_size_.load(std::memory_order_relaxed), room - room / kOverheadShare);
}

std::uint64_t Volume::max_record_size() const {
  const std::uint64_t room = least_room(max_size_.load(std::memory_order_relaxed));
  return room - room / kRecordOverheadShare;
}

// What is on its way already is written by the new limits, which may be too narrow for it.
void Volume::resize(const DiskOptions& options) {
  max_size_.store(options.max_size, std::memory_order_relaxed);
  max_object_size_.store(options.max_object_size, std::memory_order_relaxed);
  default_expire_s_.store(options.default_expire_s, std::memory_order_relaxed);
  tasks_.run([this, limits = limits_of(options)] { log_->limit(limits); });
}

// ---- look-ups ----

Volume::Found Volume::find(keys::KeyView key, const Hash128& hash, Purpose purpose) {
  if (std::optional<EntryRef> queued = queue_.find(hash)) {
    const bool is_it = *queued && (*queued)->key().bytes == key.bytes;
    return {is_it ? std::move(*queued) : nullptr, nullptr, {}};
  }
  if (segments_->has_removed()) close_removed_soon();
  // What is found may just have moved, to make room: then it is found at its new place.
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    const auto place = purpose == Purpose::Probe ? index_.peek(hash) : index_.find(hash);
    if (!place) break;
    if (std::shared_ptr<const Segment> segment = segments_->find(place->segment)) {
      return {nullptr, std::move(segment), *place};
    }
  }
  return {};
}

// Who read it last may have left since anything was written.
void Volume::close_removed_soon() {
  constexpr std::int64_t kPause_ms = 1'000;
  const std::int64_t now_ms = seams_.clock.now_ms();
  std::int64_t next_ms = next_close_ms_.load(std::memory_order_relaxed);
  if (now_ms < next_ms || !next_close_ms_.compare_exchange_strong(next_ms, now_ms + kPause_ms)) {
    return;
  }
  schedule();
}

RecordReader::Asked Volume::asked(const Found& found, keys::KeyView key, const Hash128& hash,
                                  bool may_be_far) {
  return {found.segment, found.place, hash, key, seams_.clock.now_ms(), may_be_far};
}

void Volume::forget_changed(const Hash128& hash, const RecordPlace& place) {
  log_warn("disk: a record in {} has changed; it is gone", segment_name(place.segment));
  queue_.forget(hash, place);
  schedule();
}

EntryRef Volume::take(RecordRead&& read, const Hash128& hash, const RecordPlace& place) {
  switch (read.status) {
    case RecordRead::Status::Found:
      if (reads_.succeeded()) log_info("disk: {} can be read again", options_.cache_dir);
      if (read.body) {  // nobody reads it yet
        read.body->when_bad([volume = weak_from_this(), hash, place] {
          if (const auto there = volume.lock()) there->forget_changed(hash, place);
        });
      }
      return std::move(read.entry);
    case RecordRead::Status::Corrupt:
      forget_changed(hash, place);
      break;
    case RecordRead::Status::Gone:
      queue_.forget(hash, place);
      schedule();
      break;
    case RecordRead::Status::Failed:
      errors_.fetch_add(1, std::memory_order_relaxed);
      if (reads_.failed(seams_.clock.now_ms())) {
        log_error("disk: {} cannot be read; its objects are misses until it can",
                  options_.cache_dir);
      }
      break;
    case RecordRead::Status::Elsewhere:
    case RecordRead::Status::Stranger:
      break;
  }
  return nullptr;
}

// What was replaced since it was read still stands there. Its newer record is met later, unless it
// lies in the same segment, behind what was read of that.
ListPart Volume::listed(RecordList::Part&& read) {
  ListPart part;
  part.next = read.next;
  for (RecordList::Found& found : read.records) {
    const WriteQueue::Standing standing = queue_.standing(found.hash);
    const auto& place = standing.place;
    const bool behind = place && place->segment == found.place.segment && place->at >= read.end;
    if (standing.queued || standing.unknown || place == found.place || behind) {
      part.entries.push_back(std::move(found.entry));
    }
  }
  return part;
}

std::vector<Listed> Volume::queued(char first_byte) {
  std::vector<Listed> entries;
  for (const EntryRef& entry : queue_.entries(first_byte)) {
    if (entry->kind() != EntryKind::Response) continue;
    entries.push_back({std::string(entry->key().bytes), entry->meta(), entry->body_size()});
  }
  return entries;
}

// ---- changes ----

bool Volume::may_store() {
  const std::int64_t now_ms = seams_.clock.now_ms();
  return now_ms >= full_until_ms_.load(std::memory_order_relaxed) && writes_.allows(now_ms);
}

void Volume::put(const Hash128& key, EntryRef entry, std::uint64_t bytes, WriteQueue::Heard heard) {
  queue_.put(key, std::move(entry), bytes, std::move(heard));
  schedule();
}

WriteQueue::Claim Volume::claim(const Hash128& key) {
  const WriteQueue::Claim claim = queue_.claim(key);
  schedule();
  return claim;
}

bool Volume::put_claimed(const Hash128& key, WriteQueue::Claim claim, EntryRef&& entry,
                         std::uint64_t bytes, WriteQueue::Heard&& heard) {
  const bool put = queue_.put_claimed(key, claim, std::move(entry), bytes, std::move(heard));
  if (put) schedule();
  return put;
}

EraseResult Volume::erase(const Hash128& key) {
  const EraseResult result = queue_.erase(key);
  if (result != EraseResult::Absent) schedule();
  return result;
}

void Volume::when_written(std::move_only_function<void(bool)> tell) {
  tell_when_written(kMostQueued / kGroupBytes + 1, std::move(tell));
}

// A group a turn, until nothing is queued, or as many as could have been when it was asked.
void Volume::tell_when_written(std::uint64_t groups, std::move_only_function<void(bool)> tell) {
  tasks_.run([this, groups, tell = std::move(tell)]() mutable {
    if (groups > 0 && !queue_.empty()) {
      write_some();
      return tell_when_written(groups - 1, std::move(tell));
    }
    tell(!owes_anything() || (book_ && believer_ == Believer::Nobody));
  });
}

void Volume::clear() {
  queue_.clear();
  schedule();
}

bool Volume::holds(const FarBody& body) const {
  const auto* const here = dynamic_cast<const DiskBody*>(&body);
  return here && !here->pieces().empty() &&
         here->pieces().front().segment->id().folder == folder_id_;
}

Result<void> Volume::write_piece(std::string_view bytes, DiskBody& body) {
  std::vector<std::uint64_t> sums;
  for (std::size_t at = 0; at < bytes.size(); at += FarBody::kBlockBytes) {
    sums.push_back(block_checksum(bytes.substr(at, FarBody::kBlockBytes)));
  }
  const NewRecord piece{.kind = FrameKind::Body, .bytes = bytes};
  const auto publish = [&](std::size_t, const RecordPlace& place) {
    body.grow({segments_->find(place.segment), place.at + kFrameBytes, bytes.size()}, sums);
  };
  const Result<void> written = log_->append(std::span(&piece, 1), publish).result;
  report(written);
  return written;
}

BackendStats Volume::stats() const {
  BackendStats stats;
  stats.objects = index_.size();
  stats.bytes = log_->bytes() + queue_.bytes();
  stats.hits = hits_.load(std::memory_order_relaxed);
  stats.misses = misses_.load(std::memory_order_relaxed);
  stats.stores = stores_.load(std::memory_order_relaxed);
  stats.evictions = log_->evictions();
  stats.errors = errors_.load(std::memory_order_relaxed);
  stats.dropped = dropped_.load(std::memory_order_relaxed);
  stats.breaker_open = writes_.is_open() || reads_.is_open();
  return stats;
}

// ---- the tasks: writing ----

void Volume::schedule() {
  if (!scheduled_.exchange(true)) tasks_.run([this] { write_some(); });
}

// One group a turn, so that recovery has its turns in between.
void Volume::write_some() {
  scheduled_.store(false);
  segments_->close_removed();
  WriteQueue::Group group = queue_.take(kGroupBytes);
  if (group.clear_first || owes_all_) {
    const Result<void> cleared = log_->clear();
    owes_all_ = !cleared;
    if (cleared) owed_.clear();
    report(cleared);
  }
  // First what is owed, or an older record could outlive what is written now; and that it is
  // written down, or not, before anybody hears of his store.
  const bool paid = pay_owed();
  settle_belief();
  if (paid) {
    write(group.items);
  } else {
    give_up(group.items);
  }
  if (!queue_.empty()) schedule();
}

// `bytes` is to hold what it points to.
NewRecord Volume::record_of(const WriteQueue::Item& item, std::string& bytes) const {
  NewRecord record{.kind = FrameKind::Erased, .hash = item.key};
  if (!item.entry) return record;
  const RecordTime time = reader_->time().writing();
  if (const auto* const body = static_cast<const DiskBody*>(item.entry->far_body())) {
    WEIR_CHECK(holds(*body));  // or the head would lead to bytes of another folder
    record.kind = FrameKind::Head;
    bytes = encode_head(*item.entry, body->sums(), time);
    std::vector<PiecePlace> places;
    places.reserve(body->pieces().size());
    for (const DiskBody::Piece& piece : body->pieces()) {
      places.push_back({piece.segment->number(), piece.at, piece.size});
    }
    append_pieces(bytes, places);
    record.body_segment = places.front().segment;
    record.body_at = places.front().at - kFrameBytes;
  } else {
    record.kind = FrameKind::Object;
    bytes = encode(*item.entry, time);
  }
  record.bytes = bytes;
  return record;
}

void Volume::write(std::span<WriteQueue::Item> items) {
  if (items.empty()) return;
  std::vector<std::string> bytes;
  std::vector<NewRecord> records;
  bytes.reserve(items.size());  // the records point into it
  records.reserve(items.size());
  for (const WriteQueue::Item& item : items) {
    records.push_back(record_of(item, bytes.emplace_back()));
  }
  // Counted and found at once: what is written behind them may have to make room.
  const SegmentLog::Appended appended =
      log_->append(records, [&](std::size_t at, const RecordPlace& place) {
        if (items[at].entry) stores_.fetch_add(1, std::memory_order_relaxed);
        queue_.settle(items[at], StoreResult::Stored, place);
      });
  report(appended.result);  // first: who hears of his store's end may try another one at once
  for (std::size_t i = 0; i < appended.count; ++i) {
    if (items[i].heard) items[i].heard(StoreResult::Stored);
  }
  give_up(items.subspan(appended.count));
}

// ---- the tasks: recovery ----

void Volume::recover_some() {
  if (ending_.load()) return;
  const bool more = recovery_.next(
      [this](const Hash128& key, const RecordPlace& place) { queue_.recovered(key, place); },
      [this](const SegmentRef& segment, const SegmentListing& listing) {
        return log_->go_on(segment, listing);
      });
  const std::int64_t now_ms = seams_.clock.now_ms();
  if (!more) {
    queue_.end_recovery();
    log_->shrink();
    if (recovery_.segments_in_all() > 0) {
      log_info("disk: {}: objects found: {} (in {} ms)", options_.cache_dir, index_.size(),
               now_ms - recovery_began_ms_);
    }
    return;
  }
  if (now_ms - progress_said_ms_ >= kProgress_ms) {
    progress_said_ms_ = now_ms;
    log_info("disk: {}: {} of {} segments read, {} objects so far", options_.cache_dir,
             recovery_.segments_in_all() - recovery_.segments_left(), recovery_.segments_in_all(),
             index_.size());
  }
  tasks_.run([this] { recover_some(); });
}

}  // namespace weir::backends::disk

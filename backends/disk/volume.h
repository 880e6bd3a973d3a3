// A disk backend's share that belongs to no loop: its folder, what lies there, and what is being
// written. The stores of all loops use one (disk_store.h).
//
// Any thread calls it; everything that may block is done by its own tasks on the executor, one
// after the other.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "backends/breaker.h"
#include "backends/disk/book_file.h"
#include "backends/disk/cache_folder.h"
#include "backends/disk/disk_backend.h"
#include "backends/disk/disk_body.h"
#include "backends/disk/disk_time.h"
#include "backends/disk/index.h"
#include "backends/disk/kept_free.h"
#include "backends/disk/key_set.h"
#include "backends/disk/record_list.h"
#include "backends/disk/record_reader.h"
#include "backends/disk/recovery.h"
#include "backends/disk/segment_log.h"
#include "backends/disk/segments.h"
#include "backends/disk/write_queue.h"

namespace weir::backends::disk {

// How this process is named to one that finds its folder taken.
std::string process_name();

class Volume : public std::enable_shared_from_this<Volume> {
 public:
  // What lies in the folder is found little by little. Fails as Recovery::begin() does.
  static Result<std::shared_ptr<Volume>> open(DiskOptions options, const DiskSeams& seams,
                                              CacheFolder folder);
  // Waits until what is queued has been written, and seals the newest segment.
  ~Volume();
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  // As it was opened: what can be changed, resize() may have changed.
  const DiskOptions& options() const { return options_; }
  std::int64_t default_expire_s() const {
    return default_expire_s_.load(std::memory_order_relaxed);
  }
  // Bytes of body that fit at most.
  std::uint64_t max_object_size() const;
  // Bytes of a whole record.
  std::uint64_t max_record_size() const;

  Hash128 hash_of(keys::KeyView key) const { return key_hash(key.bytes, folder_id_); }

  // ---- look-ups ----
  // What is known at once: an entry; that there is none; or where to read it from.
  struct Found {
    EntryRef entry;
    std::shared_ptr<const Segment> segment;
    RecordPlace place;
  };
  Found find(keys::KeyView key, const Hash128& hash, Purpose purpose);
  // What is needed to read it; good until `key` goes.
  RecordReader::Asked asked(const Found& found, keys::KeyView key, const Hash128& hash,
                            bool may_be_far = false);
  const RecordReader& reader() const { return *reader_; }
  // What reading it has come to, for whoever asked for that key: the entry, or null. On a loop.
  EntryRef take(RecordRead&& read, const Hash128& hash, const RecordPlace& place);
  // A record, or its body, is not what was written: it is gone. On a loop.
  void forget_changed(const Hash128& hash, const RecordPlace& place);
  // For the executor, who may outlive this.
  RecordList record_list() const { return {segments_, reader_->time(), listed_frames_}; }
  // What such a part has come to, and what is queued: its record is not there yet, and may come to
  // lie where the list has been by then.
  ListPart listed(RecordList::Part&& read);
  std::vector<Listed> queued(char first_byte);
  std::int64_t now_ms() const { return seams_.clock.now_ms(); }
  // Reading is allowed: the medium is not known to fail, or it is time to try.
  bool may_read() { return reads_.allows(seams_.clock.now_ms()); }
  Executor& executor() { return seams_.executor; }

  // ---- changes ----
  // Whether an object may be stored now: while the medium fails, or has no room, one is attempted
  // from time to time. Asked once for each.
  bool may_store();
  // Room for so many bytes of one that is attempted. False: too much is on its way.
  bool reserve(std::uint64_t bytes) { return queue_.reserve(bytes); }
  void release(std::uint64_t bytes) { queue_.release(bytes); }
  // The bytes were reserved.
  void put(const Hash128& key, EntryRef entry, std::uint64_t bytes, WriteQueue::Heard heard);
  // As WriteQueue has them.
  WriteQueue::Claim claim(const Hash128& key);
  bool put_claimed(const Hash128& key, WriteQueue::Claim claim, EntryRef&& entry,
                   std::uint64_t bytes, WriteQueue::Heard&& heard);
  void drop_claim(const Hash128& key, WriteQueue::Claim claim) { queue_.drop_claim(key, claim); }
  EraseResult erase(const Hash128& key);
  // Tells, on the executor, whether what was changed before will be so for the next process too,
  // however this one ends: it is written, or the next one begins empty.
  void when_written(std::move_only_function<void(bool)> tell);
  void clear();
  // Whether a body lies in this folder, so that a head may refer to it.
  bool holds(const FarBody& body) const;

  // ---- bodies that arrive ----
  // Runs behind what was asked for before: on the executor.
  void run_task(Executor::Task task) { tasks_.run(std::move(task)); }
  // Within such a task: writes a piece of a body, and has `body` grow by it. Empty, or why not.
  Result<void> write_piece(std::string_view bytes, DiskBody& body);

  // ---- the folder ----
  // For what others put there.
  std::shared_ptr<KeptFree> kept_free() const { return kept_free_; }
  void on_made_anew(MadeAnew told);
  // As OpenedDisk has them.
  void tend();
  bool use_book(std::uint64_t book);
  void doubt(bool doubt);
  void resize(const DiskOptions& options);

  // ---- counts ----
  // An object was not stored because the medium was too slow for it.
  void count_dropped() { dropped_.fetch_add(1, std::memory_order_relaxed); }
  void count_lookup(bool hit) { (hit ? hits_ : misses_).fetch_add(1, std::memory_order_relaxed); }
  BackendStats stats() const;

 private:
  // What lay in the folder when it was opened.
  struct Lying {
    std::shared_ptr<Segments> segments;
    Recovery recovery;
    BookFile book_file;
    std::optional<std::uint64_t> book;
  };
  Volume(DiskOptions options, const DiskSeams& seams, CacheFolder folder, Lying lying);
  void schedule();
  void tell_when_written(std::uint64_t groups, std::move_only_function<void(bool)> tell);
  void close_removed_soon();
  void write_some();
  void write(std::span<WriteQueue::Item> items);
  NewRecord record_of(const WriteQueue::Item& item, std::string& bytes) const;
  void give_up(std::span<WriteQueue::Item> items);
  bool pay_owed();
  void report(const Result<void>& result);
  bool reopen();
  bool owes_anything() const { return !owed_.empty() || owes_all_; }
  void settle_belief();
  void recover_some();

  const DiskOptions options_;
  std::atomic<std::uint64_t> max_size_;
  std::atomic<std::uint64_t> max_object_size_;
  std::atomic<std::int64_t> default_expire_s_;
  const DiskSeams seams_;
  CacheFolder folder_;
  const std::uint64_t folder_id_;
  const std::shared_ptr<Segments> segments_;  // its readers may outlive this
  const std::shared_ptr<RecordList::Kept> listed_frames_ = std::make_shared<RecordList::Kept>();
  Index index_;
  WriteQueue queue_;
  Recovery recovery_;
  std::optional<RecordReader> reader_;
  const std::optional<std::uint64_t> found_book_;  // as the folder was opened
  const std::shared_ptr<KeptFree> kept_free_ = std::make_shared<KeptFree>();
  std::optional<SegmentLog> log_;

  Breaker writes_;
  Breaker reads_;
  std::atomic<bool> scheduled_{false};
  std::atomic<bool> ending_{false};
  std::atomic<bool> owes_{false};  // something is to be written for its own sake
  std::atomic<std::int64_t> next_close_ms_{0};
  std::atomic<std::int64_t> full_until_ms_{0};  // no room before that
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> stores_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> errors_{0};

  // The tasks' own.
  // Keys whose older record may still lie there, since it could not be written that it is gone.
  KeySet owed_;
  bool owes_all_ = false;
  bool full_said_ = false;
  MadeAnew made_anew_;
  BookFile book_file_;
  std::optional<std::uint64_t> book_;  // what lies here is to be believed under; none: use_book()
  enum class Believer : std::uint8_t { Nobody, Us, Others };
  Believer believer_ = Believer::Nobody;  // whose book the file names
  bool in_doubt_ = false;                 // for others' reasons
  bool doubt_said_ = false;
  std::int64_t recovery_began_ms_ = 0;
  std::int64_t progress_said_ms_ = 0;

  SerialTasks tasks_;  // last: they use all of the above
};

}  // namespace weir::backends::disk

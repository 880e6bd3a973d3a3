// What is on its way to the disk. Until it is written it is found here, so that a store counts from
// the moment it was asked for, and an older record of its key never shows again. Every change of
// the index goes through here, so that what is written, erased and recovered meanwhile meet in one
// order. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "backends/backend.h"
#include "backends/disk/index.h"
#include "backends/disk/key_set.h"

namespace weir::backends::disk {

class WriteQueue {
 public:
  using Heard = std::move_only_function<void(StoreResult)>;
  struct Item {
    Hash128 key{};
    EntryRef entry;  // null: what stands there is erased
    std::uint64_t bytes = 0;
    std::uint64_t version = 0;
    Heard heard;  // may be empty
  };

  // `index` outlives it. No more than `most_bytes` are queued at a time, or one object that is
  // larger.
  WriteQueue(Index& index, std::uint64_t most_bytes) : index_(index), most_bytes_(most_bytes) {}

  // ---- room ----
  // False: there is none now. What was taken is given back by release(), or by the item's end.
  bool reserve(std::uint64_t bytes);
  void release(std::uint64_t bytes);
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // ---- changes ----
  // `bytes` were reserved.
  void put(const Hash128& key, EntryRef entry, std::uint64_t bytes, Heard heard);
  // The same in two steps, for one whose entry is made later: its place in the order is that of
  // claim(), where what stands there goes. What is stored, erased or claimed of the key after that
  // is newer: then put_claimed() gives back the bytes and leaves `heard` as it is, and is false.
  using Claim = std::uint64_t;
  Claim claim(const Hash128& key);
  bool put_claimed(const Hash128& key, Claim claim, EntryRef&& entry, std::uint64_t bytes,
                   Heard&& heard);
  // It will not be put.
  void drop_claim(const Hash128& key, Claim claim);
  // Whether there may be something to erase: then it is queued.
  EraseResult erase(const Hash128& key);
  // The record at this place is none.
  void forget(const Hash128& key, const RecordPlace& place);
  void clear();
  // What was written is gone; what is queued is not.
  void drop_written();

  // What is queued under this key: an entry, or null for an erasure. Empty: nothing is.
  std::optional<EntryRef> find(const Hash128& key);
  // What is queued under keys that begin so, but for erasures.
  std::vector<EntryRef> entries(char first_byte);
  // What a key leads to: what is queued, or else where its record lies; neither where it is gone.
  struct Standing {
    EntryRef queued;
    std::optional<RecordPlace> place;
    bool unknown = false;  // nobody knows yet: a recovery may still find it
  };
  Standing standing(const Hash128& key);

  // ---- the writer ----
  struct Group {
    bool clear_first = false;  // all that was written before these is to go
    std::vector<Item> items;
  };
  // The next ones, of so many bytes or a little more. Those that others have replaced meanwhile
  // are heard as stored, and left out.
  Group take(std::uint64_t bytes);
  bool empty();
  // An item of take() ended so, and lies there if it was stored. To tell who wants to hear of it is
  // the caller's affair.
  void settle(const Item& item, StoreResult result, const RecordPlace& place);

  // ---- recovery ----
  void begin_recovery();
  void end_recovery();
  // A record that was found, newer ones first.
  void recovered(const Hash128& key, const RecordPlace& place);

 private:
  struct Pending {
    EntryRef entry;
    std::uint64_t version = 0;
  };

  void push_locked(Item&& item);
  void push_erasure_locked(const Hash128& key);
  EraseResult erase_locked(const Hash128& key);

  Index& index_;
  const std::uint64_t most_bytes_;
  std::atomic<std::uint64_t> bytes_{0};  // reserved, queued and being written
  std::atomic<std::size_t> pending_count_{0};

  std::mutex mutex_;
  KeyMap<Pending> pending_;  // guarded by mutex_, as what follows
  KeyMap<Claim> claims_;
  std::deque<Item> items_;
  std::uint64_t versions_ = 0;
  bool clear_first_ = false;
  bool recovering_ = false;
  // Changed since recovery began: what it finds of them is older.
  KeySet changed_;
};

}  // namespace weir::backends::disk

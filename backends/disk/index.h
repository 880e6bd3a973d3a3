// Where the records of a disk's keys lie: a hash, and a place in a segment. What it finds has to be
// read before it is believed: the record tells whose it is.
//
// A slot takes 24 bytes. With many objects, some thousands at least, one costs 37 at most: a table
// needs room to be quick. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "backends/disk/frame.h"
#include "base/hash.h"

namespace weir::backends::disk {

// A record: its frame, and the bytes from there to the next one.
struct RecordPlace {
  std::uint32_t segment = 0;  // as the volume counts those that are there
  std::uint64_t at = 0;       // a multiple of kAlignment, below kMostAt
  std::uint64_t size = 0;     // the same
  friend bool operator==(const RecordPlace&, const RecordPlace&) = default;

  static constexpr std::uint64_t kMostAt = kMostRecordEnd;
};

class Index {
 public:
  // Counts as a use, for reclaim.
  std::optional<RecordPlace> find(const Hash128& key);
  // The same without being one.
  std::optional<RecordPlace> peek(const Hash128& key) const;

  // Where it lies from now on, not used yet; where it lay before.
  std::optional<RecordPlace> put(const Hash128& key, const RecordPlace& place);
  // The same for a key that is not there. False: it is, and stays where it lies.
  bool put_if_absent(const Hash128& key, const RecordPlace& place);
  // The record that lay at `from` has been copied. False: the key lies elsewhere meanwhile, or has
  // gone, and stays so.
  bool move(const Hash128& key, const RecordPlace& from, const RecordPlace& to);

  std::optional<RecordPlace> erase(const Hash128& key);
  // Only if it lies there still.
  bool erase_at(const Hash128& key, const RecordPlace& place);
  // All that lie in this segment; how many. Looks at every slot.
  std::size_t erase_segment(std::uint32_t segment);
  void clear();

  // Whether the key lies there still, and was found there since it was put.
  enum class State : std::uint8_t { Gone, Unused, Used };
  State state(const Hash128& key, const RecordPlace& place) const;

  std::size_t size() const;
  // Memory that the tables take.
  std::size_t bytes() const;

 private:
  // Where in 8-byte units; `tag` is the part of the hash that did not choose the shard.
  struct Slot {
    std::uint64_t tag = 0;
    std::uint32_t segment = 0;
    std::uint32_t at = 0;
    std::uint32_t size = 0;  // no record is empty: 0 is a free slot
    std::uint32_t used = 0;
  };
  static_assert(sizeof(Slot) == 24, "each byte here is a megabyte in a cache of a million");

  // Open addressing, linear probing, no tombstones.
  struct Shard {
    mutable std::mutex mutex;
    std::unique_ptr<Slot[]> slots;  // guarded by mutex, as all that follows
    std::size_t capacity = 0;
    std::size_t count = 0;

    Slot* find(std::uint64_t tag) const;
    Slot& make_room(std::uint64_t tag);
    void grow();
    void erase(Slot& slot);
    std::size_t home(std::uint64_t tag) const;
  };

  static constexpr std::size_t kShards = 64;

  Shard& shard(const Hash128& key) { return shards_[key.high % kShards]; }
  const Shard& shard(const Hash128& key) const { return shards_[key.high % kShards]; }
  static Slot slot_of(std::uint64_t tag, const RecordPlace& place);
  static RecordPlace place_of(const Slot& slot);

  std::array<Shard, kShards> shards_;
};

}  // namespace weir::backends::disk

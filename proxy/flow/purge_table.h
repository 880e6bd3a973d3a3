// The last marks by hash, in fixed memory. A bucket that is full gives its oldest mark up and
// raises its own floor to it: what lies in that bucket and is older counts as marked. So whoever
// marks more than fits makes old things of a few buckets be fetched again, and a mark is never
// lost.
//
// One thread at a time marks; any thread checks meanwhile, without a lock and without waiting. What
// makes that right: a way is given away only after its floor was raised, and a check reads the
// floors after the ways, so that it meets a mark in the one or in the other.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "proxy/flow/purge_mark.h"

namespace weir::flow {

class PurgeTable {
 public:
  static constexpr std::size_t kWays = 15;

  // 2^bits buckets of 256 bytes, at least two.
  explicit PurgeTable(unsigned bits);

  void mark(std::uint64_t hash, PurgeStamp stamp);
  // Of the bucket in which this hash lies.
  void raise_floor(std::uint64_t hash, PurgeStamp stamp);
  PurgeVerdict check(std::uint64_t seq, std::uint64_t hash) const;

  // visit(hash, stamp, is_floor) for each mark and floor; any hash of its bucket stands for a
  // floor. Of marks that are made meanwhile some are visited; the others are all met, as themselves
  // or as a floor.
  template <class Visit>
  void for_each(Visit visit) const {
    if (newest_.load(std::memory_order_acquire) == 0) return;  // and leave the memory untouched
    const std::size_t buckets = std::size_t{1} << bits_;
    for (std::size_t i = 0; i < buckets; ++i) visit_bucket(i, visit);
  }

 private:
  struct Way {
    std::uint64_t hash;
    std::uint64_t stamp;  // 0: empty, and so are all behind it
  };
  struct Bucket {
    std::array<Way, kWays> ways;
    std::array<std::uint64_t, 2> floors;  // stamps: the hard one, the soft one
  };
  static_assert(sizeof(Bucket) == 256);
  struct Free {
    void operator()(Bucket* buckets) const { std::free(buckets); }
  };
  using Word = std::atomic_ref<std::uint64_t>;
  static_assert(Word::is_always_lock_free);

  static std::uint64_t read(std::uint64_t& word) {
    return Word(word).load(std::memory_order_acquire);
  }
  static PurgeStamp stamp_in(std::uint64_t& word) { return PurgeStamp::of_word(read(word)); }
  static void write(std::uint64_t& word, std::uint64_t value) {
    Word(word).store(value, std::memory_order_release);
  }
  // The hard floor or the soft one: a soft one must not hide an older hard one.
  static void raise(Bucket& bucket, PurgeStamp stamp);
  void note_newest(PurgeStamp stamp);

  // By the highest bits: a bucket of a smaller table holds what whole buckets of this one do.
  Bucket& bucket_of(std::uint64_t hash) const { return buckets_.get()[hash >> (64U - bits_)]; }

  template <class Visit>
  void visit_bucket(std::size_t index, Visit& visit) const {
    Bucket& bucket = buckets_.get()[index];
    for (Way& way : bucket.ways) {
      const PurgeStamp stamp = stamp_in(way.stamp);
      if (!stamp) break;
      visit(read(way.hash), stamp, false);
    }
    for (std::uint64_t& floor : bucket.floors) {
      if (const PurgeStamp stamp = stamp_in(floor)) {
        visit(std::uint64_t{index} << (64U - bits_), stamp, true);
      }
    }
  }

  const unsigned bits_;
  // From calloc: zero pages of the kernel's, not written and so not resident before they are used.
  std::unique_ptr<Bucket, Free> buckets_;
  std::atomic<std::uint64_t> newest_ = 0;  // position: whoever is as new need not look
};

}  // namespace weir::flow

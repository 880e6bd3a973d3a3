#include "proxy/flow/purge_table.h"

#include <algorithm>

#include "base/check.h"

namespace weir::flow {

PurgeTable::PurgeTable(unsigned bits)
    : bits_(bits),
      buckets_(static_cast<Bucket*>(std::calloc(std::size_t{1} << bits, sizeof(Bucket)))) {
  WEIR_CHECK(bits > 0 && bits < 32);
  WEIR_CHECK(buckets_ != nullptr);
}

void PurgeTable::note_newest(PurgeStamp stamp) {
  const std::uint64_t newest = newest_.load(std::memory_order_relaxed);
  newest_.store(std::max(newest, stamp.position()), std::memory_order_release);
}

void PurgeTable::raise(Bucket& bucket, PurgeStamp stamp) {
  std::uint64_t& floor = bucket.floors[stamp.soft() ? 1 : 0];
  write(floor, std::max(read(floor), stamp.word()));
}

void PurgeTable::raise_floor(std::uint64_t hash, PurgeStamp stamp) {
  note_newest(stamp);
  raise(bucket_of(hash), stamp);
}

void PurgeTable::mark(std::uint64_t hash, PurgeStamp stamp) {
  note_newest(stamp);
  Bucket& bucket = bucket_of(hash);
  Way* place = &bucket.ways.front();  // the first empty way, else that of the oldest mark
  for (Way& way : bucket.ways) {
    const PurgeStamp known = stamp_in(way.stamp);
    if (!known) {
      place = &way;
      break;
    }
    if (read(way.hash) == hash) {
      if (known.covers(stamp)) return;
      if (stamp.covers(known)) return write(way.stamp, stamp.word());
    }
    if (known.position() < stamp_in(place->stamp).position()) place = &way;
  }
  if (const PurgeStamp oldest = stamp_in(place->stamp)) {
    if (stamp.position() < oldest.position()) return raise(bucket, stamp);  // restored, and older
    raise(bucket, oldest);
  }
  // A check that reads the old stamp and the new hash finds no more than the floor says by now.
  write(place->hash, hash);
  write(place->stamp, stamp.word());
}

PurgeVerdict PurgeTable::check(std::uint64_t seq, std::uint64_t hash) const {
  if (seq >= newest_.load(std::memory_order_acquire)) return PurgeVerdict::Alive;
  Bucket& bucket = bucket_of(hash);
  PurgeVerdict verdict = PurgeVerdict::Alive;
  for (Way& way : bucket.ways) {
    const PurgeStamp stamp = stamp_in(way.stamp);  // before its hash, which is written before it
    if (!stamp) break;
    if (read(way.hash) == hash) verdict = std::max(verdict, stamp.verdict(seq));
  }
  for (std::uint64_t& floor : bucket.floors) {
    verdict = std::max(verdict, stamp_in(floor).verdict(seq));
  }
  return verdict;
}

}  // namespace weir::flow

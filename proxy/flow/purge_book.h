// What was purged: marks, each of which kills (hard) or makes stale (soft) what it matches and what
// was fetched before it. Nothing is looked for and nothing is erased when a mark is made; whoever
// is about to use an entry asks.
//
// A position counts the marks. Every entry, and every flight, has `seq`: the book's position when
// its fetch began. A mark at position P is about what has seq < P. So no clock is needed, and a
// fetch that begins after mark_…() has returned is not touched by it.
//
//   const std::uint64_t now = book.position();    // first: what is made meanwhile counts next time
//   if (entry.seq != now) {
//     switch (book.check(entry.seq, name, tags)) {  // Alive: the entry may take `now` as its seq
//
// What it costs. Marks of URLs and tags lie in fixed tables (purge_table.h), prefixes and globs in
// bounded lists (purge_patterns.h); what is dropped from them for newer ones raises a floor, under
// which everything counts as marked. Entries that are used, and so checked, stand above it.
//
// Threads: any. position() and the checks of URLs and tags take no lock; those of prefixes and
// globs a shared one, and only while there is a newer one than the entry. A mark is visible to
// check() before position() shows it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string_view>

#include "cachekeys/purge_name.h"
#include "proxy/flow/purge_mark.h"
#include "proxy/flow/purge_patterns.h"
#include "proxy/flow/purge_table.h"

namespace weir::flow {

class PurgeBook {
 public:
  // Longer prefixes and globs count as everything: whoever takes one from outside refuses it.
  static constexpr std::size_t kMostTextBytes = 1024;

  // The seed of the hashes: random, and the same one as long as the marks of a log are restored.
  explicit PurgeBook(std::uint64_t seed) : seed_(seed) {}
  PurgeBook(const PurgeBook&) = delete;
  PurgeBook& operator=(const PurgeBook&) = delete;

  std::uint64_t position() const { return position_.load(std::memory_order_acquire); }

  // The worst that the marks say of what began at `seq` under this name, with these tags (tag_hash
  // of all it has). A name without bytes is met by tags and by mark_all() alone. The same question
  // is a flight's: whoever would join it may when it is Alive.
  PurgeVerdict check(std::uint64_t seq, const keys::PurgeName& name,
                     std::span<const std::uint64_t> tags = {}) const;

  std::uint64_t hash_of(const keys::PurgeName& name) const { return purge_hash(name, seed_); }
  // Of a tag's hash: where its mark lies.
  std::uint64_t hash_of(std::uint64_t tag) const;

  // Each returns the mark's position. Prefixes and globs: purge_patterns.h.
  std::uint64_t mark_url(const keys::PurgeName& name, bool soft = false);
  // `tag`: keys::tag_hash, or group_hash.
  std::uint64_t mark_tag(std::uint64_t tag, bool soft = false);
  std::uint64_t mark_prefix(std::string_view text, bool soft = false);
  std::uint64_t mark_glob(std::string_view text, bool soft = false);
  std::uint64_t mark_all(bool soft = false);

  // ---- the log ----

  // From now on marks are appended there; null: nowhere. `log` outlives the book, or is taken back.
  void set_log(MarkLog* log);
  // The same for other instances, which are told of them.
  void set_fleet(MarkHearer* fleet);
  // Tells once the marks made so far are in the log for good; at once where there is none.
  void when_kept(WhenKept tell);
  // Puts a mark back that was read from a log, at its own position. In any order, more than once,
  // and before anything is served: what stands at position() is not checked.
  void restore(const Mark& mark);
  // Positions never go back, not even when no mark is left that shows how far they were.
  void raise_position(std::uint64_t position);
  // Enough of marks for a new log to say the same, in no certain order. Nobody waits for it. Of
  // marks made meanwhile some are left out: whoever writes a log anew appends them as they come.
  void for_each_mark(const std::function<void(const Mark&)>& visit) const;

 private:
  // Of 100,000 marks at random places 3.05 lie in a bucket on average, and in one of 6.5 million
  // buckets more than its 15 ways hold (Poisson): who marks as many URLs makes a floor rise in
  // 0.005 buckets, and kills 0.0015 of 10,000 other pages. 8 MiB; of tags, 1 MiB. What is written
  // down of a floor is a place in these tables: a smaller one may read it, a larger one must not.
  static constexpr unsigned kUrlBits = 15;
  static constexpr unsigned kTagBits = 12;

  std::uint64_t mark(Mark mark);
  void apply(const Mark& mark);
  void apply_pattern(const Mark& mark);
  PurgeVerdict check_patterns(std::uint64_t seq, const keys::PurgeName& name) const;
  void visit_patterns(const std::function<void(const Mark&)>& visit) const;

  const std::uint64_t seed_;
  std::atomic<std::uint64_t> position_ = 0;

  std::mutex order_;             // held by whoever marks
  MarkLog* log_ = nullptr;       // guarded by order_
  MarkHearer* fleet_ = nullptr;  // the same
  PurgeFloor floor_;             // these three: changed under order_
  PurgeTable urls_{kUrlBits};
  PurgeTable tags_{kTagBits};

  mutable std::shared_mutex patterns_mutex_;       // taken under order_
  PurgePrefixes prefixes_;                         // guarded by patterns_mutex_
  PurgeGlobs globs_;                               // guarded by patterns_mutex_
  std::atomic<std::uint64_t> newest_pattern_ = 0;  // position; changed under order_
};

}  // namespace weir::flow

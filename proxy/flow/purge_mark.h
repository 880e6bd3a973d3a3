// The words of the purge book (purge_book.h): what a mark is, where it stands, what it does to what
// was fetched before it. Values; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"

namespace weir::flow {

// What the marks say of an entry, or of a fetch under way. The greater one counts.
enum class PurgeVerdict : std::uint8_t {
  Alive,
  Stale,  // as if its lifetime were over
  Dead,   // it must not be used, nor joined, at all
};

// A mark's place in their order and its strength, in one word: a table's words are read by others
// while they are written. Positions count from 1; no position is no mark.
class PurgeStamp {
 public:
  constexpr PurgeStamp() = default;
  constexpr PurgeStamp(std::uint64_t position, bool soft)
      : word_(position << 1U | std::uint64_t{soft}) {}
  static constexpr PurgeStamp of_word(std::uint64_t word) {
    PurgeStamp stamp;
    stamp.word_ = word;
    return stamp;
  }

  explicit constexpr operator bool() const { return word_ != 0; }
  constexpr std::uint64_t word() const { return word_; }
  constexpr std::uint64_t position() const { return word_ >> 1U; }
  constexpr bool soft() const { return (word_ & 1U) != 0; }

  // What it does to something it matches that began at position `seq`.
  constexpr PurgeVerdict verdict(std::uint64_t seq) const {
    if (seq >= position()) return PurgeVerdict::Alive;
    return soft() ? PurgeVerdict::Stale : PurgeVerdict::Dead;
  }
  // Whether it does all that the other one does. A soft mark never hides a hard one, older or not.
  constexpr bool covers(PurgeStamp other) const {
    return position() >= other.position() && (!soft() || other.soft());
  }

 private:
  std::uint64_t word_ = 0;
};

// What is said of everything at once. One thread at a time raises it, any thread looks.
class PurgeFloor {
 public:
  void raise(PurgeStamp stamp) {
    std::atomic<std::uint64_t>& word = words_[stamp.soft() ? 1 : 0];
    word.store(std::max(word.load(std::memory_order_relaxed), stamp.word()),
               std::memory_order_release);
  }
  PurgeStamp hard() const { return of(0); }
  PurgeStamp soft() const { return of(1); }
  PurgeVerdict verdict(std::uint64_t seq) const {
    return std::max(hard().verdict(seq), soft().verdict(seq));
  }
  bool covers(PurgeStamp stamp) const { return hard().covers(stamp) || soft().covers(stamp); }

 private:
  PurgeStamp of(std::size_t index) const {
    return PurgeStamp::of_word(words_[index].load(std::memory_order_acquire));
  }

  std::array<std::atomic<std::uint64_t>, 2> words_{};  // hard, soft
};

// A mark as it is written down.
struct Mark {
  enum class Kind : std::uint8_t {
    Url,     // hash: PurgeBook::hash_of a name
    Tag,     // hash: PurgeBook::hash_of a tag
    Prefix,  // text: of a path, or of authority and path
    Glob,    // text: the same with stars
    All,     // everything; also what is left of prefixes and globs that were dropped
    // What is left of marks that were dropped from a bucket: all that this hash lies together with.
    UrlFloor,
    TagFloor,
  };
  Kind kind = Kind::All;
  bool soft = false;  // makes stale; else it kills
  std::uint64_t position = 0;
  std::uint64_t hash = 0;
  // When a Url or a Tag is appended to a log, its name's bytes or the tag's hash, for a log that
  // others read whose seed is another; the book itself keeps their hash alone. A view, for the
  // call.
  std::string_view text = {};

  PurgeStamp stamp() const { return {position, soft}; }
};

// Hears whether marks are kept; the error is a sentence for whoever asked for them.
using WhenKept = std::move_only_function<void(Result<void>)>;

// Who is told of marks as they are made.
class MarkHearer {
 public:
  virtual ~MarkHearer() = default;
  // Called in the order of positions, on any thread, under the book's lock: it hands the mark on
  // and returns, and calls nothing of the book. The mark counts for whoever checks, but position()
  // does not show it yet.
  virtual void append(const Mark& mark) = 0;
};

// Where they are written down: a file.
class MarkLog : public MarkHearer {
 public:
  // Tells once all that was appended before is where a crash and a power cut leave it, or that it
  // could not be brought there. Called under the book's lock, and so tells later: on any thread.
  virtual void when_kept(WhenKept tell) = 0;
};

}  // namespace weir::flow

// Marks with a text: prefixes and globs, each in a bounded list. Which mark is the oldest is known,
// and dropping it raises the floor under everything, before the mark is gone. Not thread-safe: the
// book (purge_book.h) locks, shared by those who check.
//
// A text speaks of paths. In front of one an authority may stand, "example.com/blog/"; one that
// begins with "/" is about every authority's. Both sides are brought to the canonical spelling that
// routes are matched in (proxy/route/path_reading.h), the authority to lower case. A name without
// an authority (`hostname: false`) is met by texts without one alone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "cachekeys/purge_name.h"
#include "proxy/flow/purge_mark.h"
#include "proxy/route/glob.h"

namespace weir::flow {

// A purge name as texts are held against it. Views into the name, or into room of this thread that
// the next one takes.
struct PurgePath {
  explicit PurgePath(const keys::PurgeName& name);

  std::string_view authority;
  std::string_view path;  // canonical
  std::string_view both;  // the one and the other behind it
};

class PurgePrefixes {
 public:
  static constexpr std::size_t kMost = 10'000;

  // What is kept and compared of a prefix.
  static std::string spelled(std::string_view text);

  // `text` is spelled().
  void mark(std::string_view text, PurgeStamp stamp, PurgeFloor& floor);
  // A look-up for each length that a prefix has, however many there are of it.
  PurgeVerdict check(std::uint64_t seq, const PurgePath& path) const;
  // visit(text, stamp), the oldest first.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [word, known] : by_age_) {
      visit(std::string_view(known->first), PurgeStamp::of_word(word));
    }
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Stamps {
    PurgeStamp hard;
    PurgeStamp soft;
  };
  using Texts = std::unordered_map<std::string, Stamps, Hash, std::equal_to<>>;
  using Known = Texts::value_type;  // which stays where it is
  using Lengths = std::map<std::size_t, std::size_t>;

  // Of texts with an authority in front, or of those without.
  Lengths& lengths_of(std::string_view text) {
    return text.starts_with('/') ? path_lengths_ : both_lengths_;
  }
  PurgeVerdict check(std::uint64_t seq, const Lengths& lengths, std::string_view text) const;
  void forget(PurgeStamp& stamp, Known& known);
  void drop_oldest();

  Texts texts_;
  std::set<std::pair<std::uint64_t, Known*>> by_age_;  // the word of each stamp in texts_
  Lengths path_lengths_;                               // how many texts have this length
  Lengths both_lengths_;
};

class PurgeGlobs {
 public:
  static constexpr std::size_t kMost = 1'000;

  // A text that begins with "*" is about every authority's paths, too.
  void mark(std::string_view text, PurgeStamp stamp, PurgeFloor& floor);
  // Looks at those that are newer than `seq`.
  PurgeVerdict check(std::uint64_t seq, const PurgePath& path) const;
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Marked& glob : by_age_) visit(std::string_view(glob.text), glob.stamp);
  }

 private:
  struct Marked {
    Marked(std::string_view from, PurgeStamp at);
    bool matches(const PurgePath& name) const;

    PurgeStamp stamp;
    std::string text;
    std::string authority;  // in lower case; empty: every one
    route::Glob path;
  };

  std::deque<Marked> by_age_;  // the oldest first
};

}  // namespace weir::flow

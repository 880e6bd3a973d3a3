// A route's path pattern: `*` is any run within a segment, `**` any run across segments, `/a/**`
// matches `/a` too, and a `/**/` may stand for one slash. Everything else is itself. Immutable,
// any thread. Matching takes time linear in the path (a bit-parallel automaton, and shortcuts for
// the usual shapes), so no path can make it slow; it allocates only for patterns of more than 255
// elements between their literal head and tail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::route {

class Glob {
 public:
  // What is not a star is brought to the spelling of canonical paths (path_reading.h); `%2A` is a
  // literal star.
  explicit Glob(std::string_view pattern);

  bool match(std::string_view canonical_path) const;
  // What every path that matches begins with.
  std::string_view literal_head() const { return head_; }

 private:
  enum class Kind : std::uint8_t {
    Byte,
    Segment,  // `*`
    Any,      // `**`
    Folders,  // `**/` behind a "/": nothing, or a run that ends in "/"
  };
  struct Element {
    Kind kind;
    char byte;
  };
  using Words = std::vector<std::uint64_t>;

  void parse(std::string_view pattern);
  void add_literal(std::string_view text);
  void add_stars(std::string_view stars, bool whole_segment);
  void cut_head_and_tail();
  void compile();
  bool run(std::string_view text) const;
  bool run_word(std::string_view text) const;
  bool run_words(std::uint64_t* states, std::string_view text) const;
  void step(std::uint64_t* states, unsigned char byte) const;
  void skip(std::uint64_t* states, const Words& skippable) const;

  std::string head_;               // the literal before the first star
  std::string tail_;               // the literal behind the last one
  std::vector<Element> elements_;  // between them; empty: head_ is all
  bool tree_ = false;              // ends in `/**`: may end before it as well
  bool literal_tree_ = false;      // ... and head_ is all that stands before it

  // The automaton: state i stands before elements_[i], sets of states are `width_` words.
  std::size_t width_ = 1;
  Words takes_;         // [byte][word]: states that this byte moves on
  Words stays_;         // states that any byte keeps
  Words stays_within_;  // states that any byte but "/" keeps
  Words skips_;         // states that may be left for the next at once
  Words skips_behind_slash_;
};

}  // namespace weir::route

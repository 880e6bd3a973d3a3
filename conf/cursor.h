// Typed reading of a document: a Cursor is one value with its place and its path, a Section a map
// whose keys are taken one by one. Whatever does not fit is noted in the Reading, with what was
// expected and what was found, and reading goes on, so that all errors are reported at once.
// Cursors are small values that must not outlive the Reading and the document. One thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/document.h"
#include "conf/load.h"

namespace weir::conf {

// What one loading shares: the text for excerpts, the environment, the faults found so far.
class Reading {
 public:
  Reading(std::string_view text, std::string file, const Environment& environment);

  void add_problem(Place place, std::string path, std::string message);
  void add_warning(Place place, std::string path, std::string message);
  // Of the file as a whole: something is missing from it, or it cannot be read at all.
  void add_file_problem(std::string path, std::string message);
  void add_file_warning(std::string path, std::string message);
  // In the order of the file, what was met twice (an alias) only once.
  std::vector<Problem> take_problems();
  std::vector<std::string> take_warnings();

  Source source(Place place) const;
  // One-based; empty when there is none.
  std::string_view line(int number) const;
  const Environment& environment() const { return environment_; }

 private:
  std::string file_;
  std::vector<std::string_view> lines_;
  const Environment& environment_;
  std::vector<Problem> problems_;
  std::vector<Problem> warnings_;
};

// Bounds of a number, both included, in the unit of the field.
struct Range {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

class Cursor {
 public:
  Cursor(Reading& reading, NodeRef node, Place place, std::string path)
      : reading_(&reading), node_(std::move(node)), place_(place), path_(std::move(path)) {}
  // A value from outside the file, such as a flag; `name` stands for its path.
  static Cursor outside(Reading& reading, std::string_view name, const std::string& text);

  bool is_null() const { return node_->kind == DocumentNode::Kind::Null; }
  bool is_scalar() const { return node_->kind == DocumentNode::Kind::Scalar; }
  bool is_list() const { return node_->kind == DocumentNode::Kind::List; }
  bool is_map() const { return node_->kind == DocumentNode::Kind::Map; }
  const DocumentNode& node() const { return *node_; }
  const std::string& path() const { return path_; }
  Source source() const { return reading_->source(place_); }
  Place place() const { return place_; }
  Reading& reading() const { return *reading_; }

  void error(std::string message) const;
  void warn(std::string message) const;
  // "expected WHAT, found …"
  void error_expected(std::string_view what) const;

  // Each reads a scalar with the environment's variables put in, or notes an error.
  std::optional<std::string> text(std::string_view expected) const;
  std::optional<bool> boolean(std::string_view expected = "true or false") const;
  std::optional<std::uint64_t> size(Range range = {}) const;
  std::optional<std::int64_t> seconds() const;
  std::optional<std::int64_t> milliseconds(Range range = {}) const;
  std::optional<std::uint64_t> integer(Range range) const;
  // The index of the name that is written.
  // `other`: a form that may stand here as well, in words.
  std::optional<std::size_t> choice(std::span<const std::string_view> names,
                                    std::string_view other = {}) const;
  // true when it is a scalar that reads false, off or no; says nothing when it is not.
  bool is_off() const;

  // The elements of a list; an error and nothing when it is none.
  std::vector<Cursor> items(std::string_view expected) const;
  // The elements of a list, or the value itself.
  std::vector<Cursor> one_or_more() const;

 private:
  Reading* reading_;
  NodeRef node_;
  Place place_;
  std::string path_;
};

class Section {
 public:
  // Notes an error when `cursor` is not a map; every key is then absent.
  Section(const Cursor& cursor, std::string_view expected);

  // The value of `key`; whatever is never asked for is unknown to finish().
  std::optional<Cursor> take(std::string_view key);
  // Any key, for maps whose keys are the user's.
  std::vector<std::pair<std::string, Cursor>> all();
  // Where `key` itself is written.
  Cursor at_key(std::string_view key) const;
  // What people write who mean `name`: finish() proposes it, however far the spelling is.
  void mistaken_for(std::string_view name, std::initializer_list<std::string_view> slips);
  // Keys that stand elsewhere: finish() says where.
  void elsewhere(std::string_view where, std::span<const std::string_view> names);
  // Notes the keys that nobody took.
  void finish();

  // Each leaves `target` as it is when the key is absent or wrong.
  void boolean(std::string_view key, bool& target);
  void size(std::string_view key, std::uint64_t& target, Range range = {});
  void seconds(std::string_view key, std::int64_t& target);
  void milliseconds(std::string_view key, std::int64_t& target, Range range = {});
  void integer(std::string_view key, std::uint32_t& target, Range range);
  // `names` in the order of the enum's values.
  template <class Enum>
  void choice(std::string_view key, Enum& target, std::initializer_list<std::string_view> names) {
    choice(key, target, std::span(names.begin(), names.size()));
  }
  template <class Enum>
  void choice(std::string_view key, Enum& target, std::span<const std::string_view> names) {
    const std::optional<Cursor> cursor = take(key);
    if (!cursor) return;
    if (const auto index = cursor->choice(names)) target = static_cast<Enum>(*index);
  }

 private:
  Cursor make(const DocumentNode::Entry& entry) const;
  std::optional<std::string_view> meant_by(std::string_view key) const;
  std::string hint_for(std::string_view key) const;

  Cursor cursor_;
  std::vector<std::string> known_;
  std::vector<std::pair<std::string, std::string>> slips_;      // what is written, what is meant
  std::vector<std::pair<std::string, std::string>> elsewhere_;  // a key, and where it stands
};

// "a, b or c"
std::string join_names(std::span<const std::string_view> names, std::string_view last_joint);
// ` (did you mean "b"?)` when one is near, else ` (a, b or c)`.
std::string suggestion(std::string_view word, std::span<const std::string_view> names);

}  // namespace weir::conf

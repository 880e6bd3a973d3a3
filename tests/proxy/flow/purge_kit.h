// URLs and marks in one word each, for the purge book's tests.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "cachekeys/key.h"
#include "cachekeys/tags.h"
#include "proxy/flow/purge_book.h"

namespace weir::flow {

// Makes failures readable.
inline void PrintTo(PurgeVerdict verdict, std::ostream* out) {
  *out << (verdict == PurgeVerdict::Alive   ? "Alive"
           : verdict == PurgeVerdict::Stale ? "Stale"
                                            : "Dead");
}

// A URL as it stands in a key.
class Url {
 public:
  Url(std::string_view authority, std::string_view path, std::string_view query = {}) {
    keys::KeyBuffer key;
    key.raw().push_back(keys::kBaseKeyVersion);
    key.raw().append("rule 1 2");
    for (const std::string_view field : {std::string_view("http"), authority, path, query}) {
      key.append(field);
    }
    key_ = key.raw();
  }
  // Of a.test.
  explicit Url(std::string_view path) : Url("a.test", path) {}

  const std::string& key() const { return key_; }
  keys::PurgeName name() const { return keys::purge_name(key_).value(); }

 private:
  std::string key_;
};

inline std::uint64_t mark(PurgeBook& book, Mark::Kind kind, std::string_view text, bool soft) {
  switch (kind) {
    case Mark::Kind::Url:
      return book.mark_url(Url(text).name(), soft);
    case Mark::Kind::Tag:
      return book.mark_tag(keys::tag_hash(text), soft);
    case Mark::Kind::Prefix:
      return book.mark_prefix(text, soft);
    case Mark::Kind::Glob:
      return book.mark_glob(text, soft);
    default:
      return book.mark_all(soft);
  }
}

// Marks with texts of their own: a log's file, in memory.
class MarkList : public MarkLog {
 public:
  void append(const Mark& mark) override {
    marks_.push_back(mark);
    texts_.emplace_back(mark.text);
  }
  void when_kept(WhenKept) override {}
  std::size_t size() const { return marks_.size(); }
  Mark operator[](std::size_t index) const {
    Mark mark = marks_[index];
    mark.text = texts_[index];
    return mark;
  }
  void restore_into(PurgeBook& book) const {
    for (std::size_t i = 0; i < size(); ++i) book.restore((*this)[i]);
  }

 private:
  std::vector<Mark> marks_;
  std::vector<std::string> texts_;
};

// What a book says of itself.
inline MarkList marks_of(const PurgeBook& book) {
  MarkList marks;
  book.for_each_mark([&](const Mark& mark) { marks.append(mark); });
  return marks;
}

}  // namespace weir::flow

// A cache key: bytes that name a response, and their hash as a shortcut. Equality is on bytes.
// The layout is docs/KEYS.md's: length-prefixed fields, so that no two different requests can
// ever spell the same bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/text_list.h"

namespace weir::keys {

// What a key's bytes begin with.
inline constexpr char kBaseKeyVersion = 1;
inline constexpr char kVariantKeyVersion = 2;
inline constexpr char kValueKeyVersion = 3;  // of the low-level cache: no page has such a key

// A key that somebody else keeps alive.
struct KeyView {
  std::string_view bytes;
  Hash128 hash;
  friend bool operator==(const KeyView& a, const KeyView& b) {
    return a.hash == b.hash && a.bytes == b.bytes;
  }
};

// A key in a reusable buffer: build with append, then seal. No allocation once it has grown.
class KeyBuffer {
 public:
  void clear() { bytes_.clear(); }
  // A length-prefixed field. Every part of every key passes here: a short one is one growth.
  void append(std::string_view field) {
    if (field.size() >= 0x80) return TextList::append(bytes_, field);
    const std::size_t at = bytes_.size();
    const std::size_t end = at + 1 + field.size();
    bytes_.resize_and_overwrite(end, [&](char* bytes, std::size_t) {
      bytes[at] = static_cast<char>(field.size());
      std::copy(field.begin(), field.end(), bytes + at + 1);
      return end;
    });
  }
  // A number in as few bytes as it needs (LEB128); also the form of a field's length.
  void append_count(std::uint64_t count) { weir::append_count(bytes_, count); }
  // A field whose bytes the caller appends to raw() between the two calls.
  std::size_t open_field() {
    append({});
    return bytes_.size();
  }
  void close_field(std::size_t opened) {
    const std::size_t size = bytes_.size() - opened;
    if (opened == 0 || size >= 0x80) return close_long_field(opened);
    bytes_[opened - 1] = static_cast<char>(size);
  }
  void seal() { hash_ = hash128(bytes_); }
  KeyView view() const { return {bytes_, hash_}; }
  std::string& raw() { return bytes_; }

 private:
  void close_long_field(std::size_t opened);

  std::string bytes_;
  Hash128 hash_;
};

}  // namespace weir::keys

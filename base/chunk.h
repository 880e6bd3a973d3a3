// Blocks of body bytes. A Chunk is filled from front to back by one writer and never changed
// behind its end, so that readers on other threads may hold it while it grows: each of them reads
// only the bytes that it was told of (Piece::size), under whatever lock told it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ref_counted.h"

namespace weir {

class Chunk : public RefCounted<Chunk> {
 public:
  // One allocation of `capacity` bytes and a small header.
  static Ref<Chunk> allocate(std::size_t capacity);
  static void destroy(const Chunk* chunk);

  std::size_t capacity() const { return capacity_; }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  // Writer only: the bytes behind its end, and how many of them are now filled.
  std::span<char> free_space();
  void advance(std::size_t bytes);
  std::size_t filled() const { return filled_; }

 private:
  explicit Chunk(std::size_t capacity) : capacity_(capacity) {}

  const std::size_t capacity_;
  std::size_t filled_ = 0;
};

// `size` bytes of a chunk; its first ones unless something else stands before them.
struct Piece {
  Ref<Chunk> chunk;
  std::size_t size = 0;
  std::size_t begin = 0;

  std::string_view bytes() const { return {chunk->data() + begin, size}; }
};

// A sequence of pieces: a stored body, or the part of one that has arrived.
class Body {
 public:
  void append(Piece piece);
  std::uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const std::vector<Piece>& pieces() const { return pieces_; }
  // What it occupies in memory (base/heap.h).
  std::size_t charge() const;

 private:
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

// A body of one piece that holds a copy of `bytes`.
Body make_body(std::string_view bytes);

}  // namespace weir

#include "base/chunk.h"

#include <cstring>
#include <new>

#include "base/check.h"
#include "base/heap.h"

namespace weir {

Ref<Chunk> Chunk::allocate(std::size_t capacity) {
  void* memory = ::operator new(sizeof(Chunk) + capacity);
  return Ref<Chunk>(new (memory) Chunk(capacity));
}

void Chunk::destroy(const Chunk* chunk) {
  chunk->~Chunk();
  ::operator delete(const_cast<Chunk*>(chunk));
}

std::span<char> Chunk::free_space() {
  return {reinterpret_cast<char*>(this + 1) + filled_, capacity_ - filled_};
}

void Chunk::advance(std::size_t bytes) {
  WEIR_CHECK(bytes <= capacity_ - filled_);
  filled_ += bytes;
}

void Body::append(Piece piece) {
  size_ += piece.size;
  pieces_.push_back(std::move(piece));
}

std::size_t Body::charge() const {
  std::size_t total = pieces_.empty() ? 0 : heap_bytes(pieces_.data());
  for (const Piece& piece : pieces_) total += heap_bytes(piece.chunk.get());
  return total;
}

Body make_body(std::string_view bytes) {
  Body body;
  if (bytes.empty()) return body;
  Ref<Chunk> chunk = Chunk::allocate(bytes.size());
  std::memcpy(chunk->free_space().data(), bytes.data(), bytes.size());
  chunk->advance(bytes.size());
  body.append({std::move(chunk), bytes.size()});
  return body;
}

}  // namespace weir

#include "backends/far_body.h"

#include <algorithm>
#include <utility>

#include "backends/backend.h"

namespace weir::backends {

FarReader::FarReader(EventLoop& loop, std::function<void()> ready)
    : loop_(loop), ready_(std::move(ready)) {}

FarReader::~FarReader() = default;

FarReader::Got FarReader::get(const Ref<const FarBody>& body, std::uint64_t at) {
  const std::uint64_t index = at / FarBody::kBlockBytes;
  const std::uint64_t begin = index * FarBody::kBlockBytes;
  const bool same = body_ == body && index_ == index;
  if (!same) {
    pending_ = nullptr;
    block_ = nullptr;
    failed_ = false;
    body_ = body;
    index_ = index;
  }
  if (pending_) return {Status::Pending, {}};
  if (failed_) return {Status::Failed, {}};
  // What was read while the body was still growing may end too early.
  if (!block_ || at - begin >= block_->filled()) {
    block_ = body->block_now(index);
    if (!block_) {
      pending_ = body->read_block(index, loop_, *this);
      return {Status::Pending, {}};
    }
  }
  const std::string_view bytes(block_->data(), block_->filled());
  if (at - begin >= bytes.size()) return {Status::Failed, {}};
  return {Status::Data, bytes.substr(at - begin)};
}

void FarReader::on_block(Ref<const Chunk> block) {
  pending_ = nullptr;
  failed_ = !block;
  block_ = std::move(block);
  const std::function<void()> ready = ready_;  // which may end this reader
  ready();
}

}  // namespace weir::backends

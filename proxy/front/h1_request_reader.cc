#include "proxy/front/h1_request_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace weir::front {
namespace {

// So much is taken from a client ahead of what its request's body, or its next request, needs.
constexpr std::size_t kAheadBytes = std::size_t{64} * 1024;
// An idle connection keeps no more buffer than this.
constexpr std::size_t kIdleBytes = std::size_t{4} * 1024;

http::HeadLimits head_limits(const conf::Limits& limits) {
  return {.request_line = limits.request_line,
          .headers = limits.headers,
          .header_count = limits.header_count};
}

}  // namespace

H1RequestReader::H1RequestReader(Connection& connection, AnswerBatch& batch,
                                 const conf::Limits& limits)
    : connection_(connection),
      batch_(batch),
      max_body_(limits.max_body),
      parser_(head_limits(limits)) {
  parser_.reset();
}

// ---- bytes ----

std::string_view H1RequestReader::unread() const {
  return fresh_.empty() ? std::string_view(stored_).substr(stored_at_) : fresh_;
}

void H1RequestReader::use(std::size_t bytes) {
  if (!fresh_.empty()) {
    WEIR_CHECK(bytes <= fresh_.size());
    fresh_.remove_prefix(bytes);
    return;
  }
  WEIR_CHECK(bytes <= stored_.size() - stored_at_);
  stored_at_ += bytes;
}

bool H1RequestReader::full() const {
  return unread().size() >= kAheadBytes;
}

IoStatus H1RequestReader::receive(bool served) {
  // The head's views would read what is about to be received.
  WEIR_CHECK(head_bytes_.empty());
  WEIR_CHECK(fresh_.empty());
  std::span<char> room = batch_.room();
  if (served) {
    if (full()) return IoStatus::WouldBlock;
    room = room.first(std::min(room.size(), kAheadBytes - unread().size()));
  }
  const IoResult got = connection_.read(room);
  if (got.status != IoStatus::Ok) return got.status;
  const std::string_view bytes(room.data(), got.bytes);
  if (empty()) {
    fresh_ = bytes;
  } else {
    stored_.erase(0, std::exchange(stored_at_, 0));
    stored_ += bytes;
  }
  return IoStatus::Ok;
}

void H1RequestReader::stow() {
  if (fresh_.empty()) return;
  WEIR_CHECK(head_bytes_.empty());
  stored_.assign(fresh_);
  stored_at_ = 0;
  fresh_ = {};
}

void H1RequestReader::drop() {
  fresh_ = {};
  stored_.clear();
  stored_.shrink_to_fit();  // an assignment would keep the memory
  stored_at_ = 0;
}

void H1RequestReader::trim() {
  if (empty() && stored_.capacity() > kIdleBytes) drop();
}

// ---- a head ----

http::ParseStatus H1RequestReader::read_head(http::RequestHead& head) {
  const std::string_view bytes = unread();
  const http::ParseStatus status = parser_.parse(bytes, head);
  if (status == http::ParseStatus::Error) use(bytes.size());
  if (status != http::ParseStatus::Done) return status;
  head_bytes_ = bytes.substr(0, parser_.consumed());
  use(head_bytes_.size());
  body_.reset(head.framing, head.content_length, max_body_);
  return status;
}

void H1RequestReader::keep_head(http::RequestHead& head, std::string& kept) {
  if (head_bytes_.empty()) return;
  kept.assign(head_bytes_);
  const char* const from = head_bytes_.data();
  head.rebase(from, kept.data());
  head_bytes_ = {};
}

// ---- its body ----

BodyRead H1RequestReader::read_body(std::span<char> into) {
  std::string_view rest = unread();
  const std::size_t before = rest.size();
  const BodyRead read = body_.read(rest, into);
  use(before - rest.size());
  return read;
}

BodyRead H1RequestReader::read_raw(std::span<char> into) {
  const std::string_view bytes = unread().substr(0, into.size());
  if (bytes.empty()) return {BodyRead::Status::Pending};
  std::memcpy(into.data(), bytes.data(), bytes.size());
  use(bytes.size());
  return {BodyRead::Status::Data, bytes.size()};
}

bool H1RequestReader::end_request() {
  std::string_view rest = unread();
  const std::size_t before = rest.size();
  const bool ended = body_.discard(rest);
  use(before - rest.size());
  head_bytes_ = {};
  parser_.reset();
  return ended;
}

}  // namespace weir::front

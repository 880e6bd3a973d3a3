#include "proxy/upstream/request_writer.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/http/char_class.h"
#include "base/http/h1_writer.h"
#include "base/http/hop_by_hop.h"

namespace weir::upstream {
namespace {

using http::FieldId;

// A body is pulled in pieces of this size, and no more than one waits for the app.
constexpr std::size_t kPiece = 32 * 1024;
// Pieces in one turn before the loop's other events get theirs.
constexpr int kPieces = 8;
// A buffer that grew beyond this for one request is not kept for the next.
constexpr std::size_t kMostKept = 8 * 1024;

// Fields that this side writes itself, or never.
bool is_ours(FieldId id) {
  return id == FieldId::Host || id == FieldId::ContentLength || id == FieldId::Expect ||
         http::is_hop_by_hop(id);
}

// Methods whose request has a body by nature say so even when it is empty (RFC 9110 8.6).
bool announces_empty_body(const FetchRequest& request) {
  if (request.framing == http::Framing::Length) return request.content_length == 0;
  if (request.framing != http::Framing::None) return false;
  return request.method == http::Method::Post || request.method == http::Method::Put ||
         request.method == http::Method::Patch;
}

bool is_value(std::string_view value) {
  const char* const begin = value.data();
  const char* const end = begin + value.size();
  return http::find_not_value(begin, end) == end;
}

bool is_target(std::string_view target) {
  const char* const begin = target.data();
  const char* const end = begin + target.size();
  return begin != end && http::find_not_target(begin, end) == end;
}

void append_length(std::string& out, std::uint64_t length) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
  http::append_field(out, "Content-Length", {digits, end});
}

void append_framing(std::string& out, const FetchRequest& request) {
  if (announces_empty_body(request)) return append_length(out, 0);
  if (request.body == nullptr) return;
  if (request.framing == http::Framing::Length) return append_length(out, request.content_length);
  http::append_field(out, "Transfer-Encoding", "chunked");
}

}  // namespace

bool append_request_head(std::string& out, const FetchRequest& request, std::string_view host) {
  if (!http::is_token(request.method_text) || !is_target(request.target) || !is_value(host)) {
    return false;
  }
  out.append(request.method_text).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  http::append_field(out, "Host", host);
  if (request.upgrade) http::append_field(out, "Connection", "Upgrade");
  bool good = true;
  request.fields.for_each([&](const http::FieldView& field) {
    // A name that has an id is one of ours, whoever wrote it.
    const bool good_name = field.id != FieldId::Other || http::is_token(field.name);
    good = good && good_name && is_value(field.value);
    if (is_ours(field.id) && !(request.upgrade && field.id == FieldId::Upgrade)) return;
    http::append_field(out, field.name, field.value);
  });
  append_framing(out, request);
  if (request.expect_continue && request.body) http::append_field(out, "Expect", "100-continue");
  out.append("\r\n");
  return good;
}

void RequestWriter::begin(const FetchRequest& request) {
  request_ = &request;
  body_read_ = 0;
  body_done_ = !has_body();
  body_waits_ = false;
  body_held_ = has_body() && request.expect_continue;
  any_sent_ = false;
}

bool RequestWriter::start(std::string_view host) {
  bytes_.clear();
  sent_ = 0;
  any_sent_ = false;
  return append_request_head(bytes_, *request_, host);
}

void RequestWriter::release() {
  if (bytes_.capacity() <= kMostKept) return;
  bytes_.clear();
  bytes_.shrink_to_fit();
}

RequestWriter::Status RequestWriter::write(WireConnection& connection, std::span<char> scratch) {
  for (int i = 0; i < kPieces; ++i) {
    const bool wanted = !body_done_ && !body_waits_ && !body_held_ && unsent().size() < kPiece;
    if (wanted && pull(scratch) == Status::BodyFailed) {
      return Status::BodyFailed;
    }
    const std::string_view rest = unsent();
    if (rest.empty()) return body_done_ ? Status::Sent : Status::Pending;
    const WireConnection::Moved moved = connection.send(rest);
    if (moved.state == WireConnection::State::Failed) return Status::Dead;
    any_sent_ = any_sent_ || moved.bytes > 0;
    sent_ += moved.bytes;
    if (moved.bytes < rest.size()) return Status::Blocked;
    bytes_.clear();
    sent_ = 0;
    if (body_done_) return Status::Sent;
    if (body_waits_ || body_held_) return Status::Pending;
  }
  return Status::Blocked;
}

// One piece more in bytes_, with its framing. The app must see a cut message, never a shorter one
// that looks whole.
RequestWriter::Status RequestWriter::pull(std::span<char> scratch) {
  const bool counted = request_->framing == http::Framing::Length;
  const auto [status, size] =
      request_->body->read(scratch.data(), std::min(scratch.size(), kPiece));
  if (!has_body()) return Status::BodyFailed;  // given up inside the call
  bytes_.erase(0, sent_);
  sent_ = 0;
  switch (status) {
    case RequestBody::Status::Pending:
      body_waits_ = true;
      return Status::Pending;
    case RequestBody::Status::Failed:
      return Status::BodyFailed;
    case RequestBody::Status::End:
      if (counted && body_read_ < request_->content_length) return Status::BodyFailed;
      if (!counted) bytes_.append(http::kLastChunk);
      body_done_ = true;
      return Status::Sent;
    case RequestBody::Status::Data:
      WEIR_CHECK(size > 0);
      break;
  }
  body_read_ += size;
  if (counted && body_read_ > request_->content_length) return Status::BodyFailed;
  if (!counted) http::append_chunk_size(bytes_, size);
  bytes_.append(scratch.data(), size);
  if (!counted) bytes_.append("\r\n");
  body_done_ = counted && body_read_ == request_->content_length;
  return Status::Sent;
}

}  // namespace weir::upstream

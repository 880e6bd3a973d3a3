#include "proxy/front/h1_output.h"

#include <algorithm>

#include "base/http/h1_writer.h"
#include "proxy/front/far_pull.h"

namespace weir::front {

// ---- EntryBody ----

void EntryBody::clear() {
  entry_ = nullptr;
  far_ = nullptr;
}

void EntryBody::reset(backends::EntryRef entry, EventLoop& loop, std::function<void()> ready) {
  entry_ = std::move(entry);
  part_ = 0;
  offset_ = 0;
  far_at_ = 0;
  loop_ = &loop;
  far_ =
      entry_->far_body() ? std::make_unique<backends::FarReader>(loop, std::move(ready)) : nullptr;
}

BodySource::Pull EntryBody::pull_far(std::span<iovec> parts) {
  const std::uint64_t size = entry_->body_size();
  if (far_at_ >= size) return {Status::End};
  const Ref<const backends::FarBody> body(entry_->far_body());
  if (const FileRange file = body->range_now(far_at_, loop_->now_ms()); file.bytes > 0) {
    return {Status::Data, 0, file.bytes, far_at_ + file.bytes == size, file};
  }
  return far_pull(far_->get(body, far_at_), size - far_at_, true, parts);
}

BodySource::Pull EntryBody::pull(std::span<iovec> parts) {
  if (far_) return pull_far(parts);
  const std::size_t all = entry_->body_parts();
  if (part_ >= all) return {Status::End};
  Pull out{Status::Data};
  std::size_t offset = offset_;
  std::size_t at = part_;
  for (; at < all && out.parts < parts.size(); ++at, offset = 0) {
    const std::string_view bytes = entry_->body_part(at).substr(offset);
    parts[out.parts++] = {const_cast<char*>(bytes.data()), bytes.size()};
    out.bytes += bytes.size();
  }
  out.last = at == all;
  return out;
}

void EntryBody::consume(std::size_t bytes) {
  if (far_) {
    far_at_ += bytes;
    return;
  }
  while (bytes > 0) {
    const std::size_t left = entry_->body_part(part_).size() - offset_;
    if (bytes < left) {
      offset_ += bytes;
      return;
    }
    bytes -= left;
    offset_ = 0;
    ++part_;
  }
}

// ---- H1Output ----

void H1Output::reset() {
  entry_ = nullptr;
  stored_ = {};
  stored_at_ = stored_head_size_ = 0;
  constexpr std::size_t kKeepBytes = 64 * 1024;
  head_.clear();
  if (head_.capacity() > kKeepBytes) head_.shrink_to_fit();
  head_at_ = 0;
  source_ = nullptr;
  framing_ = BodyFraming::Plain;
  data_left_ = 0;
  suffix_ = {};
  ends_ = true;
  body_bytes_ = 0;
}

void H1Output::set_stored(const backends::EntryRef& entry, bool body) {
  entry_ = entry;
  stored_ = body ? entry->stored_head_and_inline_body() : entry->stored_head();
  stored_head_size_ = entry->stored_head().size();
}

void H1Output::set_body(BodySource* source, BodyFraming framing) {
  source_ = source;
  framing_ = framing;
  ends_ = source == nullptr;
}

void H1Output::add(Gathered& out, std::string_view bytes) const {
  if (bytes.empty()) return;
  out.parts[out.count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  out.bytes += bytes.size();
}

BodySource::Pull H1Output::pull_body(std::array<iovec, kMaxParts>& data) {
  // The end of a chunk leaves before the next chunk is begun.
  if (data_left_ == 0 && (ends_ || !suffix_.empty())) return {BodySource::Status::End};
  const BodySource::Pull pulled = source_->pull(std::span(data).first(kMaxParts - 3));
  if (pulled.status == BodySource::Status::End) {
    ends_ = true;
    if (framing_ == BodyFraming::Chunked) head_ += http::kLastChunk;
  } else if (pulled.status == BodySource::Status::Data) {
    if (framing_ == BodyFraming::Plain) {
      data_left_ = pulled.bytes;
      ends_ = pulled.last;
    } else if (data_left_ == 0) {
      http::append_chunk_size(head_, pulled.bytes);
      data_left_ = pulled.bytes;
      ends_ = pulled.last;
      suffix_ = ends_ ? "\r\n0\r\n\r\n" : "\r\n";
    }  // else a chunk is open: its size was told
  }
  return pulled;
}

void H1Output::gather(Gathered& out) {
  std::array<iovec, kMaxParts> data;
  const BodySource::Pull pulled = pull_body(data);  // first: it may add to head_
  out.source = pulled.status;
  out.file = pulled.file;
  add(out, std::string_view(head_).substr(head_at_));
  add(out, stored_.substr(stored_at_));
  std::size_t left = data_left_;
  for (std::size_t i = 0; i < pulled.parts && left > 0; ++i) {
    const std::size_t bytes = std::min(left, data[i].iov_len);
    add(out, {static_cast<const char*>(data[i].iov_base), bytes});
    left -= bytes;
  }
  if (left == 0) add(out, suffix_);
}

bool H1Output::finished() const {
  return ends_ && data_left_ == 0 && suffix_.empty() && head_.empty() &&
         stored_at_ == stored_.size();
}

std::size_t H1Output::take(std::size_t& at, std::size_t size, std::size_t bytes) {
  const std::size_t used = std::min(bytes, size - at);
  at += used;
  return bytes - used;
}

void H1Output::taken(std::size_t bytes) {
  bytes = take(head_at_, head_.size(), bytes);
  if (head_at_ == head_.size()) {
    head_.clear();
    head_at_ = 0;
  }
  const std::size_t stored_from = std::max(stored_at_, stored_head_size_);
  bytes = take(stored_at_, stored_.size(), bytes);
  if (stored_at_ > stored_from) body_bytes_ += stored_at_ - stored_from;
  const std::size_t data = std::min(bytes, data_left_);
  if (data > 0) {
    source_->consume(data);
    data_left_ -= data;
    body_bytes_ += data;
    bytes -= data;
  }
  suffix_.remove_prefix(bytes);
}

IoResult H1Output::send(Connection& connection, const Gathered& out) {
  const std::span parts = std::span(out.parts).first(out.count);
  if (out.file.bytes == 0) return connection.write(parts);
  return connection.write_with_file(parts, out.file);
}

H1Output::Status H1Output::flush(Connection& connection) {
  progressed_ = false;
  while (true) {
    Gathered out;
    gather(out);
    if (out.count == 0 && out.file.bytes == 0) {
      if (out.source == BodySource::Status::Failed) return Status::SourceFailed;
      return out.source == BodySource::Status::Pending ? Status::Starved : Status::Done;
    }
    const IoResult result = send(connection, out);
    if (result.status == IoStatus::WouldBlock) return Status::Blocked;
    if (result.status != IoStatus::Ok) return Status::PeerGone;
    progressed_ = true;
    taken(result.bytes);
    if (result.bytes < out.bytes + out.file.bytes) return Status::Blocked;
    if (finished()) return Status::Done;
    if (out.source == BodySource::Status::Pending) return Status::Starved;
  }
}

}  // namespace weir::front

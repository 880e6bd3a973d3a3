#include "proxy/front/h1_request_body.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace weir::front {

void H1RequestBody::reset(http::Framing framing, std::uint64_t content_length,
                          std::uint64_t max_body) {
  framing_ = framing;
  remaining_ = content_length;
  received_ = 0;
  max_body_ = max_body;
  error_ = {.status = 0, .detail = {}};
  ended_ =
      framing == http::Framing::None || (framing == http::Framing::Length && content_length == 0);
  chunks_.reset();
}

BodyRead H1RequestBody::fail(int status, std::string_view detail) {
  error_ = {.status = status, .detail = detail};
  return {BodyRead::Status::Failed};
}

BodyRead H1RequestBody::read(std::string_view& raw, std::span<char> into) {
  if (failed()) return {BodyRead::Status::Failed};
  if (ended_) return {BodyRead::Status::End};
  return framing_ == http::Framing::Length ? read_length(raw, into) : read_chunked(raw, into);
}

BodyRead H1RequestBody::read_length(std::string_view& raw, std::span<char> into) {
  const std::size_t bytes =
      std::min({raw.size(), into.size(), static_cast<std::size_t>(remaining_)});
  if (bytes == 0) return {BodyRead::Status::Pending};
  std::memcpy(into.data(), raw.data(), bytes);
  raw.remove_prefix(bytes);
  remaining_ -= bytes;
  ended_ = remaining_ == 0;
  return {BodyRead::Status::Data, bytes};
}

BodyRead H1RequestBody::read_chunked(std::string_view& raw, std::span<char> into) {
  std::size_t used = 0;
  std::size_t filled = 0;
  while (used < raw.size() && filled < into.size() && !ended_) {
    std::size_t consumed = 0;
    std::string_view data;
    const std::string_view in = raw.substr(used, std::min(raw.size() - used, into.size() - filled));
    const http::ParseStatus status = chunks_.decode(in, consumed, data);
    if (status == http::ParseStatus::Error) {
      return fail(chunks_.error().status, chunks_.error().detail);
    }
    std::copy(data.begin(), data.end(), into.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += data.size();
    used += consumed;
    received_ += data.size();
    ended_ = status == http::ParseStatus::Done;
    if (consumed == 0 && data.empty() && !ended_) break;
  }
  raw.remove_prefix(used);
  if (max_body_ != 0 && received_ > max_body_) return fail(413, "max-body");
  if (filled > 0) return {BodyRead::Status::Data, filled};
  return {ended_ ? BodyRead::Status::End : BodyRead::Status::Pending};
}

bool H1RequestBody::discard(std::string_view& raw) {
  if (ended_) return true;  // as that of nearly every request is
  std::array<char, 4096> sink{};
  while (!ended_) {
    if (read(raw, sink).status != BodyRead::Status::Data) break;
  }
  return ended_;
}

bool H1RequestBody::ends_in(std::string_view raw) const {
  if (ended_ || failed()) return true;
  if (framing_ == http::Framing::Length) return raw.size() >= remaining_;
  http::ChunkedDecoder ahead = chunks_;
  while (!raw.empty()) {
    std::size_t consumed = 0;
    std::string_view data;
    if (ahead.decode(raw, consumed, data) != http::ParseStatus::NeedMore) return true;
    raw.remove_prefix(consumed);
  }
  return false;
}

}  // namespace weir::front

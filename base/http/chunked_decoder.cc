#include <algorithm>

#include "base/http/char_class.h"
#include "base/http/h1_parser.h"

namespace weir::http {
namespace {

constexpr std::uint32_t kMaxSizeDigits = 16;
// Far beyond any disk, and sums of sizes stay clear of overflow.
constexpr std::uint64_t kMaxChunkSize = std::uint64_t{1} << 50;
constexpr std::uint32_t kMaxLineExtension = 4 * 1024;
constexpr std::uint32_t kMaxExtensions = 16 * 1024;
constexpr std::uint32_t kMaxTrailers = 16 * 1024;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ChunkedDecoder::reset() {
  *this = ChunkedDecoder(blanks_);
}

ParseStatus ChunkedDecoder::decode(std::string_view in, std::size_t& consumed,
                                   std::string_view& data) {
  consumed = 0;
  data = {};
  while (consumed < in.size() && state_ != State::Done) {
    if (state_ == State::Data) {
      data = in.substr(consumed, std::min<std::uint64_t>(remaining_, in.size() - consumed));
      consumed += data.size();
      remaining_ -= data.size();
      if (remaining_ == 0) state_ = State::DataCr;
      return ParseStatus::NeedMore;
    }
    if (!take(in[consumed])) return ParseStatus::Error;
    ++consumed;
  }
  if (state_ == State::Failed) return ParseStatus::Error;
  return state_ == State::Done ? ParseStatus::Done : ParseStatus::NeedMore;
}

bool ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::SizeFirst:
    case State::Size:
      return take_size(c);
    case State::ExtensionStart:
    case State::ExtensionName:
    case State::ExtensionNameEnd:
    case State::ExtensionToken:
    case State::PartEnd:
      return take_extension(c);
    case State::ExtensionValueStart:
    case State::ExtensionQuoted:
    case State::ExtensionEscaped:
      return take_extension_value(c);
    case State::TrailerStart:
    case State::TrailerName:
    case State::TrailerValue:
      return take_trailer(c);
    case State::SizeLf:
    case State::DataCr:
    case State::DataLf:
    case State::TrailerLf:
    case State::LastLf:
      return take_line_end(c);
    case State::Data:
    case State::Done:
    case State::Failed:
      break;
  }
  return false;
}

bool ChunkedDecoder::is_skipped(char c) const {
  return blanks_ == ChunkBlanks::Skipped && (c == ' ' || c == '\t');
}

bool ChunkedDecoder::take_size(char c) {
  if (const int digit = hex_value(c); digit >= 0) {
    if (state_ == State::SizeFirst) {
      state_ = State::Size;
      remaining_ = 0;
      size_digits_ = 0;
      line_extension_bytes_ = 0;
    }
    remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
    if (++size_digits_ > kMaxSizeDigits || remaining_ > kMaxChunkSize) {
      return fail(400, "chunk-too-large");
    }
    return true;
  }
  if (state_ == State::SizeFirst) return fail(400, "bad-chunk-size");
  if (c == ';' || c == '\r') return end_extension_part(c);
  if (!is_skipped(c)) return fail(400, "bad-chunk-size");
  state_ = State::PartEnd;
  return count_extension_byte();
}

// RFC 9112 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / string ) ] )
bool ChunkedDecoder::take_extension(char c) {
  if (!count_extension_byte()) return false;
  if (is_skipped(c)) return skip_blank();
  const bool token = is_char(c, kTokenChar);
  switch (state_) {
    case State::ExtensionStart:
      state_ = State::ExtensionName;
      return token || fail(400, "bad-chunk-extension");
    case State::ExtensionName:
    case State::ExtensionNameEnd:
      if (token && state_ == State::ExtensionName) return true;
      if (c != '=') return end_extension_part(c);
      state_ = State::ExtensionValueStart;
      return true;
    case State::ExtensionToken:
      return token || end_extension_part(c);
    default:  // PartEnd
      return end_extension_part(c);
  }
}

// It ends a name or a token; in front of them it changes nothing.
bool ChunkedDecoder::skip_blank() {
  if (state_ == State::ExtensionName) state_ = State::ExtensionNameEnd;
  if (state_ == State::ExtensionToken) state_ = State::PartEnd;
  return true;
}

bool ChunkedDecoder::take_extension_value(char c) {
  if (!count_extension_byte()) return false;
  switch (state_) {
    case State::ExtensionValueStart:
      if (is_skipped(c)) return true;
      state_ = c == '"' ? State::ExtensionQuoted : State::ExtensionToken;
      return c == '"' || is_char(c, kTokenChar) || fail(400, "bad-chunk-extension");
    case State::ExtensionQuoted:
      if (c == '"') {
        state_ = State::PartEnd;
      } else if (c == '\\') {
        state_ = State::ExtensionEscaped;
      } else if (!is_char(c, kQuotedChar)) {
        return fail(400, "bad-chunk-extension");
      }
      return true;
    default:  // ExtensionEscaped
      state_ = State::ExtensionQuoted;
      return is_char(c, kValueChar) || fail(400, "bad-chunk-extension");
  }
}

bool ChunkedDecoder::end_extension_part(char c) {
  if (c != ';' && c != '\r') return fail(400, "bad-chunk-extension");
  state_ = c == ';' ? State::ExtensionStart : State::SizeLf;
  return true;
}

// Extensions cost their reader work and carry nothing; a flood of them is an attack.
bool ChunkedDecoder::count_extension_byte() {
  if (++line_extension_bytes_ > kMaxLineExtension || ++extension_bytes_ > kMaxExtensions) {
    return fail(400, "chunk-extensions-too-long");
  }
  return true;
}

bool ChunkedDecoder::take_line_end(char c) {
  if (c != (state_ == State::DataCr ? '\r' : '\n')) return fail(400, "bad-chunk-line-end");
  switch (state_) {
    case State::SizeLf:
      state_ = remaining_ > 0 ? State::Data : State::TrailerStart;
      return true;
    case State::DataCr:
      state_ = State::DataLf;
      return true;
    case State::DataLf:
      state_ = State::SizeFirst;
      return true;
    case State::TrailerLf:
      state_ = State::TrailerStart;
      return true;
    default:
      state_ = State::Done;
      return true;
  }
}

bool ChunkedDecoder::take_trailer(char c) {
  if (state_ == State::TrailerStart && c == '\r') {
    state_ = State::LastLf;
    return true;
  }
  if (++trailer_bytes_ > kMaxTrailers) return fail(431, "trailers-too-long");
  switch (state_) {
    case State::TrailerStart:
      state_ = State::TrailerName;
      return is_char(c, kTokenChar) || fail(400, "bad-trailer");
    case State::TrailerName:
      if (c == ':') state_ = State::TrailerValue;
      return c == ':' || is_char(c, kTokenChar) || fail(400, "bad-trailer");
    default:
      if (c == '\r') state_ = State::TrailerLf;
      return c == '\r' || is_char(c, kValueChar) || fail(400, "bad-trailer");
  }
}

bool ChunkedDecoder::fail(int status, std::string_view detail) {
  state_ = State::Failed;
  error_ = {status, detail};
  return false;
}

}  // namespace weir::http

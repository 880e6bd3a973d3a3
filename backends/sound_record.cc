#include "backends/sound_record.h"

#include <optional>

#include "backends/entry.h"
#include "base/http/framing.h"
#include "base/http/h1_parser.h"
#include "base/http/status.h"

namespace weir::backends {
namespace {

// The app's head, with what Weir adds to it: Via, Date, Vary.
constexpr std::size_t kMaxHeadBytes = 2 * http::kMaxResponseHeadBytes;
// Of a marker: far more than any rule allows, and little enough to be walked through.
constexpr std::size_t kMaxMarkerBytes = 1024 * 1024;
constexpr std::size_t kMaxMarkerTexts = 1024;

// Takes the first line, without its end; nothing where there is none that ends as it should.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

bool is_sound_status_line(int status, std::string_view text) {
  if (text.size() > Entry::kMaxStatusLine) return false;
  const auto line = take_line(text);
  if (!line || !text.empty()) return false;
  const Result<http::StatusLine> read = http::read_status_line(*line);
  // append_status_line() leaves no reason out.
  return read && read->status == status && line->starts_with("HTTP/1.1 ") && !read->reason.empty();
}

// The line that append_field() makes of a field.
bool is_as_written(std::string_view line, const http::FieldView& field) {
  return line.size() == field.name.size() + 2 + field.value.size() &&
         line[field.name.size() + 1] == ' ';
}

// Of one connection, or said anew with each answer.
bool is_never_stored(http::FieldId id) {
  switch (id) {
    case http::FieldId::TransferEncoding:
    case http::FieldId::Connection:
    case http::FieldId::KeepAlive:
    case http::FieldId::Upgrade:
    case http::FieldId::Age:
      return true;
    default:
      return false;
  }
}

// Content-Length, which stands there once if `has_length`, says that the body is so long.
bool are_sound_fields(std::string_view text, bool has_length, std::uint64_t body_size) {
  bool length_was_told = false;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!line) return false;
    const Result<http::FieldView> field = http::read_field_line(*line);
    if (!field || !is_as_written(*line, *field) || is_never_stored(field->id)) return false;
    if (field->id != http::FieldId::ContentLength) continue;
    if (length_was_told || http::parse_content_length(field->value) != body_size) return false;
    length_was_told = true;
  }
  return length_was_told == has_length && (has_length || body_size == 0);
}

}  // namespace

bool is_sound_head(int status, std::string_view status_line, std::string_view fields,
                   std::uint64_t body_size) {
  constexpr std::size_t kBlankLine = 2;
  if (status_line.size() + fields.size() + kBlankLine > kMaxHeadBytes) return false;
  if (http::speaks_of_one_exchange(status)) return false;
  const bool has_length = status != 204;
  return is_sound_status_line(status, status_line) &&
         are_sound_fields(fields, has_length, body_size);
}

bool is_sound_marker(std::string_view lists) {
  return lists.size() <= kMaxMarkerBytes && Entry::is_valid_marker(lists, kMaxMarkerTexts);
}

}  // namespace weir::backends

#include "backends/sound_record.h"

#include <optional>
#include <string>

#include "backends/entry.h"
#include "base/http/h1_parser.h"
#include "base/http/h1_writer.h"
#include "base/http/status.h"

namespace weir::backends {
namespace {

// The app's head, with what Weir adds to it: Via, Date, Vary.
constexpr std::size_t kMaxHeadBytes = 2 * http::kMaxResponseHeadBytes;
// Of a marker: far more than any rule allows, and little enough to be walked through.
constexpr std::size_t kMaxMarkerBytes = 1024 * 1024;
constexpr std::size_t kMaxMarkerTexts = 1024;

// The head, read as strictly as the app's; nothing unless `text` is one and no more.
std::optional<http::ResponseHead> parse_head(std::string_view text) {
  http::ResponseHeadParser parser;
  parser.reset(false, kMaxHeadBytes);
  while (true) {
    const std::size_t line_end = text.find('\n');
    if (line_end == text.npos) return std::nullopt;
    const Result<bool> fed = parser.feed_line(text.substr(0, line_end + 1));
    text.remove_prefix(line_end + 1);
    if (!fed) return std::nullopt;
    if (*fed) break;
  }
  if (!text.empty()) return std::nullopt;
  return parser.head();
}

}  // namespace

bool is_sound_head(int status, std::string_view status_line, std::string_view fields,
                   std::uint64_t body_size) {
  if (status_line.size() > Entry::kMaxStatusLine) return false;
  std::string text(status_line);
  const std::optional<http::ResponseHead> head = parse_head(text.append(fields) + "\r\n");
  if (!head || head->status != status) return false;
  if (http::speaks_of_one_exchange(head->status)) return false;
  for (const http::FieldId id :
       {http::FieldId::TransferEncoding, http::FieldId::Connection, http::FieldId::KeepAlive,
        http::FieldId::Upgrade, http::FieldId::Age}) {
    if (head->fields.has(id)) return false;
  }
  const bool has_length = head->fields.has(http::FieldId::ContentLength);
  if (has_length != (head->status != 204)) return false;
  if (body_size != (has_length ? head->content_length : 0)) return false;
  std::string line_again;
  std::string fields_again;
  http::append_status_line(line_again, head->status, head->reason);
  http::append_fields(fields_again, head->fields);
  return line_again == status_line && fields_again == fields;
}

bool is_sound_marker(std::string_view lists) {
  return lists.size() <= kMaxMarkerBytes && Entry::is_valid_marker(lists, kMaxMarkerTexts);
}

}  // namespace weir::backends

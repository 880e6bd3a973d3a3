// The layout: a file header (base/file_header.h), whose number is the seed of the book's hashes;
// then records of 32 bytes and a text: kind, soft, two zero bytes, the text's size, position, hash,
// and the checksum of these and the text. The first record is a limit.
#include "proxy/flow/mark_format.h"

#include <algorithm>
#include <optional>

#include "base/file_header.h"
#include "base/hash.h"
#include "base/little_endian.h"
#include "proxy/flow/purge_book.h"

namespace weir::flow {
namespace {

constexpr FileKind kKind = {.magic = 0x4b52414d52494557, .version = 1};  // "WEIRMARK"
constexpr std::size_t kRecordBytes = 32;
constexpr std::size_t kChecksumBytes = 8;

constexpr std::uint8_t kLimit = 0;  // of a record: no position beyond `position` was given out

std::uint8_t kind_on_disk(Mark::Kind kind) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) + 1);
}
constexpr auto kMostKind = static_cast<std::uint8_t>(Mark::Kind::TagFloor) + 1;

// What is kept of its text.
std::string_view text_of(const Mark& mark) {
  const bool has_text = mark.kind == Mark::Kind::Prefix || mark.kind == Mark::Kind::Glob;
  return has_text ? mark.text : std::string_view();
}

void append_record(std::string& out, std::uint8_t kind, const Mark& mark, std::string_view text,
                   std::uint64_t seed) {
  const std::size_t begin = out.size();
  put_number(out, kind);
  put_number(out, static_cast<std::uint8_t>(mark.soft));
  put_number(out, std::uint16_t{0});
  put_number(out, static_cast<std::uint32_t>(text.size()));
  put_number(out, mark.position);
  put_number(out, mark.hash);
  const std::string covered = out.substr(begin).append(text);
  put_number(out, stable_hash64(covered, seed));
  out += text;
}

struct Record {
  std::uint8_t kind = kLimit;
  Mark mark;
};

// Nothing where no whole and sound record stands.
std::optional<Record> take_record(std::string_view& in, std::uint64_t seed) {
  if (in.size() < kRecordBytes) return std::nullopt;
  const std::string_view bytes = in;
  std::string_view fields = in;
  Record record;
  record.kind = take_number<std::uint8_t>(fields);
  const auto soft = take_number<std::uint8_t>(fields);
  const auto zeros = take_number<std::uint16_t>(fields);
  const auto text_size = take_number<std::uint32_t>(fields);
  record.mark.position = take_number<std::uint64_t>(fields);
  record.mark.hash = take_number<std::uint64_t>(fields);
  const auto sum = take_number<std::uint64_t>(fields);
  // Before the checksum is worked out: who searches comes here for every byte.
  if (record.kind > kMostKind || soft > 1 || zeros != 0 || record.mark.position == 0 ||
      text_size > PurgeBook::kMostTextBytes || text_size > fields.size()) {
    return std::nullopt;
  }
  record.mark.soft = soft != 0;
  record.mark.text = fields.substr(0, text_size);
  std::string covered(bytes.substr(0, kRecordBytes - kChecksumBytes));
  if (stable_hash64(covered.append(record.mark.text), seed) != sum) return std::nullopt;
  if (record.kind != kLimit) record.mark.kind = static_cast<Mark::Kind>(record.kind - 1);
  in = fields.substr(text_size);
  return record;
}

bool has_record_behind(std::string_view bytes, std::uint64_t seed) {
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    std::string_view rest = bytes.substr(at);
    if (take_record(rest, seed)) return true;
  }
  return false;
}

}  // namespace

std::string marks_begin(std::uint64_t seed, std::uint64_t limit) {
  std::string out = file_header(kKind, seed);
  append_limit(out, limit, seed);
  return out;
}

void append_mark(std::string& out, const Mark& mark, std::uint64_t seed) {
  append_record(out, kind_on_disk(mark.kind), mark, text_of(mark), seed);
}

void append_limit(std::string& out, std::uint64_t limit, std::uint64_t seed) {
  append_record(out, kLimit, {.position = limit}, {}, seed);
}

std::size_t bytes_of_mark(const Mark& mark) {
  return kRecordBytes + text_of(mark).size();
}

Result<MarksRead> read_marks(std::string_view bytes) {
  const auto seed = read_file_header(kKind, bytes);
  if (!seed) return fail(ErrorCode::Corrupt, "it is none, or of another version");
  std::string_view in = bytes.substr(kFileHeaderBytes);
  const std::optional<Record> first = take_record(in, *seed);
  if (!first || first->kind != kLimit) return fail(ErrorCode::Corrupt, "its beginning has changed");
  MarksRead out{.seed = *seed, .limit = first->mark.position, .marks = {}};
  while (const std::optional<Record> record = take_record(in, *seed)) {
    if (record->kind == kLimit) {
      out.limit = std::max(out.limit, record->mark.position);
    } else {
      out.marks.push_back(record->mark);
    }
  }
  if (has_record_behind(in, *seed)) return fail(ErrorCode::Corrupt, "a record in it has changed");
  return out;
}

}  // namespace weir::flow

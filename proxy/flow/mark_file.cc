// The layout: a file header (base/file_header.h), whose number is the seed of the book's hashes;
// then records of 32 bytes and a text: kind, soft, two zero bytes, the text's size, position, hash,
// and the checksum of these and the text.
#include "proxy/flow/mark_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/file_header.h"
#include "base/hash.h"
#include "base/little_endian.h"
#include "base/log.h"

namespace weir::flow {
namespace {

constexpr std::string_view kName = "marks";
constexpr std::string_view kNewName = "marks.new";
constexpr FileKind kKind = {.magic = 0x4b52414d52494557, .version = 1};  // "WEIRMARK"
constexpr std::size_t kRecordBytes = 32;
constexpr std::size_t kChecksumBytes = 8;
// Far more than a book holds.
constexpr std::uint64_t kMostBytes = std::uint64_t{256} * 1024 * 1024;
// Positions that a run may give out. What a process that was killed had given out last is not
// known: the next run begins behind all that it might have.
constexpr std::uint64_t kPositions = std::uint64_t{1} << 40U;
// The file is written anew when it has grown by as much as it held, and by so much at least.
constexpr std::uint64_t kLeastGrowth = std::uint64_t{128} * 1024;
// Room is asked for in steps, and by one of them ahead.
constexpr std::uint64_t kRoomStep = std::uint64_t{64} * 1024;
// Written at a time.
constexpr std::size_t kBatchBytes = std::size_t{256} * 1024;

constexpr std::uint8_t kLimit = 0;  // of a record: no position beyond `position` was given out

std::uint8_t kind_on_disk(Mark::Kind kind) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) + 1);
}
constexpr auto kMostKind = static_cast<std::uint8_t>(Mark::Kind::TagFloor) + 1;

struct Record {
  std::uint8_t kind = kLimit;
  Mark mark;
};

// What is kept of its text.
std::string_view text_of(const Record& record) {
  if (record.kind == kLimit) return {};
  const bool has_text =
      record.mark.kind == Mark::Kind::Prefix || record.mark.kind == Mark::Kind::Glob;
  return has_text ? record.mark.text : std::string_view();
}

void append_record(std::string& out, const Record& record, std::uint64_t seed) {
  const std::size_t begin = out.size();
  const std::string_view text = text_of(record);
  put_number(out, record.kind);
  put_number(out, static_cast<std::uint8_t>(record.mark.soft));
  put_number(out, std::uint16_t{0});
  put_number(out, static_cast<std::uint32_t>(text.size()));
  put_number(out, record.mark.position);
  put_number(out, record.mark.hash);
  const std::string covered = out.substr(begin).append(text);
  put_number(out, stable_hash64(covered, seed));
  out += text;
}

// Nothing at the end, and where a record is not whole: what follows was being written when a
// process ended.
std::optional<Record> take_record(std::string_view& in, std::uint64_t seed) {
  if (in.size() < kRecordBytes) return std::nullopt;
  const std::string_view bytes = in;
  std::string_view fields = in;
  Record record;
  record.kind = take_number<std::uint8_t>(fields);
  record.mark.soft = take_number<std::uint8_t>(fields) != 0;
  fields.remove_prefix(2);
  const auto text_size = take_number<std::uint32_t>(fields);
  record.mark.position = take_number<std::uint64_t>(fields);
  record.mark.hash = take_number<std::uint64_t>(fields);
  const auto sum = take_number<std::uint64_t>(fields);
  if (record.kind > kMostKind || text_size > fields.size()) return std::nullopt;
  record.mark.text = fields.substr(0, text_size);
  std::string covered(bytes.substr(0, kRecordBytes - kChecksumBytes));
  if (stable_hash64(covered.append(record.mark.text), seed) != sum) return std::nullopt;
  if (record.kind != kLimit) record.mark.kind = static_cast<Mark::Kind>(record.kind - 1);
  in = fields.substr(text_size);
  return record;
}

}  // namespace

MarkFile::MarkFile(std::shared_ptr<Folder> folder, Executor& executor, std::uint64_t fresh_seed,
                   KeepFree keep_free)
    : keep_free_(std::move(keep_free)),
      folder_(std::move(folder)),
      seed_(fresh_seed),
      tasks_(executor) {
  Result<std::string> bytes = read();
  if (!bytes) {
    if (bytes.error().code != ErrorCode::NotFound) log_warn("marks: {}", bytes.error().message);
    return;
  }
  const auto seed = read_file_header(kKind, *bytes);
  was_there_ = seed.has_value();
  if (!seed) {
    log_warn("marks: the file cannot be read; it is begun anew");
    return;
  }
  seed_ = *seed;
  found_ = bytes->substr(kFileHeaderBytes);
}

MarkFile::~MarkFile() {
  if (book_) book_->set_log(nullptr);
  tasks_.wait();
}

Result<std::string> MarkFile::read() {
  const Result<std::unique_ptr<File>> file = folder_->open(kName);
  if (!file) return std::unexpected(file.error());
  const std::uint64_t size = (*file)->size();
  if (size > kMostBytes) return fail(ErrorCode::Corrupt, "the file is too large to be one");
  Result<std::string> bytes = read_at(**file, 0, size);
  if (bytes) size_ = bytes->size();
  return bytes;
}

void MarkFile::load(PurgeBook& book) {
  std::string_view in = found_;
  std::uint64_t before = 0;
  while (const std::optional<Record> record = take_record(in, seed_)) {
    if (record->kind == kLimit) {
      before = std::max(before, record->mark.position);
    } else {
      book.restore(record->mark);
    }
  }
  found_ = {};
  book.raise_position(before);
  limit_ = book.position() + kPositions;
  book_ = &book;
  [[maybe_unused]] const Result<void> said = say(rewrite());
  book.set_log(this);
}

void MarkFile::move_to(std::shared_ptr<Folder> folder) {
  tasks_.run([this, folder = std::move(folder)]() mutable {
    folder_ = std::move(folder);
    [[maybe_unused]] const Result<void> said = say(rewrite());
  });
}

void MarkFile::append(const Mark& mark) {
  const std::lock_guard lock(mutex_);
  append_record(waiting_, {kind_on_disk(mark.kind), mark}, seed_);
  if (std::exchange(scheduled_, true)) return;
  tasks_.run([this] { [[maybe_unused]] const Result<void> said = write_some(); });
}

void MarkFile::when_kept(WhenKept tell) {
  tasks_.run([this, tell = std::move(tell)]() mutable {
    // What waits has its own task behind this one, which then finds nothing to do.
    Result<void> kept = write_some();
    if (kept) kept = file_->sync();
    tell(std::move(kept));
  });
}

// ---- the tasks ----

Result<void> MarkFile::write_some() {
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    bytes.swap(waiting_);
    scheduled_ = false;
  }
  // The book has these marks already, so that a file written anew has them, too.
  const bool grown = size_ + bytes.size() > 2 * first_size_ + kLeastGrowth;
  if (!file_ || grown) return say(rewrite());
  if (bytes.empty()) return {};
  keep_free(size_ + bytes.size());
  Result<void> written = write(bytes);
  if (written) size_ = file_->size();
  return say(std::move(written));
}

// Before they are there.
void MarkFile::keep_free(std::uint64_t bytes) {
  const std::uint64_t wanted = (bytes / kRoomStep + 2) * kRoomStep;
  if (std::exchange(kept_free_, wanted) != wanted) keep_free_(wanted);
}

Result<void> MarkFile::write(std::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  Result<void> written = file_->append(std::span(&part, 1));
  if (!written) file_ = nullptr;  // half a record would hide those behind it
  return written;
}

Result<void> MarkFile::rewrite() {
  file_ = nullptr;
  const std::uint64_t old_size = size_;
  keep_free(2 * old_size);  // both lie there for a while
  Result<std::unique_ptr<File>> made = begin_replacement(*folder_, kNewName);
  if (!made) return std::unexpected(made.error());
  file_ = std::move(*made);
  std::string bytes = file_header(kKind, seed_);
  Record limit;
  limit.mark.position = limit_;
  append_record(bytes, limit, seed_);
  Result<void> written;
  const auto flush = [&] {
    if (file_) {
      // The book may hold more than the file did.
      keep_free(old_size + std::max(old_size, file_->size() + bytes.size()));
      written = write(bytes);
    }
    bytes.clear();
  };
  book_->for_each_mark([&](const Mark& mark) {
    append_record(bytes, {kind_on_disk(mark.kind), mark}, seed_);
    if (bytes.size() > kBatchBytes) flush();
  });
  flush();
  if (!file_) return written;
  Result<void> finished = finish_replacement(*folder_, *file_, kNewName, kName);
  if (!finished) {
    file_ = nullptr;
    return finished;
  }
  first_size_ = size_ = file_->size();
  keep_free(size_);
  return {};
}

Result<void> MarkFile::say(Result<void> result) {
  if (result && std::exchange(failing_, false)) log_info("marks: they are written again");
  if (!result && !std::exchange(failing_, true)) {
    log_error("marks: {}; what is invalidated now may come back after a restart",
              result.error().message);
  }
  return result;
}

}  // namespace weir::flow

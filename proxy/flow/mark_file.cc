#include "proxy/flow/mark_file.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/log.h"

namespace weir::flow {
namespace {

constexpr std::string_view kName = "marks";
constexpr std::string_view kNewName = "marks.new";
// Far more than a book holds.
constexpr std::uint64_t kMostBytes = std::uint64_t{256} * 1024 * 1024;
// Positions that a run may give out. What a process that was killed had given out last is not
// known: the next run begins behind all that it might have.
constexpr std::uint64_t kPositions = std::uint64_t{1} << 40U;
// The file is written anew when it has grown by as much as it held, and by so much at least.
constexpr std::uint64_t kLeastGrowth = std::uint64_t{128} * 1024;
// Of what its files may take: one that grows, and one that is begun anew.
constexpr std::uint64_t kGrownShare = 2;
constexpr std::uint64_t kBegunShare = 4;
// Room is asked for in steps, and by one of them ahead.
constexpr std::uint64_t kMostRoomStep = std::uint64_t{64} * 1024;
constexpr std::uint64_t kRoomStepShare = 16;
// Written at a time.
constexpr std::size_t kBatchBytes = std::size_t{256} * 1024;

// The marks of a book as they are written, taken at one moment: what replaces one of them meanwhile
// is appended later, and must not be all that there is of the two.
class Snapshot {
 public:
  Snapshot(const PurgeBook& book, std::uint64_t seed) : seed_(seed) {
    book.for_each_mark([&](const Mark& mark) {
      records_.push_back({mark.stamp(), bytes_.size(), bytes_of_mark(mark)});
      append_mark(bytes_, mark, seed_);
    });
  }

  // Puts in place of the oldest ones, where all take more than that, what is about everything.
  void fold(std::uint64_t most_bytes) {
    std::uint64_t sum = bytes_.size();
    if (sum <= most_bytes) return;
    std::ranges::sort(records_, {}, [](const Record& record) { return record.stamp.position(); });
    PurgeFloor floor;
    std::size_t dropped = 0;
    for (; dropped < records_.size() && sum > most_bytes; ++dropped) {
      sum -= records_[dropped].size;
      floor.raise(records_[dropped].stamp);
    }
    std::string left;
    for (const Record& record : std::span(records_).subspan(dropped)) {
      left.append(bytes_, record.at, record.size);
    }
    for (const PurgeStamp stamp : {floor.hard(), floor.soft()}) {
      if (!stamp) continue;
      append_mark(left, {.soft = stamp.soft(), .position = stamp.position()}, seed_);
    }
    bytes_ = std::move(left);
  }
  std::string_view bytes() const { return bytes_; }

 private:
  struct Record {
    PurgeStamp stamp;
    std::size_t at;
    std::size_t size;
  };
  const std::uint64_t seed_;
  std::string bytes_;
  std::vector<Record> records_;
};

}  // namespace

MarkFile::MarkFile(MarkFileOptions options, Executor& executor)
    : options_(std::move(options)), seed_(options_.fresh_seed), tasks_(executor) {}

Result<std::unique_ptr<MarkFile>> MarkFile::open(MarkFileOptions options, Executor& executor) {
  std::unique_ptr<MarkFile> out(new MarkFile(std::move(options), executor));
  const Result<void> read = out->options_.begin_anew ? out->measure() : out->read();
  if (read || read.error().code == ErrorCode::NotFound) return out;
  if (read.error().code == ErrorCode::System) return std::unexpected(read.error());
  log_warn("{}: {}; it is begun anew", out->options_.shown, read.error().message);
  return out;
}

MarkFile::~MarkFile() {
  if (book_ && !parted_) book_->set_log(nullptr);
  tasks_.wait();
}

Result<void> MarkFile::part_from_book() {
  book_->set_log(nullptr);
  Result<void> gone;
  tasks_.run([this, &gone] {
    parted_ = true;
    file_ = nullptr;
    gone = options_.folder->remove(kName);
    if (gone) gone = options_.folder->sync();
  });
  tasks_.wait();
  return gone;
}

// How much room what lies there takes, until it is replaced.
Result<void> MarkFile::measure() {
  const Result<std::unique_ptr<File>> file = options_.folder->open(kName);
  if (!file) return std::unexpected(file.error());
  size_ = (*file)->size();
  return {};
}

Result<void> MarkFile::read() {
  const Result<std::unique_ptr<File>> file = options_.folder->open(kName);
  if (!file) return std::unexpected(file.error());
  const std::uint64_t size = (*file)->size();
  if (size > kMostBytes) return fail(ErrorCode::Corrupt, "it is too large to be one");
  Result<std::string> bytes = read_at(**file, 0, size);
  if (!bytes) return fail(ErrorCode::Corrupt, bytes.error().message);
  size_ = bytes->size();
  found_ = std::move(*bytes);
  Result<MarksRead> marks = read_marks(found_);
  if (!marks) return std::unexpected(marks.error());
  marks_ = std::move(*marks);
  seed_ = marks_.seed;
  return {};
}

void MarkFile::load(PurgeBook& book) {
  for (const Mark& mark : marks_.marks) book.restore(mark);
  book.raise_position(marks_.limit);
  marks_ = {};
  found_ = {};
  limit_ = book.position() + kPositions;
  book_ = &book;
  [[maybe_unused]] const Result<void> said = say(rewrite());
  book.set_log(this);
}

void MarkFile::move_to(std::shared_ptr<Folder> folder) {
  tasks_.run([this, folder = std::move(folder)]() mutable {
    options_.folder = std::move(folder);
    if (parted_) return;
    [[maybe_unused]] const Result<void> said = say(rewrite());
  });
}

void MarkFile::limit(std::uint64_t most_bytes) {
  tasks_.run([this, most_bytes] {
    options_.most_bytes = most_bytes;
    if (has_grown(0)) [[maybe_unused]]
      const Result<void> said = say(rewrite());
  });
}

void MarkFile::append(const Mark& mark) {
  const std::lock_guard lock(mutex_);
  append_mark(waiting_, mark, seed_);
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

void MarkFile::tend() {
  if (!said_.load()) return;
  tasks_.run([this] {
    if (failing_) [[maybe_unused]]
      const Result<void> said = write_some();
    if (failing_) return;
    said_.store(false);
    log_info("{}: it is written again", options_.shown);
  });
}

void MarkFile::finish() {
  tasks_.wait();
  tend();
  tasks_.wait();
}

// ---- the tasks ----

Result<void> MarkFile::write_some() {
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    bytes.swap(waiting_);
    scheduled_ = false;
  }
  const bool has_marks = !bytes.empty();
  Result<void> written;
  // The book has these marks already, so that a file written anew has them, too.
  if (!file_ || has_grown(bytes.size())) {
    written = say(rewrite());
  } else if (has_marks) {
    append_limit(bytes, limit_, seed_);
    written = say(write(bytes));
  }
  if (!written && has_marks) doubt();
  return written;
}

bool MarkFile::has_grown(std::uint64_t bytes) const {
  const std::uint64_t doubled = 2 * first_size_ + kLeastGrowth;
  return size_ + bytes > std::min(doubled, options_.most_bytes / kGrownShare);
}

// Before they are there.
void MarkFile::keep_free(std::uint64_t bytes) {
  const std::uint64_t step = std::min(kMostRoomStep, options_.most_bytes / kRoomStepShare);
  const std::uint64_t wanted = (bytes / step + 2) * step;
  if (std::exchange(kept_free_, wanted) != wanted) options_.keep_free(wanted);
}

Result<void> MarkFile::write(std::string_view bytes) {
  keep_free(beside_ + file_->size() + bytes.size());
  Result<void> written = append_bytes(*file_, bytes);
  if (written) {
    size_ = file_->size();
  } else {
    file_ = nullptr;  // half a record would hide those behind it
  }
  return written;
}

Result<void> MarkFile::write_marks() {
  Snapshot marks(*book_, seed_);
  marks.fold(options_.most_bytes / kBegunShare);
  const Result<void> begun = write(marks_begin(seed_, limit_));
  if (!begun) return begun;
  std::string_view left = marks.bytes();
  while (!left.empty()) {
    const std::string_view batch = left.substr(0, kBatchBytes);
    if (auto written = write(batch); !written) return written;
    left.remove_prefix(batch.size());
  }
  return {};
}

// The old one stands until the new one is whole.
Result<void> MarkFile::rewrite() {
  file_ = nullptr;
  const std::uint64_t old_size = size_;
  beside_ = old_size;  // both lie there for a while
  keep_free(old_size + std::min(old_size, options_.most_bytes / kBegunShare));
  Result<std::unique_ptr<File>> made = begin_replacement(*options_.folder, kNewName);
  if (!made) return std::unexpected(made.error());
  file_ = std::move(*made);
  Result<void> written = write_marks();
  beside_ = 0;
  if (written) written = finish_replacement(*options_.folder, *file_, kNewName, kName);
  if (!written) {
    file_ = nullptr;
    size_ = old_size;
    return written;
  }
  first_size_ = size_ = file_->size();
  keep_free(size_);
  return {};
}

// On a disk that is full it may go well and fail by turns: the log says that it began, and, once a
// look after a while finds it well, that it is over.
Result<void> MarkFile::say(Result<void> result) {
  failing_ = !result;
  if (failing_ && !said_.exchange(true)) {
    log_error(
        "{}: {}; it is tried again. Should the process end while one is not written down, its "
        "caches begin empty",
        options_.shown, result.error().message);
  }
  if (result && std::exchange(in_doubt_, false)) options_.doubt(false);
  return result;
}

// As long as nothing was marked since, what lies there says all there is to say.
void MarkFile::doubt() {
  if (!std::exchange(in_doubt_, true)) options_.doubt(true);
}

}  // namespace weir::flow

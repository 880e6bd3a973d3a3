// The purge book's log in a file, `marks` (docs/DISK_FORMAT.md): what was marked is so after a
// restart as well, and positions never go back.
//
// Opened and loaded at start, on one thread; then it takes marks on any. They are written by the
// executor, in their order; whoever marks waits for nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/executor.h"
#include "base/file_system.h"
#include "base/result.h"
#include "proxy/flow/mark_format.h"
#include "proxy/flow/purge_book.h"

namespace weir::flow {

struct MarkFileOptions {
  std::shared_ptr<Folder> folder;
  std::string shown = "marks";  // how it is called in the log
  std::uint64_t fresh_seed = 0;
  // The book is in use already: what lies there is replaced by its marks, and its seed stays.
  bool begin_anew = false;
  // What its files may take, the old one and the new one together while that is being written.
  // Where there are more marks than that, the oldest count as one that is about everything: in the
  // next run, for in this one the book has them all.
  std::uint64_t most_bytes = std::uint64_t{128} << 20U;
  // Hears how many bytes of the folder are to be kept for its files, before it writes them. On any
  // thread, as the next one.
  std::function<void(std::uint64_t bytes)> keep_free = [](std::uint64_t) {};
  // Hears that there are marks which cannot be written, and that there are none any more. Should
  // the process end in between, nothing that was stored before may be used by the next one.
  std::function<void(bool doubt)> doubt = [](bool) {};
};

class MarkFile final : public MarkLog {
 public:
  // Reads the folder's file. Blocks. `executor` outlives it. Fails where the file cannot be opened
  // for a reason that says nothing of what is in it.
  static Result<std::unique_ptr<MarkFile>> open(MarkFileOptions options, Executor& executor);
  // Waits until all marks are written. The book must not use it any more.
  ~MarkFile() override;

  // What the book is to be made with. It names the book: that of a file that is believed, else a
  // fresh one, and then nothing that was stored under another may be used.
  std::uint64_t seed() const { return seed_; }

  // Puts into `book` what was read, writes the file anew, and has marks appended to it from now on.
  // Blocks. Where that fails the book works all the same, and it is tried again with the next mark,
  // or by tend().
  void load(PurgeBook& book);

  // Every second or so: what could not be written is tried again. Any thread.
  void tend();
  // Tries so once more, and waits until that is done. Not on a thread of the executor.
  void finish();

  // The folder was removed: the file is written anew in this one.
  void move_to(std::shared_ptr<Folder> folder);

  // What its files may take from now on: MarkFileOptions::most_bytes.
  void limit(std::uint64_t most_bytes);
  // The book is left to itself: what is marked from now on is not written here. So the file goes,
  // for it would not say everything. Waits until that is done. Once; not on a thread of the
  // executor.
  Result<void> part_from_book();

  // ---- MarkLog ----
  void append(const Mark& mark) override;
  void when_kept(WhenKept tell) override;

 private:
  MarkFile(MarkFileOptions options, Executor& executor);
  Result<void> measure();
  Result<void> read();
  Result<void> write_some();
  Result<void> write(std::string_view bytes);
  Result<void> rewrite();
  Result<void> write_marks();
  bool has_grown(std::uint64_t bytes) const;
  void keep_free(std::uint64_t bytes);
  Result<void> say(Result<void> result);
  void doubt();

  MarkFileOptions options_;  // its folder is the tasks' own from load() on
  std::uint64_t seed_;
  std::string found_;  // the bytes that were read,
  MarksRead marks_;    // and what they say, until load()

  PurgeBook* book_ = nullptr;
  std::uint64_t limit_ = 0;  // no position beyond it is given out
  std::mutex mutex_;
  std::string waiting_;     // marks that are not written yet; guarded by mutex_
  bool scheduled_ = false;  // guarded by mutex_

  // The tasks' own.
  std::unique_ptr<File> file_;  // null: it has to be written anew
  std::uint64_t size_ = 0;      // of the file that lies there under its name
  std::uint64_t first_size_ = 0;
  std::uint64_t beside_ = 0;  // of an old file, while the new one is written
  std::uint64_t kept_free_ = 0;
  bool parted_ = false;            // from its book
  bool failing_ = false;           // the last time
  std::atomic<bool> said_{false};  // that it fails, and not yet that it does not any more
  bool in_doubt_ = false;

  SerialTasks tasks_;  // last: they use all of the above
};

}  // namespace weir::flow

// The purge book's log in a file, `marks` (docs/DISK_FORMAT.md): what was marked is so after a
// restart as well, and positions never go back.
//
// Opened and loaded at start, on one thread; then it takes marks on any. They are written by the
// executor, in their order; whoever marks waits for nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/executor.h"
#include "base/file_system.h"
#include "base/result.h"
#include "proxy/flow/purge_book.h"

namespace weir::flow {

class MarkFile final : public MarkLog {
 public:
  // Hears how many bytes of the folder are to be kept for its files, before it writes them. On any
  // thread.
  using KeepFree = std::function<void(std::uint64_t bytes)>;

  // Reads the folder's file. `fresh_seed` is that of a new one. Blocks. `executor` outlives it.
  MarkFile(std::shared_ptr<Folder> folder, Executor& executor, std::uint64_t fresh_seed,
           KeepFree keep_free);
  // Waits until all marks are written. The book must not use it any more.
  ~MarkFile() override;

  // What the book is to be made with.
  std::uint64_t seed() const { return seed_; }
  // There was a file, and it could be read: what lies beside it can be believed as far as its marks
  // go. Else nothing that was stored before may be used.
  bool was_there() const { return was_there_; }

  // Puts into `book` what was read, writes the file anew, and has marks appended to it from now on.
  // Blocks. Where that fails the book works all the same, and it is tried again with the next mark.
  void load(PurgeBook& book);

  // The folder was removed: the file is written anew in this one.
  void move_to(std::shared_ptr<Folder> folder);

  // ---- MarkLog ----
  void append(const Mark& mark) override;
  void when_kept(WhenKept tell) override;

 private:
  Result<std::string> read();
  Result<void> write_some();
  Result<void> write(std::string_view bytes);
  Result<void> rewrite();
  void keep_free(std::uint64_t bytes);
  Result<void> say(Result<void> result);

  const KeepFree keep_free_;
  std::shared_ptr<Folder> folder_;  // from load() on the tasks' own
  std::uint64_t seed_;
  bool was_there_ = false;
  std::string found_;  // the records that were read, until load()

  PurgeBook* book_ = nullptr;
  std::uint64_t limit_ = 0;  // no position beyond it is given out
  std::mutex mutex_;
  std::string waiting_;     // marks that are not written yet; guarded by mutex_
  bool scheduled_ = false;  // guarded by mutex_

  // The tasks' own.
  std::unique_ptr<File> file_;  // null: it has to be written anew
  std::uint64_t size_ = 0;      // of the file that lies there under its name
  std::uint64_t first_size_ = 0;
  std::uint64_t kept_free_ = 0;
  bool failing_ = false;

  SerialTasks tasks_;  // last: they use all of the above
};

}  // namespace weir::flow

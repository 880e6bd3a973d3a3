// `weir-cache`, the folder's mark: a file header (base/file_header.h) whose number is the folder's
// id. `lock`, held while the folder is in use: a text that names who uses it.
#include "backends/disk/cache_folder.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "backends/disk/segment_format.h"
#include "base/file_header.h"

namespace weir::backends::disk {
namespace {

constexpr FileKind kMarkKind = {.magic = 0x4b53494452494557, .version = 1};  // "WEIRDISK"
constexpr std::string_view kMark = "weir-cache";
constexpr std::string_view kNewMark = "weir-cache.new";
constexpr std::string_view kLock = "lock";
// All but the segments: the purge book's as well, and what a file system has at its top.
constexpr std::string_view kNames[] = {kMark,   kNewMark,    kLock,       "book",
                                       "marks", "marks.new", "lost+found"};
constexpr std::string_view kLockedBy = "locked by Weir, ";
constexpr std::size_t kMostLockText = 128;

std::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(ErrorCode::Refused, path + " " + why);
}

// The system does not let this user have it: that may change, and says nothing of what is there.
std::unexpected<Error> closed(const std::string& path, std::string_view why) {
  return fail(ErrorCode::Unavailable, path + " " + std::string(why));
}

// The same, with what the file system said.
std::unexpected<Error> closed(const std::string& path, std::string_view why, const Error& error) {
  return closed(path, std::string(why) + " (" + error.message + ")");
}

constexpr std::string_view kEmptyIt =
    "; give the backend another cache_dir or, if it is nothing but an old cache, remove it while "
    "Weir is not running";

std::unexpected<Error> no_plain_file(const std::string& path, std::string_view name) {
  return refuse(path,
                "holds a " + std::string(name) + " that is no plain file" + std::string(kEmptyIt));
}

std::unexpected<Error> not_empty(const std::string& path, const std::string& what) {
  return refuse(path, "is no cache of Weir's and not empty: it holds " + what +
                          "; give the backend a cache_dir of its own");
}

constexpr std::string_view kNotWritable =
    "is not writable for this user: give it, and what is in it, to the user that Weir runs as, or "
    "choose another cache_dir";

// Before anything is opened: whose folder it is matters less than that it is closed.
Result<void> expect_writable(FileSystem::Access access, const std::string& path) {
  if (access == FileSystem::Access::Closed) return closed(path, kNotWritable);
  if (access != FileSystem::Access::ReadOnly) return {};
  return closed(path,
                "lies in a file system that is read-only: have it writable, or choose another "
                "cache_dir");
}

std::unexpected<Error> not_writable(const std::string& path, const Error& error) {
  return closed(path, kNotWritable, error);
}

Result<std::unique_ptr<Folder>> open_folder(FileSystem& files, const std::string& path) {
  Result<std::unique_ptr<Folder>> folder = files.open_folder(path);
  if (folder) return folder;
  const Error& error = folder.error();
  switch (error.code) {
    case ErrorCode::NotFound:
      return refuse(path, std::string("cannot be made, for there is no folder above it") +
                              (path.starts_with('/') ? "" : ", seen from where Weir was started") +
                              ": make that one first, or choose another cache_dir");
    case ErrorCode::Corrupt:
      return refuse(path, "is no folder: remove what is there, or choose another cache_dir");
    case ErrorCode::Refused:
      return closed(path,
                    "is closed to this user: make it, and give it to the user that Weir runs as, "
                    "or choose another cache_dir",
                    error);
    default:
      return folder;
  }
}

// Others could put their own files in the place of ours.
Result<void> expect_no_other_writers(Folder& folder, const std::string& path) {
  const Result<bool> others = folder.is_writable_for_others();
  if (!others) return std::unexpected(others.error());
  if (!*others) return {};
  return refuse(path,
                "can be written to by other users, who could replace what is in it: take that "
                "from them (chmod go-w), or choose a folder inside of it as cache_dir");
}

Result<std::uint64_t> read_mark(File& file, const std::string& path) {
  // One that is longer is none.
  const Result<std::string> bytes = read_at(file, 0, kFileHeaderBytes + 1);
  if (!bytes) return std::unexpected(bytes.error());
  if (is_other_version(kMarkKind, *bytes)) {
    return refuse(path, "was written by another version of Weir" + std::string(kEmptyIt));
  }
  const auto id = read_file_header(kMarkKind, *bytes);
  if (id && bytes->size() == kFileHeaderBytes) return *id;
  return refuse(path, "holds a file weir-cache that Weir cannot read" + std::string(kEmptyIt));
}

Result<void> write_mark(Folder& folder, std::uint64_t id) {
  const Result<std::unique_ptr<File>> file = begin_replacement(folder, kNewMark);
  if (!file) return std::unexpected(file.error());
  if (auto written = append_bytes(**file, file_header(kMarkKind, id)); !written) return written;
  return finish_replacement(folder, **file, kNewMark, kMark);
}

bool is_ours(std::string_view name) {
  return std::ranges::find(kNames, name) != std::end(kNames) || segment_number(name).has_value();
}

// A folder without a mark is made a cache only where nothing else is kept in it.
Result<void> expect_no_strangers(const std::vector<std::string>& names, const std::string& path) {
  const auto stranger = std::ranges::find_if_not(names, is_ours);
  if (stranger == names.end()) return {};
  return not_empty(path, *stranger);
}

// The id of the mark that is there, or nothing where there is none.
Result<std::optional<std::uint64_t>> find_mark(Folder& folder, const std::string& path) {
  const Result<std::unique_ptr<File>> file = folder.open(kMark);
  if (!file && file.error().code == ErrorCode::NotFound) return std::nullopt;
  if (!file && file.error().code == ErrorCode::Corrupt) return no_plain_file(path, kMark);
  if (!file && file.error().code == ErrorCode::Refused) return not_writable(path, file.error());
  if (!file) return std::unexpected(file.error());
  return read_mark(**file, path);
}

// Who has it: it may not have said so yet.
std::string holder(Folder& folder) {
  const Result<std::unique_ptr<File>> file = folder.open(kLock);
  const std::string text = file ? read_at(**file, 0, kMostLockText).value_or("") : "";
  return text.size() > kLockedBy.size() && text.starts_with(kLockedBy)
             ? text.substr(kLockedBy.size())
             : "another process";
}

Result<void> lock(Folder& folder, const std::string& path) {
  const Result<void> locked = folder.lock(kLock);
  if (locked) return {};
  switch (locked.error().code) {
    case ErrorCode::InUse:
      return refuse(path, "is in use by " + holder(folder) +
                              "; each process, and each backend, needs a cache_dir of its own");
    case ErrorCode::Corrupt:
      return no_plain_file(path, kLock);
    case ErrorCode::Refused:
      return not_writable(path, locked.error());
    default:
      return locked;
  }
}

// Less than that, or zeros: of a process that was killed before it had said its name, or whose
// machine went off.
Result<bool> is_lock_of_ours(File& file) {
  const Result<std::string> text = read_at(file, 0, kMostLockText);
  if (!text) return std::unexpected(text.error());
  const bool zeros = text->find_first_not_of('\0') == std::string::npos;
  return text->starts_with(kLockedBy) || kLockedBy.starts_with(*text) ||
         (zeros && text->size() == file.size());
}

// Says who holds the lock. In a folder without a mark a file of that name may be somebody's.
Result<void> sign_lock(Folder& folder, const std::string& path, std::string_view who,
                       bool is_marked) {
  const Result<std::unique_ptr<File>> file = folder.open(kLock);
  if (!file) return std::unexpected(file.error());
  const Result<bool> ours = is_marked ? true : is_lock_of_ours(**file);
  if (!ours) return std::unexpected(ours.error());
  if (!*ours) return not_empty(path, "a lock that Weir has not written");
  if (auto cut = (*file)->truncate(0); !cut) return cut;
  return append_bytes(**file, std::string(kLockedBy) + std::string(who));
}

// What is in the folder: the id of its mark, if it has one. Else nothing may be in it that is not
// Weir's.
struct Contents {
  std::optional<std::uint64_t> mark;
  std::vector<std::string> names;
};

Result<Contents> look_into(Folder& folder, const std::string& path) {
  Result<std::optional<std::uint64_t>> mark = find_mark(folder, path);
  if (!mark) return std::unexpected(mark.error());
  Result<std::vector<std::string>> names = folder.names();
  if (!names) return std::unexpected(names.error());
  if (!*mark) {
    const auto free = expect_no_strangers(*names, path);
    if (!free) return std::unexpected(free.error());
  }
  return Contents{*mark, std::move(*names)};
}

Result<void> check(FileSystem& files, const std::string& path) {
  const auto access = files.access(path);
  if (const auto writable = expect_writable(access, path); !writable) return writable;
  if (access == FileSystem::Access::Missing) {
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    const std::string above = parent.empty() ? "." : parent.string();
    const auto access_above = files.access(above);
    // Where that one is missing, too, conf has warned of it.
    const bool is_closed =
        access_above == FileSystem::Access::Closed || access_above == FileSystem::Access::ReadOnly;
    if (!is_closed) return {};
    return closed(path, "cannot be made, for this user may not write to " + above +
                            ": make it, and give it to the user that Weir runs as, or choose "
                            "another cache_dir");
  }
  const Result<std::unique_ptr<Folder>> folder = open_folder(files, path);
  if (!folder) return std::unexpected(folder.error());
  const Result<Contents> contents = look_into(**folder, path);
  if (!contents) return std::unexpected(contents.error());
  return expect_no_other_writers(**folder, path);
}

Result<CacheFolder> open(FileSystem& files, const std::string& path, std::string_view who,
                         std::uint64_t fresh_id) {
  if (const auto writable = expect_writable(files.access(path), path); !writable) {
    return std::unexpected(writable.error());
  }
  Result<std::unique_ptr<Folder>> folder = open_folder(files, path);
  if (!folder) return std::unexpected(folder.error());
  CacheFolder out{.path = path, .folder = std::move(*folder), .id = fresh_id, .segments = {}};
  // Before anything is written, the lock included: it may be somebody's home.
  Result<Contents> contents = look_into(*out.folder, path);
  if (!contents) return std::unexpected(contents.error());
  if (const auto alone = expect_no_other_writers(*out.folder, path); !alone) {
    return std::unexpected(alone.error());
  }
  if (const auto locked = lock(*out.folder, path); !locked) return std::unexpected(locked.error());
  // Again: until then another process may have been at work there.
  contents = look_into(*out.folder, path);
  if (!contents) return std::unexpected(contents.error());
  const bool is_marked = contents->mark.has_value();
  if (const auto told = sign_lock(*out.folder, path, who, is_marked); !told) {
    return std::unexpected(told.error());
  }
  if (is_marked) {
    out.id = *contents->mark;
  } else if (const auto written = write_mark(*out.folder, fresh_id); !written) {
    const Error& error = written.error();
    return error.code == ErrorCode::Refused ? not_writable(path, error) : std::unexpected(error);
  }
  for (const std::string& name : contents->names) {
    if (const auto number = segment_number(name)) out.segments.push_back(*number);
  }
  std::ranges::sort(out.segments);
  return out;
}

}  // namespace

Result<void> check_cache_folder(FileSystem& files, const std::string& path) {
  return told_of_medium(check(files, path));
}

Result<CacheFolder> open_cache_folder(FileSystem& files, const std::string& path,
                                      std::string_view who, std::uint64_t fresh_id) {
  return told_of_medium(open(files, path, who, fresh_id));
}

Result<void> expect_still_there(const CacheFolder& folder) {
  const Result<std::unique_ptr<File>> file = folder.folder->open(kMark);
  if (!file) return std::unexpected(file.error());
  const Result<std::uint64_t> id = read_mark(**file, std::string(kMark));
  if (id && *id == folder.id) return {};
  if (!id && id.error().code != ErrorCode::Refused) return std::unexpected(id.error());
  return fail(ErrorCode::Refused, "another cache lies there by now");
}

}  // namespace weir::backends::disk

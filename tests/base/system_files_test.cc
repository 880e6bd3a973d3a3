// The machine's files: whom they are kept from, what is none of ours, and what system calls say.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/file_system.h"
#include "tests/support/temp_dir.h"

namespace {

// The next system call of this thread that has this name is not made.
struct Failure {
  std::string_view call;
  int error = 0;
};
thread_local Failure failure;

bool fails(std::string_view call) {
  if (failure.call != call) return false;
  errno = failure.error;
  failure = {};
  return true;
}

template <class Function>
Function* real(const char* call) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, call));
}

}  // namespace

// In the place of the C library's, for this program.
extern "C" {

int openat(int folder, const char* path, int flags, ...) {
  if (fails("openat")) return -1;
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return real<int(int, const char*, int, ...)>("openat")(folder, path, flags, mode);
}
ssize_t pread(int file, void* into, size_t size, off_t at) {
  if (fails("pread")) return -1;
  return real<ssize_t(int, void*, size_t, off_t)>("pread")(file, into, size, at);
}
// Without an error it takes nothing.
ssize_t pwritev(int file, const iovec* parts, int count, off_t at) {
  if (fails("pwritev")) return errno == 0 ? 0 : -1;
  return real<ssize_t(int, const iovec*, int, off_t)>("pwritev")(file, parts, count, at);
}
int ftruncate(int file, off_t size) noexcept {
  return fails("ftruncate") ? -1 : real<int(int, off_t)>("ftruncate")(file, size);
}
int fdatasync(int file) {
  return fails("fdatasync") ? -1 : real<int(int)>("fdatasync")(file);
}
int fsync(int file) {
  return fails("fsync") ? -1 : real<int(int)>("fsync")(file);
}
int flock(int file, int operation) noexcept {
  return fails("flock") ? -1 : real<int(int, int)>("flock")(file, operation);
}
dirent* readdir(DIR* entries) {
  return fails("readdir") ? nullptr : real<dirent*(DIR*)>("readdir")(entries);
}

}  // extern "C"

namespace weir {
namespace {

class SystemFilesTest : public testing::Test {
 protected:
  static Result<void> append(File& file, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return file.append(std::span(&part, 1));
  }
  std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }
  void put(std::string_view name) const { std::ofstream(at(name)) << "x"; }

  test::TempDir top_;
  const std::string path_ = top_.file("folder");
  std::unique_ptr<Folder> folder_ = system_files().open_folder(path_).value();
};

// ---- whom they are kept from ----

TEST_F(SystemFilesTest, OthersCannotLookIn) {
  folder_->create("one").value();
  ASSERT_TRUE(folder_->lock("lock"));
  const auto mode = [](const std::string& path) {
    struct stat found{};
    EXPECT_EQ(stat(path.c_str(), &found), 0);
    return found.st_mode & 0777;
  };
  EXPECT_EQ(mode(path_), 0700U);
  EXPECT_EQ(mode(at("one")), 0600U);
  EXPECT_EQ(mode(at("lock")), 0600U);
}

TEST_F(SystemFilesTest, SaysWhetherOthersCanWrite) {
  const std::pair<mode_t, bool> cases[] = {{0700, false}, {0755, false}, {0750, false},
                                           {0720, true},  {0770, true},  {0702, true},
                                           {0777, true},  {01777, true}};
  for (const auto& [mode, others] : cases) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_EQ(folder_->is_writable_for_others().value(), others) << std::oct << mode;
  }
}

// ---- what is none of ours ----

TEST_F(SystemFilesTest, NeitherOpensNorLocksWhatIsNoPlainFileOfOurOwn) {
  for (const char* name : {"plain", "first"}) put(name);
  ASSERT_EQ(link(at("first").c_str(), at("second").c_str()), 0);
  ASSERT_EQ(symlink("/etc/passwd", at("outer link").c_str()), 0);
  ASSERT_EQ(symlink("plain", at("inner link").c_str()), 0);
  ASSERT_EQ(symlink("nothing", at("dead link").c_str()), 0);
  ASSERT_EQ(symlink("circle", at("circle").c_str()), 0);
  ASSERT_EQ(mkdir(at("folder").c_str(), 0700), 0);
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  const int socket_of = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  at("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(socket_of, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(socket_of);
  for (const char* name : {"first", "second", "outer link", "inner link", "dead link", "circle",
                           "folder", "pipe", "socket"}) {
    const auto opened = folder_->open(name);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::Corrupt) << opened.error().message;
    const auto locked = folder_->lock(name);
    ASSERT_FALSE(locked) << name;
    EXPECT_EQ(locked.error().code, ErrorCode::Corrupt) << locked.error().message;
    EXPECT_EQ(folder_->create(name).error().code, ErrorCode::Refused) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(at("nothing")));
  ASSERT_EQ(unlink(at("second").c_str()), 0);
  for (const char* name : {"plain", "first"}) {
    EXPECT_TRUE(folder_->open(name)) << "one name of its own";
    EXPECT_TRUE(folder_->lock(name));
  }
}

// For a while the process is another user's.
class AnotherUser {
 public:
  AnotherUser() { EXPECT_EQ(seteuid(65534), 0); }
  ~AnotherUser() { EXPECT_EQ(seteuid(0), 0); }
  AnotherUser(const AnotherUser&) = delete;
  AnotherUser& operator=(const AnotherUser&) = delete;
};

TEST_F(SystemFilesTest, AFileOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  for (const char* name : {"open to all", "closed"}) put(name);
  ASSERT_EQ(chmod(at("open to all").c_str(), 0666), 0);
  ASSERT_EQ(chmod(at("closed").c_str(), 0600), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  const AnotherUser user;
  for (const char* name : {"open to all", "closed"}) {
    const auto opened = folder_->open(name);
    EXPECT_EQ(opened.error().code, ErrorCode::Refused) << name;
    EXPECT_EQ(opened.error().message, at(name) + " belongs to another user");
    EXPECT_EQ(folder_->lock(name).error().code, ErrorCode::Refused) << name;
  }
  EXPECT_EQ(folder_->lock("new").error().code, ErrorCode::Refused) << "the folder is not ours";
  EXPECT_EQ(folder_->create("new").error().code, ErrorCode::Refused);
  EXPECT_EQ(folder_->open("new").error().code, ErrorCode::NotFound);
}

TEST_F(SystemFilesTest, SaysWhoMayUseAFolder) {
  using Access = FileSystem::Access;
  put("file");
  ASSERT_EQ(mkdir(at("closed").c_str(), 0000), 0);
  ASSERT_EQ(symlink("circle", at("circle").c_str()), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  struct Case {
    std::string name;
    Access access;
  };
  const Case cases[] = {
      {"", Access::Writable},
      {"missing", Access::Missing},
      // What opening them says is better.
      {"file/below", Access::Unknown},
      {"circle", Access::Unknown},
      {std::string(300, 'x'), Access::Unknown},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(system_files().access(at(each.name)), each.access) << each.name;
  }
  if (geteuid() != 0) {
    EXPECT_EQ(system_files().access(at("closed")), Access::Closed);
    return;
  }
  const AnotherUser user;
  EXPECT_EQ(system_files().access(at("closed")), Access::Closed);
  EXPECT_EQ(system_files().access(at("")), Access::Closed);
}

TEST_F(SystemFilesTest, SaysWhyAFolderCannotBeOpened) {
  put("file");
  ASSERT_EQ(symlink("nothing", at("dead link").c_str()), 0);
  struct Case {
    const char* name;
    ErrorCode code;
    const char* why;
  };
  const Case cases[] = {
      {"file", ErrorCode::Corrupt, "is no folder"},
      {"dead link", ErrorCode::Corrupt, "is no folder"},
      {"no/folder", ErrorCode::NotFound, "cannot be made: No such file or directory"},
      {"file/folder", ErrorCode::NotFound, "cannot be made: Not a directory"},
  };
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(path_);
  for (const Case& each : cases) {
    for (const std::string& path : {at(each.name), std::string(each.name)}) {
      const auto opened = system_files().open_folder(path);
      ASSERT_FALSE(opened) << path;
      EXPECT_EQ(opened.error().code, each.code) << path;
      EXPECT_EQ(opened.error().message, path + " " + each.why);
    }
  }
  EXPECT_TRUE(system_files().open_folder("relative"));
  std::filesystem::current_path(here);
}

TEST_F(SystemFilesTest, StaysInItsFolderWhereverThatIsMoved) {
  const auto file = folder_->create("one").value();
  ASSERT_EQ(std::rename(path_.c_str(), top_.file("away").c_str()), 0);
  EXPECT_TRUE(folder_->open("one"));
  EXPECT_TRUE(folder_->create("two"));
}

// ---- what system calls say ----

TEST_F(SystemFilesTest, GoesOnWhereASignalCameInBetween) {
  const auto file = folder_->create("one").value();
  const auto read = [&] {
    char byte = 0;
    return file->read(0, std::span(&byte, 1)).value_or(0) == 1;
  };
  struct Case {
    const char* call;
    std::function<bool()> done;
  };
  const Case cases[] = {
      {"openat", [&] { return folder_->create("two").has_value(); }},
      {"openat", [&] { return folder_->open("one").has_value(); }},
      {"openat", [&] { return folder_->names().has_value(); }},
      {"openat", [&] { return folder_->lock("lock").has_value(); }},
      {"flock", [&] { return folder_->lock("other lock").has_value(); }},
      {"pwritev", [&] { return append(*file, "abc").has_value(); }},
      {"pread", read},
      {"fdatasync", [&] { return file->sync().has_value(); }},
      {"ftruncate", [&] { return file->truncate(1).has_value(); }},
      {"fsync", [&] { return folder_->sync().has_value(); }},
  };
  for (const Case& each : cases) {
    failure = {each.call, EINTR};
    EXPECT_TRUE(each.done()) << each.call;
    EXPECT_TRUE(failure.call.empty()) << each.call << " was not called";
  }
}

TEST_F(SystemFilesTest, SaysWhatKindOfFailureItWas) {
  const auto file = folder_->create("one").value();
  const auto create = [&] { return folder_->create("two").error().code; };
  const auto open = [&] { return folder_->open("one").error().code; };
  const auto lock = [&] { return folder_->lock("lock").error().code; };
  const auto names = [&] { return folder_->names().error().code; };
  const auto write = [&] { return append(*file, "abc").error().code; };
  struct Case {
    const char* call;
    int error;
    std::function<ErrorCode()> code;
    ErrorCode expected;
  };
  const Case cases[] = {
      {"openat", EACCES, create, ErrorCode::Refused},
      {"openat", EACCES, open, ErrorCode::Refused},
      {"openat", EMFILE, open, ErrorCode::System},
      {"openat", EACCES, lock, ErrorCode::Refused},
      {"openat", EPERM, lock, ErrorCode::Refused},
      {"openat", EROFS, lock, ErrorCode::Refused},
      {"openat", EMFILE, lock, ErrorCode::System},
      {"flock", EWOULDBLOCK, lock, ErrorCode::InUse},
      {"flock", ENOLCK, lock, ErrorCode::System},
      {"readdir", EIO, names, ErrorCode::System},
      {"openat", EMFILE, names, ErrorCode::System},
      {"pwritev", ENOSPC, write, ErrorCode::TooLarge},
      {"pwritev", EIO, write, ErrorCode::System},
      {"pwritev", 0, write, ErrorCode::System},
  };
  for (const Case& each : cases) {
    failure = {each.call, each.error};
    EXPECT_EQ(each.code(), each.expected) << each.call << " " << each.error;
    EXPECT_TRUE(failure.call.empty()) << each.call << " was not called";
  }
}

TEST(SystemFiles, TellsWhatLiesInMemory) {
  const test::TempDir dir;
  const auto folder = system_files().open_folder(dir.path()).value();
  const auto file = folder->create("f").value();
  const std::string bytes(100'000, 'x');
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  ASSERT_TRUE(file->append(std::span(&part, 1)));
  struct Row {
    std::uint64_t at, most, resident;
  };
  // It was just written. From the middle of a page, to the middle of one, up to the end.
  const Row rows[] = {{0, 100'000, 100'000},
                      {5'000, 100, 100},
                      {5'000, 200'000, 95'000},
                      {99'999, 1, 1},
                      {100'000, 10, 0},
                      {300'000, 10, 0},
                      {0, 0, 0},
                      {8192, 4096 * 3, 12288}};
  for (const Row& row : rows) EXPECT_EQ(file->resident_bytes(row.at, row.most), row.resident);
}

TEST(SystemFiles, TellsThatAFileWasWrittenTo) {
  const test::TempDir dir;
  const auto folder = system_files().open_folder(dir.path()).value();
  const auto file = folder->create("f").value();
  const timespec times[] = {{.tv_sec = 1, .tv_nsec = 5}, {.tv_sec = 1'000, .tv_nsec = 7}};
  ASSERT_EQ(futimens(file->descriptor(), times), 0);
  EXPECT_EQ(file->modified(), std::optional<std::int64_t>(1'000'000'000'007));
  std::ofstream(dir.path() + "/f") << "by another";
  EXPECT_NE(file->modified(), std::optional<std::int64_t>(1'000'000'000'007));
}

}  // namespace
}  // namespace weir

// A disk that cannot be used when Weir starts: it says why, and goes on with what else it has until
// it is started again.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/disk_fixture.h"
#include "tests/support/read_only_folder.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DiskAbsent : public Disk {
 protected:
  DiskAbsent() {
    origin_.otherwise([](const Request& r) { return cacheable(r.path); });
  }

  std::string tiers() const {
    return "admin: 127.0.0.1:0\nbackends:\n  ram: { type: ram, max_size: 32MiB }\n"
           "  disk: { type: disk, cache_dir: " +
           dir() + ", min_free: 0, max_size: 64MiB }\ndefault: [ram, disk]\n" +
           std::string(kCacheAll);
  }
  Response ask(std::string_view method, std::string_view target, std::string_view body = {}) {
    return Client(weir().admin_port()).request(method, target, {{"Host", "127.0.0.1"}}, body);
  }
  // Memory serves, and everybody is told.
  void expect_to_go_on_without() {
    expect_body("/a", "/a");
    expect_hit("/a", "/a");
    EXPECT_EQ(log_lines("goes on without it"), 1) << weir().log_text();
    EXPECT_THAT(ask("GET", "/metrics").body,
                HasSubstr("weir_backend_breaker_open{backend=\"disk\"} 1"));
    // What it has of the page may be met by another process one day.
    const Response purged = ask("POST", "/v1/purge", R"({"all": true})");
    EXPECT_EQ(purged.status, 500);
    EXPECT_THAT(purged.body, HasSubstr("may come back after a restart"));
    EXPECT_THAT(purged.body, HasSubstr(dir()));
    expect_body("/a", "/a");
    EXPECT_EQ(origin_.hits("/a"), 2) << "it is purged here";
    EXPECT_EQ(ask("PUT", "/v1/keys/k", "x").status, 503);
    EXPECT_EQ(ask("DELETE", "/v1/keys/k").status, 503);
    EXPECT_EQ(ask("PUT", "/v1/keys/k?backend=ram", "x").status, 204);
  }
  void expect_to_be_used_once_restarted() {
    restart(End::InOrder);
    EXPECT_EQ(log_lines("goes on without it"), 0) << weir().log_text();
    EXPECT_EQ(ask("POST", "/v1/purge", R"({"prefix": "/none"})").status, 200);
    expect_body("/b", "/b");
    await_written({"/b"});
    restart(End::InOrder);
    expect_hit("/b", "/b");
  }
  // So that what is mounted goes with this process.
  static bool in_own_namespace() {
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }
  void expect_to_say_so_before(std::string_view why) {
    const Outcome checked = run_weir({"check", "-c", folder_.write("weir.yaml", config(tiers()))});
    EXPECT_EQ(checked.exit_code, 0);
    EXPECT_THAT(checked.err, HasSubstr("warning: a start would go on without it: backend disk: "));
    EXPECT_THAT(checked.err, HasSubstr(std::string(why)));
  }
};

TEST_F(DiskAbsent, AFolderThatIsNotWritable) {
  fs::create_directory(dir());
  {
    const ReadOnlyFolder fault(dir());
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    expect_to_say_so_before(dir() + " is not writable for this user: give it to the user that");
    begin(tiers());
    expect_to_go_on_without();
    EXPECT_EQ(log_lines("is not writable for this user"), 1) << weir().log_text();
  }
  expect_to_be_used_once_restarted();
}

TEST_F(DiskAbsent, AReloadChangesNoDiskUntilItIsThere) {
  // What is purged meanwhile would be missing where it is to be written down.
  fs::create_directory(dir());
  const ReadOnlyFolder fault(dir());
  if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
  begin(tiers());
  const auto reload = [&](const std::string& yaml, std::string_view told) {
    weir().write_config(config(yaml));
    weir().process().signal(SIGHUP);
    await_line(told);
  };
  reload(tiers() + "drain_timeout: 5s\n", "info reloaded");
  std::string with_another = tiers();
  with_another.insert(with_another.find("default:"),
                      "  other: { type: disk, cache_dir: " + other_dir() + " }\n");
  reload(with_another, "cannot be others as long as one of them is not in use: restart for that");
}

TEST_F(DiskAbsent, AUsedFolderInAFileSystemThatIsReadOnly) {
  fs::create_directory(dir());
  if (!in_own_namespace() || mount(dir().c_str(), dir().c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "nothing can be mounted here";
  }
  begin(tiers());
  expect_body("/there", "/there");
  await_written({"/there"});
  end(End::InOrder);
  ASSERT_EQ(mount(nullptr, dir().c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
  expect_to_say_so_before(dir() + " lies in a file system that is read-only: have it writable");
  begin(tiers());
  expect_to_go_on_without();
  umount2(dir().c_str(), MNT_DETACH);
}

TEST_F(DiskAbsent, TheOneAboveItIsNotWritable) {
  const ReadOnlyFolder fault(folder_.path());
  if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
  const TempDir elsewhere;
  const std::string file = elsewhere.write("weir.yaml", config(tiers()));
  const Outcome checked = run_weir({"check", "-c", file});
  EXPECT_THAT(checked.err, HasSubstr("a start would go on without it: backend disk: " + dir() +
                                     " cannot be made, for this user may not write to "));
}

TEST_F(DiskAbsent, AFileSystemThatIsFull) {
  fs::create_directory(dir());
  if (!in_own_namespace() || mount("tmpfs", dir().c_str(), "tmpfs", 0, "size=64k,mode=0700") != 0) {
    GTEST_SKIP() << "no file system can be mounted here";
  }
  const std::string block(4096, 'x');
  {
    std::ofstream file(dir() + "/lost+found");
    while (file.write(block.data(), 4096).flush()) {
    }
  }
  begin(tiers());
  expect_to_go_on_without();
  EXPECT_EQ(log_lines("No space left on device"), 1) << weir().log_text();
  umount2(dir().c_str(), MNT_DETACH);
}

TEST_F(DiskAbsent, WhereItIsAloneEveryPageIsTheApps) {
  fs::create_directory(dir());
  const ReadOnlyFolder fault(dir());
  if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
  begin(on_disk());
  expect_body("/a", "/a");
  expect_body("/a", "/a");
  EXPECT_EQ(origin_.hits("/a"), 2);
}

}  // namespace
}  // namespace weir::test

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
    const int before = origin_.hits("/a");
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
    EXPECT_EQ(origin_.hits("/a"), before + 2) << "it is purged here";
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
  void reload(const std::string& yaml, std::string_view told) {
    const int before = log_lines(told);
    weir().write_config(config(yaml));
    weir().process().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return log_lines(told) > before; })) << weir().log_text();
  }
  // One run that stores /a.
  void leave_a_page_in(const std::string& yaml) {
    begin(yaml);
    expect_body("/a", "/a");
    await_written({"/a"});
    end(End::InOrder);
  }
  static constexpr std::string_view kNotReloaded = "not reloaded: the old configuration stays";
  // A disk backend called `name` in a folder of its own, in front of all others.
  static std::string with_another(std::string yaml, const std::string& name,
                                  const std::string& folder) {
    const std::string head = "backends:\n";
    yaml.insert(yaml.find(head) + head.size(), "  " + name + ": { type: disk, cache_dir: " +
                                                   folder + ", min_free: 0, max_size: 64MiB }\n");
    return yaml;
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
    expect_to_say_so_before(dir() + " is not writable for this user: give it, and what is in it");
    begin(tiers());
    expect_to_go_on_without();
    EXPECT_EQ(log_lines("is not writable for this user"), 1) << weir().log_text();
  }
  expect_to_be_used_once_restarted();
}

TEST_F(DiskAbsent, AReloadAddsAndRemovesNoDiskUntilTheNextStart) {
  fs::create_directory(dir());
  {
    const ReadOnlyFolder fault(dir());
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    begin(tiers());
    reload(tiers() + "drain_timeout: 5s\n", "info reloaded");
  }
  const std::string_view restart_it = "no disk can be added, removed or replaced by a reload";
  std::string with_a_second = tiers();
  with_a_second.insert(with_a_second.find("default:"),
                       "  other: { type: disk, cache_dir: " + other_dir() + " }\n");
  reload(with_a_second, restart_it);
  reload("admin: 127.0.0.1:0\n" + std::string(kCacheAll), restart_it);
  expect_body("/a", "/a");
  expect_hit("/a", "/a");
}

TEST_F(DiskAbsent, AReloadToAnUnusableOneIsRefused) {
  // It can be mended without a restart: what runs is as it was.
  fs::create_directory(dir());
  const std::string in_memory = "admin: 127.0.0.1:0\n" + std::string(kCacheAll);
  begin(in_memory);
  {
    const ReadOnlyFolder fault(dir());
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    reload(tiers(), kNotReloaded);
    EXPECT_EQ(log_lines("is not writable for this user"), 1) << weir().log_text();
    EXPECT_EQ(log_lines("goes on without it"), 0) << weir().log_text();
    EXPECT_EQ(ask("POST", "/v1/purge", R"({"all": true})").status, 200);
    reload(in_memory, "info reloaded");
  }
  reload(tiers(), "info reloaded");
  expect_body("/a", "/a");
  await_written({"/a"});
}

TEST_F(DiskAbsent, APurgeIsNotKeptWhereAFailingDiskWasTakenOut) {
  // Whether what lies there can be emptied is not known when the purge is answered.
  fs::create_directory(dir());
  begin(tiers());
  expect_body("/a", "/a");
  await_written({"/a"});
  const ReadOnlyFolder fault(dir());
  if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
  reload("admin: 127.0.0.1:0\n" + std::string(kCacheAll), "info reloaded");
  const Response purged = ask("POST", "/v1/purge", R"({"all": true})");
  EXPECT_EQ(purged.status, 500);
  EXPECT_THAT(purged.body, HasSubstr("backend disk: "));
}

TEST_F(DiskAbsent, ItsTimesFollowAReload) {
  fs::create_directory(dir());
  const ReadOnlyFolder fault(dir());
  if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
  origin_.otherwise([](const Request& r) { return Reply(200).body(r.path); });
  const auto yaml = [&](const std::string& expire) {
    return "backends:\n  ram: { type: ram, max_size: 32MiB }\n  disk: { type: disk, cache_dir: " +
           dir() + ", min_free: 0, default_expire: " + expire + " }\ndefault: [disk, ram]\n" +
           "routes: [{ match: /**, cache: true }]\n";
  };
  begin(yaml("300"));
  expect_body("/a", "/a");
  EXPECT_EQ(cache_status(expect_hit("/a", "/a")).ttl, 300);
  reload(yaml("10"), "info reloaded");
  expect_body("/b", "/b");
  EXPECT_EQ(cache_status(expect_hit("/b", "/b")).ttl, 10);
}

// ---- of two disks ----

TEST_F(DiskAbsent, WhatTheFirstOfTwoWritesDownIsKept) {
  // The marks of both lie with it.
  const std::string two = with_another(tiers(), "first", other_dir());
  leave_a_page_in(two);
  {
    const ReadOnlyFolder fault(dir());
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    begin(two);
    EXPECT_EQ(log_lines("goes on without it"), 1) << weir().log_text();
    EXPECT_EQ(ask("POST", "/v1/purge", R"({"all": true})").status, 200);
  }
  restart(End::Killed);
  EXPECT_EQ(log_lines("begins empty"), 0) << weir().log_text();
  expect_body("/a", "/a");
  EXPECT_EQ(origin_.hits("/a"), 2) << "it was purged";
}

TEST_F(DiskAbsent, WithoutTheFirstOfTwoTheOtherBeginsEmpty) {
  const std::string two = with_another(tiers(), "first", other_dir());
  leave_a_page_in(two);
  {
    const ReadOnlyFolder fault(other_dir());
    if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
    begin(two);
    EXPECT_EQ(log_lines("backend disk: what was purged before is not known, so it begins empty"), 1)
        << weir().log_text();
    EXPECT_EQ(ask("POST", "/v1/purge", R"({"all": true})").status, 500);
    // What only others hold is forgotten with them, or with the marks that they have now.
    EXPECT_EQ(ask("DELETE", "/v1/keys?backend=ram").status, 200);
    EXPECT_EQ(ask("DELETE", "/v1/keys?backend=disk").status, 200);
    EXPECT_EQ(ask("DELETE", "/v1/keys?backend=first").status, 500);
    EXPECT_EQ(ask("DELETE", "/v1/keys").status, 500);
    expect_body("/a", "/a");
    await_written({"/a"});
  }
  restart(End::InOrder);
  EXPECT_EQ(log_lines("backend disk: what was purged before is not known, so it begins empty"), 1)
      << weir().log_text();
}

// ---- why it cannot be used ----

// A mount that no other process sees but those that this one starts.
class Mounted {
 public:
  Mounted(const std::string& from, const std::string& at, const char* type, unsigned long flags,
          const char* options)
      : at_(at),
        done_(unshare(CLONE_NEWNS) == 0 &&
              mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
              mount(from.c_str(), at.c_str(), type, flags, options) == 0) {}
  ~Mounted() {
    if (done_) umount2(at_.c_str(), MNT_DETACH);
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;

  // False: nothing can be mounted here.
  bool done() const { return done_; }

 private:
  const std::string at_;
  const bool done_;
};

TEST_F(DiskAbsent, AUsedFolderInAFileSystemThatIsReadOnly) {
  fs::create_directory(dir());
  const Mounted folder(dir(), dir(), nullptr, MS_BIND, nullptr);
  if (!folder.done()) GTEST_SKIP() << "nothing can be mounted here";
  begin(tiers());
  expect_body("/there", "/there");
  await_written({"/there"});
  end(End::InOrder);
  ASSERT_EQ(mount(nullptr, dir().c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
  expect_to_say_so_before(dir() + " lies in a file system that is read-only: have it writable");
  begin(tiers());
  expect_to_go_on_without();
}

TEST_F(DiskAbsent, TheOneAboveItIsNotWritable) {
  const ReadOnlyFolder fault(folder_.path());
  if (!fault.done()) GTEST_SKIP() << "nothing here keeps root from writing to a folder";
  const TempDir elsewhere;
  const std::string file = elsewhere.write("weir.yaml", config(tiers()));
  const Outcome checked = run_weir({"check", "-c", file});
  EXPECT_THAT(checked.err, HasSubstr("a start would go on without it: backend disk: " + dir() +
                                     " cannot be made, for this user may not write to "));
  begin(tiers());
  expect_to_go_on_without();
}

TEST_F(DiskAbsent, ItsFilesAreAnotherUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  for (const std::string name : {"weir-cache", "lock"}) {
    begin(tiers());
    end(End::InOrder);
    const std::string file = dir() + "/" + name;
    ASSERT_EQ(chown(file.c_str(), 10001, 10001), 0);
    if (name == "weir-cache") expect_to_say_so_before("weir-cache belongs to another user");
    begin(tiers());
    expect_to_go_on_without();
    EXPECT_EQ(log_lines("/" + name + " belongs to another user"), 1) << weir().log_text();
    end(End::InOrder);
    ASSERT_EQ(chown(file.c_str(), 0, 0), 0);
  }
}

TEST_F(DiskAbsent, TheMarksOfWhatWasPurgedCannotBeOpened) {
  // Nobody may write to a program that runs.
  begin(tiers());
  end(End::InOrder);
  const std::string marks = dir() + "/marks";
  fs::copy_file("/bin/sh", marks, fs::copy_options::overwrite_existing);
  ASSERT_EQ(chmod(marks.c_str(), 0700), 0);
  Command command;
  command.arguments = {marks, "-c", "echo it runs; kill -STOP $$; :"};
  ChildProcess running(command);
  running.out().await_lines(1);
  if (std::ofstream(marks, std::ios::app)) GTEST_SKIP() << "this kernel lets programs be changed";
  begin(tiers());
  expect_to_go_on_without();
  EXPECT_EQ(log_lines("error backend disk: " + marks + " cannot be opened: Text file busy"), 1)
      << weir().log_text();
}

TEST_F(DiskAbsent, AFileSystemThatIsFull) {
  fs::create_directory(dir());
  const Mounted small("tmpfs", dir(), "tmpfs", 0, "size=64k,mode=0700");
  if (!small.done()) GTEST_SKIP() << "no file system can be mounted here";
  const std::string block(4096, 'x');
  {
    std::ofstream file(dir() + "/lost+found");
    while (file.write(block.data(), 4096).flush()) {
    }
  }
  begin(tiers());
  expect_to_go_on_without();
  EXPECT_EQ(log_lines("No space left on device"), 1) << weir().log_text();
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

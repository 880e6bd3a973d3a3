// What was purged before a restart stays so, whatever has become of the files that tell of it: then
// less is found, and never an older page.
#include <filesystem>
#include <fstream>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;

class DiskBook : public Disk {
 protected:
  // Each page tells how often it was changed; a POST changes it.
  DiskBook() {
    origin_.otherwise([this](const Request& request) {
      const std::lock_guard lock(mutex_);
      if (request.method != "GET") {
        ++versions_[request.path];
        return Reply(200).body("done");
      }
      return cacheable(page(request.path, versions_[request.path]), "max-age=600");
    });
  }
  static std::string page(const std::string& path, int version) {
    return path + " version " + std::to_string(version);
  }
  void change(const std::string& path) {
    EXPECT_EQ(client().request("POST", path, {}, "x=1").status, 200);
  }
  std::string marks(const std::string& folder) const { return folder + "/marks"; }

 private:
  std::mutex mutex_;
  std::map<std::string, int> versions_;
};

struct Damage {
  const char* name;
  void (*how)(const std::string& folder);
  bool is_found = false;  // the pages are hits all the same
};

void flip(const std::string& path, std::size_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const std::string bytes = bytes_of(path);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(bytes.at(at) ^ 1));
}

const Damage kDamages[] = {
    {"None", [](const std::string&) {}, true},
    {"MarksRemoved", [](const std::string& folder) { fs::remove(folder + "/marks"); }},
    {"MarksEmpty", [](const std::string& folder) { fs::resize_file(folder + "/marks", 0); }},
    {"MarksCutToTheirHeader",
     [](const std::string& folder) { fs::resize_file(folder + "/marks", 64); }},
    {"MarksZerosBehindTheirHeader",
     [](const std::string& folder) {
       fs::resize_file(folder + "/marks", 64);
       fs::resize_file(folder + "/marks", 4096);
     }},
    {"MarksLimitChanged", [](const std::string& folder) { flip(folder + "/marks", 64 + 9); }},
    {"AMarkChanged", [](const std::string& folder) { flip(folder + "/marks", 64 + 32 + 9); }},
    {"MarksAFolder",
     [](const std::string& folder) {
       fs::remove(folder + "/marks");
       fs::create_directory(folder + "/marks");
     }},
    {"BookRemoved", [](const std::string& folder) { fs::remove(folder + "/book"); }},
    {"BookEmpty", [](const std::string& folder) { fs::resize_file(folder + "/book", 0); }},
    {"BookChanged", [](const std::string& folder) { flip(folder + "/book", 20); }},
};

class DiskBookDamage : public DiskBook,
                       public testing::WithParamInterface<std::tuple<Damage, End>> {};

INSTANTIATE_TEST_SUITE_P(Disk, DiskBookDamage,
                         testing::Combine(testing::ValuesIn(kDamages),
                                          testing::Values(End::InOrder, End::Killed)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) +
                                  name_of(std::get<1>(test.param));
                         });

TEST_P(DiskBookDamage, BringsBackNothingThatWasPurged) {
  const auto& [damage, how] = GetParam();
  begin(on_disk());
  for (const char* path : {"/a", "/b"}) expect_body(path, page(path, 0));
  await_written({page("/a", 0), page("/b", 0)});
  change("/a");
  EXPECT_EQ(client().request("POST", "/other", {}, "x=1").status, 200);
  const std::string file = marks(dir());
  ASSERT_TRUE(eventually([&] { return fs::file_size(file) >= 64 + 32 + 2 * 32; }));
  end(how);
  damage.how(dir());
  begin(on_disk());
  expect_body("/a", page("/a", 1));
  if (damage.is_found) expect_hit("/b", page("/b", 0));
  expect_body("/b", page("/b", 0));
  // And what is purged from now on is.
  change("/b");
  expect_body("/b", page("/b", 1));
  EXPECT_EQ(log_lines("so it begins empty") > 0, !damage.is_found) << weir().log_text();
}

TEST_F(DiskBook, NoDiskIsBelievedUnderABookThatIsNotItsOwn) {
  // Which disk is the first one changes from run to run, and so does where the marks lie.
  const auto both = [&](bool other_first) {
    const std::string one = "    one: { type: disk, min_free: 0, cache_dir: " + dir() + " }\n";
    const std::string two =
        "    two: { type: disk, min_free: 0, cache_dir: " + other_dir() + " }\n";
    return "backends:\n" + (other_first ? two + one : one + two) +
           "default: one\nroutes:\n"
           "  - { match: /one/**, cache: { duration: 1h, backend: one } }\n"
           "  - { match: /two/**, cache: { duration: 1h, backend: two } }\n";
  };
  const std::string only_two =
      "backends: { two: { type: disk, min_free: 0, cache_dir: " + other_dir() +
      " } }\ndefault: two\n" + std::string(kCacheAll);
  int version = 0;
  begin(both(false));
  for (const char* path : {"/one/a", "/two/a"}) expect_body(path, page(path, version));
  await_written({page("/one/a", 0), page("/two/a", 0)});
  for (const std::string& yaml : {both(true), only_two, both(false), only_two, both(true)}) {
    ++version;
    for (const char* path : {"/one/a", "/two/a"}) change(path);
    end(End::InOrder);
    begin(yaml);
    for (const char* path : {"/one/a", "/two/a"}) expect_body(path, page(path, version));
  }
}

}  // namespace
}  // namespace weir::test

// What Weir finds in the folder that it is given: somebody else's is refused with a sentence and
// left as it was; what has been done to its own costs no more than the objects that it concerns.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DiskFolder : public Disk {
 protected:
  Outcome run(std::string_view command, const std::string& yaml) {
    return run_weir({std::string(command), "-c", folder_.write("weir.yaml", config(yaml))});
  }
  Outcome run(std::string_view command) { return run(command, on_disk()); }

  // Every file in the folder with its bytes.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::directory_iterator(dir())) {
      out[entry.path().filename()] = bytes_of(entry.path());
    }
    return out;
  }
  // Has the folder refused at start, and left as it is. What can be known before is told by check.
  enum class Known : std::uint8_t { AtCheck, AtStart };
  void expect_refused(const std::string& sentence, Known known = Known::AtCheck) {
    const auto before = contents();
    const std::string told = "backend disk: " + dir() + " " + sentence;
    const Outcome checked = run("check");
    EXPECT_EQ(checked.exit_code, 0);
    EXPECT_EQ(checked.err.find("warning: a start would fail: " + told) != std::string::npos,
              known == Known::AtCheck)
        << checked.err;
    const Outcome outcome = run("run");
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.err, HasSubstr(told));
    EXPECT_EQ(contents(), before);
  }
  // A folder as one run left it.
  void make_cache() {
    origin_.on("/a", cacheable("hello"));
    begin(on_disk());
    get("/a");
    end(End::InOrder);
  }
  // The same with an object that is read block by block: its body.
  std::string store_large() {
    std::string large = patterned(3'000'000);
    origin_.on("/a", cacheable(large, "max-age=600"));
    begin(on_disk());
    expect_body("/a", large);
    await_written({large.substr(large.size() - 64)});
    end(End::InOrder);
    return large;
  }
  void overwrite(const std::string& name, std::size_t at, char byte) const {
    std::fstream file(dir() + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
  }
  // In the first place where it stands, or so many bytes behind that; and lets the moment pass in
  // which nobody looks whether the file has changed.
  void flip_bit_of(const std::string& text, std::size_t behind = 0) const {
    for (const std::string& segment : segments_in(dir())) {
      const std::string bytes = bytes_of(segment);
      const std::size_t found = bytes.find(text);
      if (found == std::string::npos) continue;
      const std::size_t at = found + behind;
      overwrite(fs::path(segment).filename(), at, static_cast<char>(bytes[at] ^ 4));
    }
    pause_briefly(std::chrono::milliseconds(20));
  }
};

// ---- refused ----

TEST_F(DiskFolder, AFileInItsPlaceIsAnErrorOfTheConfiguration) {
  folder_.write("cache", "somebody's");
  for (const char* command : {"check", "run"}) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, 2) << command;
    EXPECT_THAT(outcome.err, HasSubstr("is a file: give a folder, which is made where it is"));
  }
  EXPECT_EQ(bytes_of(dir()), "somebody's");
}

TEST_F(DiskFolder, WhereTheOneAboveIsMissingItSaysWhatToMake) {
  // check only warns: it may be made before the start.
  const std::string parent = folder_.file("none");
  const std::string yaml = "backends: { disk: { type: disk, cache_dir: " + parent + "/cache } }\n" +
                           std::string(kCacheAll);
  const std::string sentence = parent + "\" is missing: make it";
  const Outcome checked = run("check", yaml);
  EXPECT_EQ(checked.exit_code, 0);
  EXPECT_THAT(checked.err, HasSubstr(sentence));
  const Outcome outcome = run("run", yaml);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr(sentence));
  EXPECT_THAT(outcome.err, HasSubstr("backend disk: " + parent + "/cache cannot be made"));
}

TEST_F(DiskFolder, TwoBackendsNeedTwoFoldersWhateverTheirNames) {
  fs::create_directory(dir());
  fs::create_symlink(dir(), other_dir());
  const std::string yaml = "backends:\n  one: { type: disk, cache_dir: " + dir() +
                           " }\n  two: { type: disk, cache_dir: " + other_dir() +
                           " }\ndefault: one\n" + std::string(kCacheAll);
  const Outcome checked = run("check", yaml);
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_THAT(checked.err, HasSubstr("has the cache_dir of one: give each a folder of its own"));
}

TEST_F(DiskFolder, ASecondProcessIsToldWhoIsInIt) {
  // The first goes on as if nothing had been.
  origin_.on("/a", cacheable("hello"));
  begin(on_disk());
  expect_body("/a", "hello");
  await_written({"hello"});
  expect_refused("is in use by process " + std::to_string(weir().process().pid()) + ";",
                 Known::AtStart);
  expect_hit("/a", "hello");
  restart(End::InOrder);
  expect_hit("/a", "hello");
}

TEST_F(DiskFolder, AStartWithTooFewDescriptorsSaysHowManyItNeedsAndEmptiesNothing) {
  origin_.on("/a", cacheable("hello"));
  begin(on_disk());
  expect_body("/a", "hello");
  end(End::InOrder);
  const auto before = contents();
  const std::string file = folder_.write("weir.yaml", config(on_disk()));
  for (const std::uint64_t most : {20, 30, 40, 50}) {
    Command command;
    command.max_fds = most;
    const Outcome outcome = run_weir({"run", "-c", file}, command);
    EXPECT_EQ(outcome.exit_code, 1) << most;
    EXPECT_THAT(outcome.err,
                HasSubstr("only " + std::to_string(most) + " descriptors are allowed"));
    EXPECT_THAT(outcome.err, HasSubstr("are needed to start: raise `ulimit -n`"));
  }
  EXPECT_EQ(contents(), before);
  begin(on_disk());
  await_found(1);
  expect_hit("/a", "hello");
}

TEST_F(DiskFolder, SomebodysOwnFilesAreNotTouched) {
  fs::create_directory(dir());
  folder_.write("cache/notes.txt", "mine");
  expect_refused("is no cache of Weir's and not empty: it holds notes.txt;");
}

TEST_F(DiskFolder, OneThatOthersCanWriteToIsNotUsed) {
  fs::create_directory(dir());
  fs::permissions(dir(), fs::perms::all);
  expect_refused("can be written to by other users, who could replace what is in it:");
}

TEST_F(DiskFolder, CheckChangesNothing) {
  // Neither where the folder is missing nor where one is in use.
  EXPECT_EQ(run("check").err, "");
  EXPECT_FALSE(fs::exists(dir()));
  make_cache();
  const auto before = contents();
  EXPECT_EQ(run("check").err, "");
  EXPECT_EQ(contents(), before);
}

TEST_F(DiskFolder, AnotherVersionsCacheIsNotTouched) {
  make_cache();
  overwrite("weir-cache", 8, 2);
  expect_refused("was written by another version of Weir; give the backend another cache_dir or");
}

TEST_F(DiskFolder, WhatCannotBeReadIsNotTouched) {
  make_cache();
  overwrite("weir-cache", 20, 'x');
  expect_refused("holds a file weir-cache that Weir cannot read; give the backend another");
}

TEST_F(DiskFolder, EmptiedWhileWeirWasNotRunningItIsFilledAnew) {
  make_cache();
  fs::remove_all(dir());
  fs::create_directory(dir(), folder_.path());  // as private as that one
  begin(on_disk());
  EXPECT_FALSE(cache_status(expect_body("/a", "hello")).hit);
  restart(End::InOrder);
  expect_hit("/a", "hello");
}

// ---- damaged ----

// Several segments of 64 KiB. The oldest is damaged, then the second, then the newest, which was
// not sealed if the process was killed.
class DiskDamage : public DiskFolder, public testing::WithParamInterface<End> {
 protected:
  static constexpr int kPages = 60;

  DiskDamage() {
    origin_.otherwise([](const Request& request) {
      return cacheable(page(std::stoi(request.path.substr(1))), "max-age=600");
    });
    begin(yaml_);
    std::vector<std::string> pages;
    for (int i = 0; i < kPages; ++i) pages.push_back(get(path(i)).body);
    await_written(std::move(pages));
    end(GetParam());
    fs::copy(dir(), pristine());
  }

  static std::string path(int i) { return "/" + std::to_string(i); }
  static std::string page(int i) { return "page " + std::to_string(i) + ":" + patterned(4000); }
  std::string pristine() const { return folder_.file("pristine"); }

  // What is done to a segment's file before the start. All pages are right then, those of newer
  // segments are hits (older ones may have been replaced by what is not known now), and at the next
  // start all are.
  using Damage = std::function<void(const std::string& segment)>;
  void expect_harmless(const Damage& damage) {
    const std::size_t segments = segments_in(pristine()).size();
    ASSERT_GE(segments, 3U);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}, segments - 1}) {
      SCOPED_TRACE("segment " + std::to_string(i));
      fs::remove_all(dir());
      fs::copy(pristine(), dir());
      const std::vector<std::string> names = segments_in(dir());
      std::string newer;
      for (std::size_t other = i + 1; other < segments; ++other) newer += bytes_of(names[other]);
      damage(names[i]);
      begin(yaml_);
      await_found(1);
      for (int at = 0; at < kPages; ++at) {
        if (newer.find(page(at)) != std::string::npos) {
          expect_hit(path(at), page(at));
        } else {
          expect_body(path(at), page(at));
        }
      }
      restart(End::InOrder);
      for (int at = 0; at < kPages; ++at) expect_hit(path(at), page(at));
      end(End::Killed);
    }
  }

  const std::string yaml_ = on_disk("max_size: 2MiB");
};

INSTANTIATE_TEST_SUITE_P(Disk, DiskDamage, testing::Values(End::InOrder, End::Killed),
                         [](const auto& test) { return name_of(test.param); });

TEST_P(DiskDamage, ALinkIsNotFollowed) {
  const std::string elsewhere = folder_.write("elsewhere", "somebody's");
  expect_harmless([&](const std::string& segment) {
    fs::remove(segment);
    fs::create_symlink(elsewhere, segment);
  });
  EXPECT_EQ(bytes_of(elsewhere), "somebody's");
}

TEST_P(DiskDamage, AFolderInAFilesPlaceIsLeftAlone) {
  expect_harmless([](const std::string& segment) {
    fs::remove(segment);
    fs::create_directory(segment);
  });
}

TEST_P(DiskDamage, GarbageIsNotBelieved) {
  expect_harmless([](const std::string& segment) {
    std::ofstream(segment, std::ios::binary) << patterned(70'000);
  });
}

TEST_P(DiskDamage, AnEmptyFileHoldsNothing) {
  expect_harmless([](const std::string& segment) { fs::resize_file(segment, 0); });
}

TEST_P(DiskDamage, AnotherSegmentsBytesAreNotBelieved) {
  // Sound ones, with frames and checksums of their own, in the wrong place.
  expect_harmless([this](const std::string& segment) {
    const std::vector<std::string> all = segments_in(dir());
    const std::string other = all.front() == segment ? all.back() : all.front();
    fs::copy_file(other, segment, fs::copy_options::overwrite_existing);
  });
}

TEST_P(DiskDamage, WhatIsCutIsFoundUpToTheCut) {
  // In the header, behind it, in a frame, in a record; from the end: in the tail or a record, in
  // the contents or a record.
  const std::ptrdiff_t cuts[] = {1, 63, 64, 100, 5000, -1, -20, -700, -9000};
  for (const std::ptrdiff_t cut : cuts) {
    SCOPED_TRACE("at " + std::to_string(cut));
    expect_harmless([&](const std::string& segment) {
      const auto whole = static_cast<std::ptrdiff_t>(fs::file_size(segment));
      ASSERT_GT(whole, std::abs(cut));
      fs::resize_file(segment, static_cast<std::uintmax_t>(cut > 0 ? cut : whole + cut));
    });
  }
}

TEST_P(DiskDamage, FlippedBitsAreNeverServed) {
  // A few of them, anywhere.
  std::mt19937 random(5);
  for (int round = 0; round < 5; ++round) {
    expect_harmless([&](const std::string& segment) {
      const std::string name = fs::path(segment).filename();
      const std::string bytes = bytes_of(segment);
      for (int i = 0; i < 5; ++i) {
        const std::size_t at = random() % bytes.size();
        overwrite(name, at, static_cast<char>(bytes[at] ^ (1 << random() % 8)));
      }
    });
  }
}

TEST_F(DiskFolder, ALargeBodyThatHasChangedIsCutVisiblyAndThenAskedForAnew) {
  // Its head goes out before all of it is read: flipped bits and lost ends, anywhere in it.
  const std::string large = store_large();
  const std::string pristine = folder_.file("pristine");
  fs::copy(dir(), pristine);
  std::mt19937 random(3);
  int cut = 0;
  for (int round = 0; round < 30; ++round) {
    SCOPED_TRACE(round);
    fs::remove_all(dir());
    fs::copy(pristine, dir());
    const std::string segment = segments_in(dir()).at(random() % segments_in(dir()).size());
    const std::string bytes = bytes_of(segment);
    const std::size_t at = random() % bytes.size();
    if (round % 3 == 0) {
      fs::resize_file(segment, at);
    } else {
      overwrite(fs::path(segment).filename(), at, static_cast<char>(bytes[at] ^ 4));
    }
    begin(on_disk());
    await_found(1);
    if (round % 2 == 0) drop_from_memory(segments_in(dir()));
    const Response response = get("/a");
    EXPECT_TRUE(large.starts_with(response.body));
    EXPECT_EQ(response.complete, response.body.size() == large.size());
    cut += response.complete ? 0 : 1;
    expect_body("/a", large);
    end(End::Killed);
  }
  EXPECT_GT(cut, 0);
}

TEST_F(DiskFolder, ASmallBodyThatIsSentFromItsFileIsNoLongerOnceSomebodyHasWrittenToThat) {
  // It is read whole and verified before the head of the response goes out: a fetch, never a cut.
  constexpr std::size_t kSizes[] = {2'000, 9'000, 16'384, 65'537, 250'000};
  begin(on_disk());
  for (const std::size_t size : kSizes) {
    const std::string path = "/" + std::to_string(size);
    const std::string body = patterned(size);
    const std::string mark = "mark-" + std::to_string(size);
    origin_.on(path, cacheable(body, "max-age=600").header("X-Mark", mark));
    expect_body(path, body);
    await_written({mark});
    for (int i = 0; i < 3; ++i) expect_hit(path, body);
  }
  for (const std::size_t size : kSizes) {
    SCOPED_TRACE(size);
    const std::string path = "/" + std::to_string(size);
    const std::string body = patterned(size);
    flip_bit_of("mark-" + std::to_string(size), size);
    expect_body(path, body);
    EXPECT_EQ(origin_.hits(path), 2);
  }
}

TEST_F(DiskFolder, ALargeBodyThatIsSentFromItsFileIsNoLongerOnceSomebodyHasWrittenToThat) {
  // Verified once it is sent from where it lies; whoever changes the file is noticed.
  const std::string large = store_large();
  begin(on_disk());
  await_found(1);
  for (int i = 0; i < 3; ++i) expect_body("/a", large);
  EXPECT_EQ(origin_.hits("/a"), 1);
  flip_bit_of(large.substr(2'000'000, 64));
  const Response response = get("/a");
  EXPECT_FALSE(response.complete);
  EXPECT_TRUE(large.starts_with(response.body));
  EXPECT_LE(response.body.size(), 2'000'000U);
  expect_body("/a", large);
  EXPECT_EQ(origin_.hits("/a"), 2);
}

}  // namespace
}  // namespace weir::test

#include "proxy/front/access_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <thread>

namespace weir::front {
namespace {

LogRecord record() {
  LogRecord r;
  r.wall_ms = 1'700'000'000'123;  // 2023-11-14T22:13:20.123Z
  r.client = "192.0.2.7";
  r.method = "GET";
  r.target = "/a?b=1";
  r.host = "shop.test";
  r.status = 200;
  r.bytes = 42;
  r.route = "blog";
  r.cache = "hit";
  r.total_us = 1500;
  r.user_agent = "curl";
  return r;
}

TEST(AccessLogLine, SaysARequestAsJson) {
  // The names of the fields are what dashboards rely on.
  std::string line;
  append_json_line(line, record());
  EXPECT_EQ(line,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"client\":\"192.0.2.7\",\"method\":\"GET\","
            "\"target\":\"/a?b=1\",\"host\":\"shop.test\",\"version\":\"1.1\",\"status\":200,"
            "\"bytes\":42,\"route\":\"blog\",\"cache\":\"hit\",\"detail\":\"\",\"total_ms\":1.500,"
            "\"referer\":\"\",\"user_agent\":\"curl\"}\n");
}

TEST(AccessLogLine, NamesTheSubjectAndTheAppsTimeWhereThereAreSome) {
  LogRecord r = record();
  r.detail = "cookie";
  r.subject = "sessionid";
  r.upstream_ms = 17;
  std::string line;
  append_json_line(line, r);
  EXPECT_NE(line.find("\"detail\":\"cookie\",\"subject\":\"sessionid\",\"upstream_ms\":17,"),
            std::string::npos);
}

TEST(AccessLogLine, StaysOneLineWhateverAClientSends) {
  // Quotes, control bytes and bytes that are no UTF-8 can neither end the line nor break a parser.
  LogRecord r = record();
  r.user_agent = std::string_view("a\"b\\c\n\x1b[31m\xff\0z", 14);
  std::string json;
  append_json_line(json, r);
  EXPECT_NE(json.find("a\\\"b\\\\c\\u000a\\u001b[31m\\u00ff\\u0000z"), std::string::npos);
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  std::string combined;
  append_combined_line(combined, r);
  EXPECT_NE(combined.find("a\\x22b\\x5Cc\\x0A\\x1B[31m\\xFF\\x00z"), std::string::npos);
  EXPECT_EQ(combined.find('\n'), combined.size() - 1);
}

TEST(AccessLogLine, SaysARequestInTheCombinedFormat) {
  std::string line;
  append_combined_line(line, record());
  EXPECT_EQ(line,
            "192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] \"GET /a?b=1 HTTP/1.1\" 200 42 \"-\" "
            "\"curl\"\n");
}

TEST(AccessLogLine, CutsEndlessTexts) {
  LogRecord r = record();
  const std::string endless(100'000, 'x');
  r.target = endless;
  std::string line;
  append_json_line(line, r);
  EXPECT_LT(line.size(), 4000U);
}

TEST(AccessLog, HasWrittenEverythingWhenItEnds) {
  // The destructor hands over what is buffered.
  const std::string path = testing::TempDir() + "/access." + std::to_string(getpid());
  conf::AccessLog options;
  options.to = path;
  {
    auto log = AccessLog::open(options);
    ASSERT_TRUE(log.has_value());
    for (int i = 0; i < 1000; ++i) (*log)->write(record());
  }
  std::ifstream file(path);
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) ++lines;
  EXPECT_EQ(lines, 1000);
  unlink(path.c_str());
}

TEST(AccessLog, DropsAndCountsWhatABlockedPipeDoesNotTake) {
  // A pipe that nobody reads costs lines, never time.
  std::signal(SIGPIPE, SIG_IGN);  // as the program does
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  conf::AccessLog options;
  options.to = "/dev/fd/" + std::to_string(ends[1]);
  auto log = AccessLog::open(options);
  ASSERT_TRUE(log.has_value());
  LogRecord r = record();
  const std::string long_agent(2000, 'x');
  r.user_agent = long_agent;
  for (int i = 0; i < 10'000; ++i) (*log)->write(r);
  EXPECT_GT((*log)->dropped(), 0U);
  close(ends[0]);  // so that the last words fail at once instead of waiting
  log->reset();
  close(ends[1]);
}

// How many lines a file has; 0 where there is none.
int lines_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) ++lines;
  return lines;
}

TEST(AccessLog, GoesOnInANewFileWhenTheOldOneIsMovedAway) {
  // No line is lost at any of the moves, and none that comes after one is in the old file.
  const std::string path = testing::TempDir() + "/rotated." + std::to_string(getpid());
  conf::AccessLog options;
  options.to = path;
  {
    auto log = AccessLog::open(options);
    ASSERT_TRUE(log.has_value());
    for (int move = 0; move < 100; ++move) {
      for (int i = 0; i < 10; ++i) (*log)->write(record());
      ASSERT_EQ(rename(path.c_str(), (path + ".old").c_str()), 0);
      (*log)->reopen();
      while (access(path.c_str(), F_OK) != 0) std::this_thread::yield();
      ASSERT_EQ(rename(path.c_str(), (path + "." + std::to_string(move)).c_str()), 0);
      (*log)->reopen();
      while (access(path.c_str(), F_OK) != 0) std::this_thread::yield();
      std::ofstream(path + ".sum", std::ios::app) << std::ifstream(path + ".old").rdbuf();
      unlink((path + ".old").c_str());
    }
  }
  int lines = lines_of(path) + lines_of(path + ".sum");
  for (int move = 0; move < 100; ++move) {
    const std::string moved = path + "." + std::to_string(move);
    lines += lines_of(moved);
    unlink(moved.c_str());
  }
  EXPECT_EQ(lines, 1000);
  unlink(path.c_str());
  unlink((path + ".sum").c_str());
}

TEST(AccessLog, GoesOnInTheOldFileWhereNoNewOneCanBeOpened) {
  const std::string folder = testing::TempDir() + "/gone." + std::to_string(getpid());
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  conf::AccessLog options;
  options.to = folder + "/access.log";
  {
    auto log = AccessLog::open(options);
    ASSERT_TRUE(log.has_value());
    ASSERT_EQ(rename(folder.c_str(), (folder + ".moved").c_str()), 0);
    (*log)->write(record());
    (*log)->reopen();
    (*log)->write(record());
  }
  EXPECT_EQ(lines_of(folder + ".moved/access.log"), 2);
  unlink((folder + ".moved/access.log").c_str());
  rmdir((folder + ".moved").c_str());
}

TEST(AccessLog, SaysWhyItCannotBeOpened) {
  conf::AccessLog options;
  options.to = "/nonexistent/folder/access.log";
  const auto log = AccessLog::open(options);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().message,
            "cannot open the access log /nonexistent/folder/access.log: No such file or directory");
}

}  // namespace
}  // namespace weir::front

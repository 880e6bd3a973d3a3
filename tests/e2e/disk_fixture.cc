#include "tests/e2e/disk_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace weir::test {

std::string name_of(End end) {
  return end == End::InOrder ? "InOrder" : "Killed";
}

WeirProcess& Disk::begin(std::string_view yaml) {
  yaml_ = yaml;
  return start(yaml_);
}

void Disk::end(End how) {
  if (how == End::InOrder) {
    EXPECT_EQ(weir().stop(), 0) << weir().log_text();
    return;
  }
  weir().process().signal(SIGKILL);
  EXPECT_EQ(weir().wait(), 128 + SIGKILL) << weir().log_text();
}

void Disk::restart(End how) {
  end(how);
  std::size_t folders = 0;
  for (const std::string& folder : {dir(), other_dir()}) folders += !segments_in(folder).empty();
  begin(std::string(yaml_));
  await_found(folders);
}

void Disk::await_found(std::size_t folders) {
  const auto found = [&] { return log_lines(" objects found: ") >= static_cast<int>(folders); };
  if (!eventually(found)) throw TimedOut("what lies in the folder is not found");
}

void Disk::await_written(std::vector<std::string> texts) const {
  const auto all_are_there = [&] {
    std::string bytes;
    for (const std::string& folder : {dir(), other_dir()}) {
      for (const std::string& path : segments_in(folder)) bytes += bytes_of(path);
    }
    std::erase_if(texts, [&](const std::string& text) { return bytes.find(text) != bytes.npos; });
    return texts.empty();
  };
  if (!eventually(all_are_there)) throw TimedOut("not written: " + texts.front());
}

int Disk::log_lines(std::string_view text) {
  const std::vector<std::string> lines = weir().process().err().lines();
  return static_cast<int>(std::ranges::count_if(
      lines, [&](const std::string& line) { return line.find(text) != line.npos; }));
}

void Disk::await_line(std::string_view text) {
  if (!eventually([&] { return log_lines(text) > 0; })) {
    throw TimedOut("the log does not say: " + std::string(text));
  }
}

Response Disk::expect_body(const std::string& target, std::string_view body, const Fields& fields) {
  Response response = get(target, fields);
  EXPECT_EQ(response.status, 200) << target;
  EXPECT_TRUE(response.complete) << target;
  EXPECT_TRUE(response.body == body)
      << target << " has " << response.body.size() << " bytes: " << response.body.substr(0, 100);
  return response;
}

Response Disk::expect_hit(const std::string& target, std::string_view body, const Fields& fields) {
  const int asked = origin_.hits();
  Response response = expect_body(target, body, fields);
  EXPECT_TRUE(cache_status(response).hit) << target << ": " << response.value("Cache-Status");
  EXPECT_EQ(origin_.hits(), asked) << target;
  return response;
}

std::vector<std::string> segments_in(const std::string& folder) {
  std::error_code ignored;
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".seg") out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

void drop_from_memory(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(fdatasync(file), 0) << path;  // what is not on the medium stays
    EXPECT_EQ(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0) << path;
    close(file);
  }
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace weir::test

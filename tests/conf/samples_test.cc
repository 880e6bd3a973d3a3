#include <gtest/gtest.h>

#include <filesystem>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(Samples, LoadWithoutErrorsOrWarnings) {
  // What users copy from works as it stands.
  const std::filesystem::path folder = std::filesystem::path(WEIR_SOURCE_FOLDER) / "conf";
  std::vector<std::string> files = {(folder / "weir.yaml").string()};
  for (const auto& entry : std::filesystem::directory_iterator(folder / "examples")) {
    files.push_back(entry.path().string());
  }
  ASSERT_GE(files.size(), 3U);
  for (const std::string& file : files) {
    const LoadResult result = load_file(file, {}, environment_of({}));
    EXPECT_EQ(errors_of(result), "") << file;
    ASSERT_TRUE(result.config) << file;
    EXPECT_FALSE(result.config->routes.empty()) << file;
    for (const std::string& warning : result.config->warnings) {
      EXPECT_NE(warning.find("of memory"), std::string::npos) << warning;  // of a small machine
    }
  }
}

TEST(Samples, UnreadableFilesAreReported) {
  // A file that is not there is one problem with its name.
  const LoadResult result = load_file("/nonexistent/weir.yaml", {}, environment_of({}));
  EXPECT_EQ(errors_of(result),
            "/nonexistent/weir.yaml: cannot be read: No such file or directory\n");
  EXPECT_FALSE(result.config);
  EXPECT_EQ(errors_of(load_file("/", {}, environment_of({}))),
            "/: cannot be read: Is a directory\n");
}

}  // namespace
}  // namespace weir::conf

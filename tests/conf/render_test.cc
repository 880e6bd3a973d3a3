#include <gtest/gtest.h>

#include <string>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(Render, PointsAtTheColumn) {
  // Place, path, message, the line and a caret, for what has them.
  EXPECT_EQ(render({{"f", 3, 7}, "a.b", "is wrong", "  a: {b: c}"}),
            "f:3:7: a.b: is wrong\n    a: {b: c}\n        ^\n");
  EXPECT_EQ(render({{"f", 0, 0}, "a", "is missing", ""}), "f: a: is missing\n");
  EXPECT_EQ(render({{"", 0, 0}, "--listen", "is wrong", ""}), "--listen: is wrong\n");
  EXPECT_EQ(render({{"f", 1, 1}, "", "is wrong", ""}), "f:1:1: is wrong\n");
}

TEST(Render, CountsCharactersNotBytes) {
  // A column behind letters of two bytes still has the caret under it.
  EXPECT_EQ(render({{"f", 1, 7}, "", "x", "\xC3\xA8\xC3\xA8: \xC3\xA9"}),
            "f:1:7: x\n  \xC3\xA8\xC3\xA8: \xC3\xA9\n      ^\n");
}

TEST(Render, CutsLongLinesAroundTheColumn) {
  // 96 characters remain, wherever in the line the column is.
  const std::string line(300, 'x');
  const std::string part(96, 'x');
  EXPECT_EQ(render({{"f", 1, 1}, "", "m", line}), "f:1:1: m\n  " + part + "...\n  ^\n");
  EXPECT_EQ(render({{"f", 1, 150}, "", "m", line}),
            "f:1:150: m\n  ..." + part + "...\n  " + std::string(51, ' ') + "^\n");
  EXPECT_EQ(render({{"f", 1, 300}, "", "m", line}),
            "f:1:300: m\n  ..." + part + "\n  " + std::string(98, ' ') + "^\n");
  EXPECT_EQ(render({{"f", 1, 999}, "", "m", line}),
            "f:1:999: m\n  ..." + part + "\n  " + std::string(99, ' ') + "^\n");
}

TEST(Render, ControlBytesNeverReachTheTerminal) {
  // Tabs and escapes of the source line become spaces.
  const LoadResult result = load("upstream: http://a\nx:\t\"\x1b[31m\"\n");
  EXPECT_EQ(errors_of(result).find('\x1b'), std::string::npos);
  EXPECT_EQ(errors_of(result).find('\t'), std::string::npos);
  EXPECT_FALSE(result.problems.empty());
}

TEST(Render, SecretsNeverReachTheTerminal) {
  // Each line is wrong; what is shown of it.
  const struct {
    std::string line;
    std::string shown;
  } rows[] = {
      {"admin_tokn: topsecret", "admin_tokn: *********"},
      {"\"admin_token\" : \"top secret\"", "\"admin_token\" : \"*** ******\""},
      {"admin_token: [top, secret]", "admin_token: ***** *******"},
      {"admin_token: ${TOKEN} x", "admin_token: ${TOKEN} x"},
      {"admin_token: ${TOKEN:-top} x", "admin_token: ************* *"},
      {"x: {password: ${P:-top}, db: x}", "x: {password: *********, db: x}"},
      {"backends: {a: {passwrd: topsecret, db: x}}", "backends: {a: {passwrd: *********, db: x}}"},
      {"upstream: http://user:pass@a", "upstream: http://user:****@a"},
      {"upstream: ftp://a:80/x@y:z", "upstream: ftp://a:80/x@y:z"},
  };
  for (const auto& row : rows) {
    const LoadResult result = load("listen: 127.0.0.1:1\n" + row.line + "\n");
    EXPECT_NE(errors_of(result).find("\n  " + row.shown + "\n"), std::string::npos)
        << errors_of(result);
  }
}

}  // namespace
}  // namespace weir::conf

#include "base/log.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(LogTest, AMessageIsOneLine) {
  // Whoever puts a text into it, a server or a file's name, forges no line and sends a terminal
  // nothing.
  EXPECT_EQ(plain_line("a host: müller.example"), "a host: müller.example");
  EXPECT_EQ(plain_line("a\r\n2026 error b\x1b[31m\t\x7f"),
            "a\\x0d\\x0a2026 error b\\x1b[31m\\x09\\x7f");
  EXPECT_EQ(plain_line(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(plain_line("a\xc2\x9b[31m \xc2\xa0"
                       "b"),
            "a\\xc2\\x9b[31m \xc2\xa0"
            "b");
  EXPECT_EQ(plain_line(std::string(4000, 'x')), std::string(4000, 'x'));
  EXPECT_EQ(plain_line(std::string(60'000, 'x')), std::string(4000, 'x') + "...");
}

}  // namespace
}  // namespace weir

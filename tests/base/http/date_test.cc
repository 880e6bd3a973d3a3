// HTTP dates, there and back.
#include "base/http/date.h"

#include <gtest/gtest.h>

#include <string_view>

namespace weir::http {
namespace {

constexpr std::int64_t kNow = 1767225600;  // 2026-01-01
constexpr std::int64_t kExample = 784111777;

TEST(Date, Forms) {
  // All three forms of RFC 9110 5.6.7 give the same second.
  for (std::string_view text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994",
                                "sun, 06 nov 1994 08:49:37 gmt", "Mon, 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_date(text, kNow), kExample) << text;
  }
}

TEST(Date, RoundTrip) {
  // Seconds survive formatting and parsing, leap days and the ends of the range included.
  struct Row {
    std::int64_t unix_s;
    std::string_view text;
  };
  const Row rows[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {kExample, "Sun, 06 Nov 1994 08:49:37 GMT"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {kNow, "Thu, 01 Jan 2026 00:00:00 GMT"},
      {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
      {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
      {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(format_date(row.unix_s), row.text);
    EXPECT_EQ(parse_date(row.text, kNow), row.unix_s);
  }
  EXPECT_EQ(format_date(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(Date, TwoDigitYears) {
  // A year of two digits lies at most 50 years ahead.
  EXPECT_EQ(parse_date("Thursday, 01-Jan-26 00:00:00 GMT", kNow), kNow);
  EXPECT_EQ(parse_date("Thursday, 01-Jan-76 00:00:00 GMT", kNow), 3345062400);  // 2076
  EXPECT_EQ(parse_date("Saturday, 01-Jan-77 00:00:00 GMT", kNow), 220924800);   // 1977
  const std::int64_t in_2099 = 4070908800;
  EXPECT_EQ(parse_date("Thursday, 01-Jan-05 00:00:00 GMT", in_2099), 4260211200);  // 2105
}

TEST(Date, LeapSecond) {
  // Second 60 is the second after 59.
  EXPECT_EQ(parse_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow), 1483228800);
}

TEST(Date, Faults) {
  // Anything else is no date: other zones, other shapes, days that do not exist.
  for (std::string_view text : {"",
                                "0",
                                "-1",
                                "tomorrow",
                                "Sun, 06 Nov 1994 08:49:37",
                                "Sun, 06 Nov 1994 08:49:37 UTC",
                                "Sun, 06 Nov 1994 08:49:37 +0000",
                                "Sun, 06 Nov 1994 08:49:37 GMT ",
                                "Sun, 6 Nov 1994 08:49:37 GMT",
                                "Sun,06 Nov 1994 08:49:37 GMT",
                                "06 Nov 1994 08:49:37 GMT",
                                "Sun, 06 Nov 94 08:49:37 GMT",
                                "Sun, 06 Nov 1994 8:49:37 GMT",
                                "Sun, 06 Nov 1994 08:49 GMT",
                                "Sun, 06 Nov 1994 24:00:00 GMT",
                                "Sun, 06 Nov 1994 08:60:37 GMT",
                                "Sun, 06 Nov 1994 08:49:61 GMT",
                                "Sun, 31 Nov 1994 08:49:37 GMT",
                                "Tue, 29 Feb 2100 00:00:00 GMT",
                                "Sun, 00 Nov 1994 08:49:37 GMT",
                                "Sun, 06 Nvo 1994 08:49:37 GMT",
                                "Xyz, 06 Nov 1994 08:49:37 GMT",
                                "Sun, 06 Nov 1994 +8:49:37 GMT",
                                "Sunday, 06-Nov-1994 08:49:37 GMT",
                                "Sun Nov 6 08:49:37 1994",
                                "Sun Nov  6 08:49:37 94",
                                "Sun Nov  6 08:49:37 1994 GMT",
                                "1994-11-06T08:49:37Z"}) {
    EXPECT_EQ(parse_date(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weir::http

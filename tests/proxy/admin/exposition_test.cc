#include "proxy/admin/exposition.h"

#include <gtest/gtest.h>

namespace weir::admin {
namespace {

using Kind = Exposition::Kind;

TEST(Exposition, AFamilyHasItsHelpItsTypeAndItsSamples) {
  Exposition out;
  out.family("weir_requests_total", Kind::Counter, "Requests.");
  out.sample({{"route", "all"}, {"status", "2xx"}}, std::uint64_t{1'234'567'890'123});
  out.family("weir_flights", Kind::Gauge, "Fetches.");
  out.sample({}, 0.25);
  EXPECT_EQ(out.text(),
            "# HELP weir_requests_total Requests.\n"
            "# TYPE weir_requests_total counter\n"
            "weir_requests_total{route=\"all\",status=\"2xx\"} 1234567890123\n"
            "# HELP weir_flights Fetches.\n"
            "# TYPE weir_flights gauge\n"
            "weir_flights 0.25\n");
}

TEST(Exposition, AValueCannotLeaveItsQuotes) {
  const struct {
    std::string_view value;
    std::string_view shown;
  } rows[] = {
      {"", ""},
      {"a\"b", "a\\\"b"},
      {"a\\b", "a\\\\b"},
      {"a\nb", "a\\nb"},
      {"/{a,b}/**", "/{a,b}/**"},
      {"caf\xC3\xA9", "caf\xC3\xA9"},
      {"\xFF!", "\xEF\xBF\xBD!"},  // the format is UTF-8
  };
  for (const auto& row : rows) {
    Exposition out;
    out.family("x", Kind::Gauge, "X.");
    out.sample({{"route", row.value}}, std::uint64_t{1});
    EXPECT_TRUE(out.text().ends_with("\nx{route=\"" + std::string(row.shown) + "\"} 1\n"))
        << out.text();
  }
}

TEST(Exposition, BucketsHoldWhatIsBelowThem) {
  metrics::Durations durations;
  durations.classes.front() = 2;  // to 10 µs
  durations.classes[1] = 3;       // to 20 µs
  durations.classes.back() = 1;   // beyond a minute
  durations.sum_us = 61'000'080;
  Exposition out;
  out.family("d_seconds", Kind::Histogram, "D.");
  out.sample({{"cache", "hit"}}, durations);
  const std::string& text = out.text();
  for (const char* line :
       {"d_seconds_bucket{cache=\"hit\",le=\"1e-05\"} 2\n",
        "d_seconds_bucket{cache=\"hit\",le=\"2e-05\"} 5\n",
        "d_seconds_bucket{cache=\"hit\",le=\"60\"} 5\n",
        "d_seconds_bucket{cache=\"hit\",le=\"+Inf\"} 6\n",
        "d_seconds_sum{cache=\"hit\"} 61.00008\n", "d_seconds_count{cache=\"hit\"} 6\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace weir::admin

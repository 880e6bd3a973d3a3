#include "proxy/admin/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

Sample at(double uptime_s, double requests) {
  Sample sample;
  sample.version = "1.2.3";
  sample.uptime_s = uptime_s;
  sample.totals = {.name = "",
                   .requests = requests,
                   .hits = requests * 0.75,
                   .misses = requests * 0.25,
                   .bytes_sent = requests * 1024,
                   .bytes_from_cache = requests * 512};
  sample.routes = {sample.totals};
  sample.routes[0].name = "blog";
  sample.backends = {{.name = "ram",
                      .type = "ram",
                      .objects = 3,
                      .bytes = 1024 * 1024,
                      .max_bytes = 4 * 1024 * 1024,
                      .hits = requests,
                      .misses = requests}};
  sample.hit.classes[0] = static_cast<std::uint64_t>(requests);
  return sample;
}

std::string drawn(const Sample& now, const std::optional<Sample>& before = std::nullopt,
                  ViewSize size = {}) {
  return draw_top(now, before, "127.0.0.1:8081", size);
}

TEST(TopView, RatesAreDifferences) {
  // 500 requests in the last 2 of 102 seconds.
  const std::string text = drawn(at(102, 1'500), at(100, 1'000));
  EXPECT_THAT(text, HasSubstr("weir 1.2.3 at 127.0.0.1:8081, up 1 min 42 s; over 2.0 s\n"));
  EXPECT_THAT(text, HasSubstr("requests 250/s   hit ratio 75.0 %"));
  EXPECT_THAT(text, HasSubstr("sent 250 KiB/s, 50.0 % of it from the cache"));
  EXPECT_THAT(text, HasSubstr("blog"
                              "                           250/s      75.0 %      62.5/s"));
}

TEST(TopView, OneLookTellsOfTheTimeSinceTheStart) {
  const std::string text = drawn(at(100, 1'000));
  EXPECT_THAT(text, HasSubstr("; since the start\n"));
  EXPECT_THAT(text, HasSubstr("requests 10.0/s"));
}

TEST(TopView, ANewInstanceIsNotComparedWithTheOldOne) {
  const std::string text = drawn(at(10, 100), at(5'000, 1'000'000));
  EXPECT_THAT(text, HasSubstr("up 10 s; since the start\n"));
  EXPECT_THAT(text, HasSubstr("requests 10.0/s"));
}

TEST(TopView, LatenciesAreThoseOfTheInterval) {
  Sample before = at(100, 0);
  Sample now = at(101, 0);
  before.hit.classes[20] = 1'000'000;  // a minute each, long ago
  now.hit.classes = before.hit.classes;
  now.hit.classes[1] = 100;  // 10 to 20 µs
  EXPECT_THAT(drawn(now, before),
              HasSubstr("hits                         0.01 ms     0.02 ms     0.02 ms\n"
                        "misses                             -           -           -\n"));
}

TEST(TopView, ABackendThatFailsSaysSo) {
  Sample sample = at(10, 10);
  EXPECT_THAT(drawn(sample), HasSubstr("ram (ram)                          3    1.00 MiB"
                                       "      25.0 %      50.0 %"));
  EXPECT_THAT(drawn(sample), Not(HasSubstr("FAILS")));
  sample.backends[0].breaker_open = true;
  sample.backends[0].errors = 5;
  sample.backends[0].dropped = 2;
  EXPECT_THAT(drawn(sample), HasSubstr("FAILS: most look-ups miss, nothing is stored  5 errors  "
                                       "2 writes dropped\n"));
}

TEST(TopView, ReasonsComeWithTheLineThatWouldChangeThem) {
  Sample sample = at(10, 10);
  EXPECT_THAT(drawn(sample), Not(HasSubstr("WHY NOT")));
  sample.reasons = {{.route = "blog",
                     .detail = "cookie",
                     .subject = "sid",
                     .count = 1'234,
                     .yaml = "cookies: { ignore: [sid] }",
                     .advice = "if it may"},
                    {.route = "", .detail = "method", .subject = "", .count = 7}};
  EXPECT_THAT(drawn(sample), HasSubstr("      1234  cookie sid, blog: cookies: { ignore: [sid] }"
                                       "  (if it may)\n"
                                       "         7  method, no route\n"));
}

TEST(TopView, FitsItsTerminal) {
  const Sample sample = at(10, 10);
  const std::string text = drawn(sample, std::nullopt, {.columns = 20, .rows = 5});
  EXPECT_EQ(std::ranges::count(text, '\n'), 5);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    EXPECT_LE(end - begin, 20U);
    begin = end + 1;
  }
}

TEST(TopView, SendsATerminalNothingThatItWouldObey) {
  Sample sample = at(10, 10);
  sample.keys = {{.url = "app.test/\x1b[2Jx\n", .count = 64}};
  sample.reasons = {{.route = "a\x07", .detail = "cookie", .subject = "\x9b", .count = 1}};
  const std::string text = drawn(sample);
  EXPECT_THAT(text, HasSubstr("  app.test/?[2Jx?\n"));
  EXPECT_EQ(text.find('\x1b'), text.npos);
  EXPECT_EQ(text.find('\x07'), text.npos);
  EXPECT_EQ(text.find('\x9b'), text.npos);
}

}  // namespace
}  // namespace weir::admin

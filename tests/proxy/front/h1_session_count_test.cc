// What a session counts of the requests that it serves, by the loop's clock.
#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using policy::Verdict;
using test::ScriptedHandler;

class H1SessionCount : public H1SessionTest {
 protected:
  void SetUp() override { context_.counts = &counts_; }
  void TearDown() override { session_.reset(); }

  // The handler of the request in hand says that its route is this one, and that it was a hit.
  void is_hit_of(std::string_view route) {
    LogNotes& notes = handlers.last().exchange().notes();
    notes.verdict = Verdict::Hit;
    notes.counts = &counts_.of_route(route);
  }
  metrics::Totals totals() const {
    metrics::Totals sum;
    counts_.add_to(sum);
    counts_.add_top_to(sum);
    return sum;
  }
  std::uint64_t requests(const std::string& route, const metrics::RequestKind& kind) const {
    const metrics::Totals all = totals();
    const auto& of_route = all.routes.at(route).requests;
    return of_route.contains(kind) ? of_route.at(kind) : 0;
  }
  metrics::Durations durations(Verdict verdict) const {
    return totals().durations[static_cast<std::size_t>(verdict)];
  }

  metrics::LoopCounts counts_;
};

TEST_F(H1SessionCount, ARequestIsCountedWhenItsAnswerHasBeenSent) {
  client_sends(get("/page"));
  passes(1500);
  is_hit_of("pages");
  EXPECT_EQ(requests("pages", {Verdict::Hit, 2, ""}), 0U);
  handler_answers(200, "body");
  EXPECT_EQ(requests("pages", {Verdict::Hit, 2, ""}), 1U);
  EXPECT_EQ(totals().routes.at("pages").bytes[static_cast<std::size_t>(Verdict::Hit)], 4U);
  EXPECT_EQ(durations(Verdict::Hit).sum_us, 1'500'000U);
}

TEST_F(H1SessionCount, NothingIsTakenOverFromTheRequestBefore) {
  client_sends(get("/one"));
  is_hit_of("pages");
  handlers.last().exchange().notes().collapsed = true;
  handler_answers(200);
  client_sends(get("/two"));
  handler_answers(404);
  EXPECT_EQ(requests("pages", {Verdict::Hit, 2, ""}), 1U);
  EXPECT_EQ(requests("", {Verdict::None, 4, ""}), 1U);
  EXPECT_EQ(totals().collapsed, 1U);
}

TEST_F(H1SessionCount, AHeadThatIsRefusedIsCountedUnderItsWord) {
  client_sends("GET /page HTTP/1.1\r\nBad Header: x\r\nHost: a.test\r\n\r\n");
  EXPECT_EQ(requests("", {Verdict::None, 4, "space-in-header-name"}), 1U);
  EXPECT_TRUE(totals().keys.empty());
}

TEST_F(H1SessionCount, AClientThatLeavesIsCountedWithoutAStatus) {
  client_sends(get());
  client_resets();
  const metrics::Totals all = totals();
  std::uint64_t without_status = 0;
  for (const auto& [kind, count] : all.routes.at("").requests) {
    if (kind.status_class == 0) without_status += count;
  }
  EXPECT_EQ(without_status, 1U);
}

// What does not end by itself says nothing of how quick anybody was.
TEST_F(H1SessionCount, ATunnelHasNoDuration) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.opens_tunnel(); });
  passes(3'000);
  client_resets();
  EXPECT_EQ(requests("", {Verdict::None, 1, ""}), 1U);
  EXPECT_EQ(durations(Verdict::None).count(), 0U);
}

TEST_F(H1SessionCount, AnEventStreamHasNoDuration) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) {
    handler.begins(200, http::Framing::Chunked, 0, "text/event-stream");
  });
  passes(3'000);
  client_resets();
  EXPECT_EQ(requests("", {Verdict::None, 2, ""}), 1U);
  EXPECT_EQ(durations(Verdict::None).count(), 0U);
}

TEST_F(H1SessionCount, TheKeyOfAFirstRequestIsRemembered) {
  client_sends(get("/page?b=1"));
  is_hit_of("pages");
  handler_answers(200);
  const metrics::Totals all = totals();
  ASSERT_EQ(all.keys.size(), 1U);
  EXPECT_EQ(all.keys[0].url, "a.test/page?b=1");
}

}  // namespace
}  // namespace weir::front

// What a session writes into the access log: a line for each request, by the loop's clock.
#include <sys/mman.h>
#include <unistd.h>

#include "tests/proxy/front/h1_session_fixture.h"

namespace weir::front {
namespace {

using test::ScriptedHandler;

class H1SessionLog : public H1SessionTest {
 protected:
  void SetUp() override {
    file_ = memfd_create("access.log", MFD_CLOEXEC);
    ASSERT_GE(file_, 0);
    conf::AccessLog options;
    options.to = "/proc/self/fd/" + std::to_string(file_);
    auto opened = AccessLog::open(options);
    ASSERT_TRUE(opened.has_value());
    log_ = std::move(*opened);
    context_.access_log = log_.get();
  }
  void TearDown() override {
    session_.reset();
    log_.reset();
    close(file_);
  }
  // All lines so far. Nothing is logged afterwards.
  std::string lines() {
    session_.reset();
    log_.reset();
    std::string text(65'536, '\0');
    const ssize_t got = pread(file_, text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  void expect_detail(std::string_view word) {
    const std::string text = lines();
    EXPECT_NE(text.find("\"detail\":\"" + std::string(word) + "\""), std::string::npos) << text;
    EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  }

 private:
  int file_ = -1;
  std::unique_ptr<AccessLog> log_;
};

TEST_F(H1SessionLog, SaysWhatWasAskedAndAnswered) {
  client_sends(get("/page", "Referer: there\r\nUser-Agent: test\r\n"));
  passes(1500);
  clock.advance_us(250);
  LogNotes& notes = handlers.last().exchange().notes();
  notes.route = "pages";
  notes.verdict = policy::Verdict::Miss;
  notes.upstream_ms = 7;
  handler_answers(200, "body");
  EXPECT_EQ(lines(),
            "{\"time\":\"2023-11-14T22:13:21.500Z\",\"client\":\"192.0.2.1\",\"method\":\"GET\","
            "\"target\":\"/page\",\"host\":\"a.test\",\"version\":\"1.1\",\"status\":200,"
            "\"bytes\":4,\"route\":\"pages\",\"cache\":\"miss\",\"detail\":\"\",\"upstream_ms\":7,"
            "\"total_ms\":1500.250,\"referer\":\"there\",\"user_agent\":\"test\"}\n");
}

TEST_F(H1SessionLog, TellsTheTimeOfDayByTheWallClock) {
  // Somebody has set it meanwhile; what the request took is not touched by that.
  client_sends(get());
  passes(2000);
  clock.set_wall(86'400'000);
  handler_answers(200);
  const std::string text = lines();
  EXPECT_TRUE(text.starts_with("{\"time\":\"1970-01-02T00:00:00.000Z\"")) << text;
  EXPECT_NE(text.find("\"total_ms\":2000.000"), std::string::npos) << text;
}

TEST_F(H1SessionLog, SaysNothingOfTheRequestBefore) {
  client_sends(get("/one", "Referer: there\r\n"));
  handlers.last().exchange().notes() = {
      .route = "r", .verdict = policy::Verdict::Hit, .detail = "d", .subject = "s"};
  handler_answers(200, "body");
  client_sends(get("/two"));
  handler_answers(204);
  const std::string text = lines();
  EXPECT_NE(
      text.find("\"target\":\"/two\",\"host\":\"a.test\",\"version\":\"1.1\",\"status\":204,"
                "\"bytes\":0,\"route\":\"\",\"cache\":\"\",\"detail\":\"\",\"total_ms\":0.000,"
                "\"referer\":\"\",\"user_agent\":\"\"}\n"),
      std::string::npos)
      << text;
}

TEST_F(H1SessionLog, NamesABrokenHeadWithoutLookingAtIt) {
  client_sends("GET /secret HTTP/1.1\r\nBad Header: x\r\n\r\n");
  const std::string text = lines();
  EXPECT_NE(text.find("\"target\":\"\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"status\":400"), std::string::npos) << text;
}

TEST_F(H1SessionLog, NamesAClientThatTookNothing) {
  client.takes(0);
  client_sends(get());
  handler_answers(200);
  passes(limits.send_timeout_ms);
  expect_detail("send-timeout");
}

TEST_F(H1SessionLog, NamesAClientThatLeftBeforeItsAnswer) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.waits_for_place(true); });
  client_half_closes();
  passes(2000);
  expect_detail("client-gone");
}

TEST_F(H1SessionLog, NamesABodyThatDidNotCome) {
  client_sends(post(10, "01"));
  handler_does([](ScriptedHandler& handler) { handler.reads_body(); });
  passes(limits.body_timeout_ms);
  expect_detail("body-timeout");
}

TEST_F(H1SessionLog, HasALineOfWhatWasCut) {
  client_sends(get());
  handler_does([](ScriptedHandler& handler) { handler.begins(200); });
  handler_does([](ScriptedHandler& handler) { handler.streams("half"); });
  const std::string text = lines();
  EXPECT_NE(text.find("\"status\":200,\"bytes\":4"), std::string::npos) << text;
}

}  // namespace
}  // namespace weir::front

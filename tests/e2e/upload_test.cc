// Bodies on their way to the app: streamed, bounded in memory, paced by the app.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

long flat_kib() {
  return is_sanitized() ? 128 * 1024 : 16 * 1024;
}

class Upload : public E2e {
 protected:
  void SetUp() override {
    origin_.on("/up", [](const Request& request) {
      return Reply(200).body(std::to_string(request.body_bytes));
    });
    start("routes: []\naccess_log: off\n");
  }

  // Sends `count` pieces of 1 MiB, framed by `before` and `after` each.
  static void send_pieces(Client& one, std::uint64_t count, const std::string& before,
                          const std::string& after) {
    const std::string piece = before + std::string(kMiB, 'u') + after;
    for (std::uint64_t i = 0; i < count; ++i) one.send(piece);
  }
};

TEST_F(Upload, AGibibyteOfKnownLengthPassesInFlatMemory) {
  // The body is streamed: the peak of memory does not know its size.
  const std::uint64_t mib = is_sanitized() ? 128 : 1024;
  const long before = weir().figures().rss_kib;
  Client one = client();
  one.send(Client::message("POST", "/up", {{"Content-Length", std::to_string(mib * kMiB)}}));
  send_pieces(one, mib, "", "");
  EXPECT_EQ(one.read().body, std::to_string(mib * kMiB));
  EXPECT_LT(weir().figures().peak_rss_kib - before, flat_kib());
}

TEST_F(Upload, AChunkedUploadPassesInFlatMemory) {
  // The same without a length.
  const long before = weir().figures().rss_kib;
  Client one = client();
  one.send(Client::message("PUT", "/up", {{"Transfer-Encoding", "chunked"}}));
  send_pieces(one, 64, "100000\r\n", "\r\n");
  one.send("0\r\n\r\n");
  EXPECT_EQ(one.read().body, std::to_string(64 * kMiB));
  EXPECT_LT(weir().figures().peak_rss_kib - before, flat_kib());
}

TEST_F(Upload, AnAppThatDoesNotReadHoldsTheClientBack) {
  // Backpressure: while the app takes nothing, neither does Weir, beyond the sockets' buffers.
  const Gate gate;
  origin_.hold_body("/up", gate);
  const long before = weir().figures().rss_kib;
  constexpr std::uint64_t kTotal = 256 * kMiB;
  Client one = client();
  one.send(Client::message("POST", "/up", {{"Content-Length", std::to_string(kTotal)}}));
  gate.await_arrivals(1);
  const std::string piece(kMiB, 'u');
  std::uint64_t sent = 0;
  int idle_rounds = 0;
  while (idle_rounds < 100 && sent < kTotal) {
    const std::size_t taken = one.socket().send_now(
        std::string_view(piece).substr(0, static_cast<std::size_t>(std::min(kMiB, kTotal - sent))));
    sent += taken;
    idle_rounds = taken == 0 ? idle_rounds + 1 : 0;
    if (taken == 0) pause_briefly();
  }
  EXPECT_LT(sent, 64 * kMiB);
  EXPECT_LT(weir().figures().peak_rss_kib - before, flat_kib());
  gate.open();
  for (; sent < kTotal; sent += std::min(kMiB, kTotal - sent))
    one.send(
        std::string_view(piece).substr(0, static_cast<std::size_t>(std::min(kMiB, kTotal - sent))));
  EXPECT_EQ(one.read().body, std::to_string(kTotal));
}

TEST_F(Upload, AnEarlyAnswerReachesTheClient) {
  // An app may refuse before it has read the body: its answer is relayed, its connection not kept.
  origin_.answer_early("/early", Reply(413).body("no, thanks").hang());
  Client one = client();
  one.send(Client::message("POST", "/early", {{"Content-Length", "1000000"}}) + "begin");
  const Response response = one.read_head();
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(one.read_some(10), "no, thanks");
}

TEST_F(Upload, AnEarlyAnswerReachesAClientThatReadsNothingBeforeItHasSentAll) {
  for (const int status : {413, 401, 302, 200}) {
    const std::string path = "/" + std::to_string(status);
    origin_.answer_early(path, Reply(status).body("no, thanks"));
    Client one = client();
    one.send(Client::message("POST", path, {{"Content-Length", std::to_string(6 * kMiB)}}));
    send_pieces(one, 6, "", "");
    const Response response = one.read();
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.body, "no, thanks");
    EXPECT_EQ(response.value("Connection"), "close");
  }
}

TEST_F(Upload, ALargeEarlyAnswerReachesAClientThatReadsNothingBeforeItHasSentAll) {
  // More than the sockets' buffers hold, of an app that has ended: upload and answer would each
  // wait for the other.
  const std::string answer(kMiB, 'a');
  origin_.answer_early("/early", Reply(200).body(answer));
  Client one = client(4096);
  one.send(Client::message("POST", "/early", {{"Content-Length", std::to_string(24 * kMiB)}}));
  send_pieces(one, 24, "", "");
  const Response response = one.read();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, answer);
  EXPECT_EQ(response.value("Connection"), "close");
}

TEST_F(Upload, BytesBehindAnEarlyAnswerAreNeverARequest) {
  // CL.0: what is left of a body after an early answer is drained or cut, not parsed.
  origin_.answer_early("/early", Reply(200).body("done"));
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n";
  Client one = client();
  one.send(
      Client::message("POST", "/early", {{"Content-Length", std::to_string(smuggled.size() * 2)}}) +
      smuggled);
  EXPECT_EQ(one.read().body, "done");
  std::string rest;
  try {
    one.send(smuggled + Client::message("GET", "/after"));
    rest = one.read_until_close();
  } catch (const std::exception&) {
    rest.clear();  // cut, which is as right as draining, so long as the app saw nothing
  }
  EXPECT_THAT(rest, testing::Not(testing::HasSubstr("smuggled")));
  EXPECT_EQ(origin_.hits("/smuggled"), 0);
}

TEST_F(Upload, TheAppSeesARequestBeforeItsBodyHasEnded) {
  // Uploads are not collected first: the head and the first bytes travel at once.
  const Gate gate;
  origin_.hold_body("/up", gate);
  Client one = client();
  one.send(Client::message("POST", "/up", {{"Transfer-Encoding", "chunked"}}) + "5\r\nhello\r\n");
  gate.await_arrivals(1);
  gate.open();
  one.send("1\r\n!\r\n0\r\n\r\n");
  EXPECT_EQ(one.read().body, "6");
}

class Dripping : public E2e {};

TEST_F(Dripping, UploadsLeaveAConnectionToThePages) {
  // Eight clients whose bodies stop, two connections, on whatever loops they are.
  origin_.on("/up", [](const Request& request) {
    return Reply(200).body(std::to_string(request.body_bytes));
  });
  origin_.on("/page", Reply(200).body("page"));
  start("routes: []\naccess_log: off\nupstream: { url: \"" + origin_.url() +
        "\", max_connections: 2 }\n");
  std::vector<Client> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(client());
    slow.back().send(Client::message("POST", "/up", {{"Content-Length", "5"}}) + "12");
  }
  await_all_taken();
  EXPECT_EQ(get("/page").body, "page");
  for (Client& one : slow) one.send("345");
  for (Client& one : slow) EXPECT_EQ(one.read().body, "5");
}

}  // namespace
}  // namespace weir::test

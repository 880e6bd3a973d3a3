// Apps that speak HTTP in a way that is odd, but common: what of it is understood, and what is
// refused with a line in the log that helps.
#include <thread>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;

constexpr std::string_view kInterim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// An app that answers its first request with `head`, and then with `block` again and again, as long
// as anybody reads it and for `size` bytes at most.
class EndlessApp {
 public:
  EndlessApp(std::string head, std::string block, std::uint64_t size)
      : listener_(Socket::listen_tcp()), thread_([this, head, block, size] {
          Socket socket = listener_.accept();
          char request[4096];
          try {
            socket.receive(request, sizeof request, Deadline());
            socket.send_all(head, Deadline());
            for (std::uint64_t sent = 0; sent < size; sent += block.size()) {
              socket.send_all(block, Deadline());
            }
            all_taken_ = true;
          } catch (const std::exception&) {
            return;  // nobody reads it
          }
        }) {}
  ~EndlessApp() {
    listener_.shut_down();
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()); }
  bool all_taken() const { return all_taken_; }

 private:
  Socket listener_;
  std::atomic<bool> all_taken_ = false;
  std::thread thread_;
};

class OddApp : public E2e {
 protected:
  void expect_bad_gateway(const Response& response) {
    EXPECT_EQ(response.status, 502);
    EXPECT_EQ(cache_status(response).detail, "upstream-error");
    EXPECT_LT(response.body.size(), 512U);
  }
  // Weir's log of its own doings comes a moment after the answer.
  void expect_logged(std::string_view text) {
    EXPECT_TRUE(eventually([&] { return weir().log_text().find(text) != std::string::npos; }))
        << weir().log_text();
  }
};

TEST_F(OddApp, AHundredInterimAnswersAreRelayed) {
  // An app that says every second that it still works says so to its client.
  origin_.on("/slow", Reply::raw(repeated(kInterim, 100) +
                                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  start("routes: []\n");
  const Response response = get("/slow");
  EXPECT_EQ(response.informational.size(), 100U);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
}

TEST_F(OddApp, InterimAnswersWithoutEndAre502) {
  // Their number and their bytes are bounded, and the log tells which bound it was.
  struct Row {
    std::string interim;
    std::string_view told;
  };
  const std::string long_one = "HTTP/1.1 103 Hints\r\nLink: " + std::string(700, 'a') + "\r\n\r\n";
  const Row rows[] = {{repeated(kInterim, 10'000), "more than 100 interim answers"},
                      {repeated(long_one, 99), "more than 64KiB of interim answers"}};
  for (const Row& row : rows) {
    origin_.on("/slow", Reply::raw(row.interim + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    start("routes: []\n");
    const Response response = get("/slow");
    expect_bad_gateway(response);
    EXPECT_LE(response.informational.size(), 100U);
    expect_logged(row.told);
    EXPECT_EQ(weir().stop(), 0);
  }
}

TEST_F(OddApp, TheLimitOfResponseHeadsIsTheConfigurations) {
  // limits.response_headers, 128KiB by default, bounds the status line and all fields together;
  // what is within it is also stored and served again.
  struct Row {
    std::string_view limits;
    std::string_view told;
    std::size_t good;
    std::size_t bad;
  };
  const Row rows[] = {
      {"", "limits.response_headers (128KiB)", 130'000, 132'000},
      {"limits: { response_headers: 4KiB }\n", "limits.response_headers (4KiB)", 3'900, 4'200},
      {"limits: { response_headers: 1MiB }\n", "limits.response_headers (1MiB)", 1'040'000,
       1'050'000}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.told);
    for (const auto& [path, size] : {std::pair("/good", row.good), std::pair("/bad", row.bad)}) {
      origin_.on(path, cacheable("x").header("X-Long", std::string(size - 200, 'a')));
    }
    start(std::string(kCacheAll) + std::string(row.limits));
    for (const bool hit : {false, true}) {
      const Response response = get("/good");
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(response.value("X-Long").size(), row.good - 200);
      EXPECT_EQ(cache_status(response).hit, hit);
    }
    expect_bad_gateway(get("/bad"));
    expect_logged(row.told);
    EXPECT_EQ(weir().stop(), 0);
  }
}

TEST_F(OddApp, AHeadWithoutEndIs502) {
  // A head of 1 GiB, in one line or in many, costs no more memory than the limit, and its sender is
  // not listened to any longer.
  const std::string line(64 * 1024, 'a');
  const std::string lines = repeated("X-Some: field\r\n", 4'000);
  for (const std::string& block : {line, lines}) {
    EndlessApp app("HTTP/1.1 200 OK\r\nX: ", block, std::uint64_t{1} << 30);
    start("routes: []\nupstream: " + app.url() + "\n");
    const long before_kib = weir().figures().peak_rss_kib;
    expect_bad_gateway(get("/"));
    EXPECT_LT(weir().figures().peak_rss_kib - before_kib, is_sanitized() ? 64'000 : 4'000);
    expect_logged("limits.response_headers (128KiB)");
    EXPECT_FALSE(app.all_taken());
    EXPECT_EQ(weir().stop(), 0);
  }
}

TEST_F(OddApp, HeadsWithLinesThatEndInLfAloneAreUnderstood) {
  // The client gets such an answer in proper form, and it is stored.
  origin_.on("/lf", Reply::raw("HTTP/1.1 200 OK\nContent-Type: text/plain\nX-A: 1\n"
                               "Cache-Control: max-age=60\nContent-Length: 5\n\nhello"));
  start(kCacheAll);
  for (const bool hit : {false, true}) {
    const Response response = get("/lf");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.value("X-A"), "1");
    EXPECT_EQ(response.body, "hello");
    EXPECT_EQ(cache_status(response).hit, hit);
  }
}

TEST_F(OddApp, PaddedChunkSizesAreUnderstood) {
  // Blanks behind a size, as servers pad them whose sizes have a fixed width.
  origin_.on("/padded", Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "5   \r\nhello\r\n6 ; a = b\r\n world\r\n0   \r\n\r\n"));
  start(kCacheAll);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get("/padded").body, "hello world");
  EXPECT_EQ(origin_.hits("/padded"), 1);
}

TEST_F(OddApp, WhatHasTwoReadingsIs502AndSaysWhatToMend) {
  // What an injected line looks like, and the commonest mistake of frameworks.
  struct Row {
    std::string head;
    std::string_view told;
  };
  const Row rows[] = {
      {"HTTP/1.1 200 OK\r\nX-A: 1\nX-B: 2\r\nContent-Length: 5\r\n\r\nhello",
       "lines that end in CRLF and lines that end in LF"},
      {"HTTP/1.1 200 OK\nX-A: 1\r\nContent-Length: 5\n\nhello",
       "lines that end in CRLF and lines that end in LF"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
       "0\r\n\r\n",
       "Transfer-Encoding: chunked twice (the app's server adds it by itself"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
       "Transfer-Encoding: chunked twice (the app's server adds it by itself"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.head);
    origin_.on("/two", Reply::raw(row.head).close());
    start(kCacheAll);
    expect_bad_gateway(get("/two"));
    expect_logged(row.told);
    EXPECT_EQ(weir().stop(), 0);
  }
}

TEST_F(OddApp, ConnectionsServeAgainAfterAnswersWithoutABody) {
  // They rest for a moment, for an app may send a body all the same; then the next request of
  // whatever kind takes them.
  origin_.on("/head", Reply(200).body("x"));
  origin_.on("/204", Reply(204));
  origin_.on("/302", Reply(302).header("Location", "/204").length(0));
  origin_.on("/304", Reply(304).header("ETag", "\"a\""));
  start("routes: []\nworkers: 1\n");
  for (const char* path : {"/head", "/204", "/302", "/304"}) {
    SCOPED_TRACE(path);
    const char* method = std::string_view(path) == "/head" ? "HEAD" : "GET";
    EXPECT_TRUE(eventually([&] {
      const int before = origin_.connections();
      client().request(method, path);
      return before > 0 && origin_.connections() == before;
    }));
  }
}

}  // namespace
}  // namespace weir::test

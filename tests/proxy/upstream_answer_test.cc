#include <gtest/gtest.h>

#include "proxy/upstream/answer_reader.h"

namespace weir::upstream {
namespace {

using Event = AnswerReader::Event;

Event feed_all(AnswerReader& reader, std::initializer_list<std::string_view> lines) {
  Event event = Event::None;
  for (const std::string_view line : lines) event = reader.feed_line(line);
  return event;
}

TEST(AnswerReader, ReadsBodiesByEachFraming) {
  // Shows that body, completeness and the meaning of an early end follow the head's framing.
  struct Case {
    std::string_view field;
    std::string_view raw;
    std::string_view body;
    bool complete;
    FetchResult at_end;
  };
  const Case cases[] = {
      {"Content-Length: 5\r\n", "hello", "hello", true, FetchResult::Complete},
      {"Content-Length: 5\r\n", "hel", "hel", false, FetchResult::Broken},
      {"Content-Length: 0\r\n", "", "", true, FetchResult::Complete},
      {"Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nA: b\r\n\r\n", "hello",
       true, FetchResult::Complete},
      {"Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n", "he", false, FetchResult::Broken},
      {"Transfer-Encoding: chunked\r\n", "2  \r\nhe\r\n3 ; x = y\r\nllo\r\n0\t\r\n\r\n", "hello",
       true, FetchResult::Complete},
      {"X: y\r\n", "hello", "hello", false, FetchResult::CompleteByClose},
  };
  for (const Case& c : cases) {
    for (const std::size_t step : {std::size_t{1}, c.raw.size() + 1}) {
      AnswerReader reader;
      reader.reset(false, false);
      ASSERT_EQ(feed_all(reader, {"HTTP/1.1 200 OK\r\n", c.field, "\r\n"}), Event::Head);
      std::string body;
      for (std::size_t at = 0; at < c.raw.size(); at += step) {
        std::string_view raw = c.raw.substr(at, step);
        while (!raw.empty()) {
          std::string_view data;
          ASSERT_TRUE(reader.feed_body(raw, data)) << reader.error();
          body += data;
        }
      }
      EXPECT_EQ(body, c.body) << c.field;
      EXPECT_EQ(reader.complete(), c.complete) << c.field;
      EXPECT_EQ(reader.result_at_end(), c.at_end) << c.field;
    }
  }
}

TEST(AnswerReader, RefusesBytesBeyondTheEnd) {
  // Shows that what follows a complete answer is never taken for part of it.
  for (const std::string_view field : {"Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n"}) {
    AnswerReader reader;
    reader.reset(false, false);
    ASSERT_EQ(feed_all(reader, {"HTTP/1.1 200 OK\r\n", field, "\r\n"}), Event::Head);
    std::string_view raw = field.starts_with('C') ? "hiX" : "0\r\n\r\nX";
    std::string_view data;
    ASSERT_TRUE(reader.feed_body(raw, data));
    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(raw, "X");
    EXPECT_FALSE(reader.feed_body(raw, data));
  }
}

TEST(AnswerReader, BoundsInterimHeads) {
  // Shows that a hundred 1xx heads are relayed if they have 64 KiB together, and that one more is
  // garbage, for each answer anew.
  const std::string_view status = "HTTP/1.1 103 Early Hints\r\n";
  const std::string kilobyte = "Link: " + std::string(1024 - status.size() - 10, 'a') + "\r\n";
  struct Case {
    std::string_view field;
    int relayed;
    std::string_view error;
  };
  const Case cases[] = {
      {"Link: </a>\r\n", 100, "more than 100 interim answers (1xx)"},
      {kilobyte, 64, "more than 64KiB of interim answers (1xx)"},
  };
  AnswerReader reader;
  for (const Case& c : cases) {
    reader.reset(false, false);
    for (int i = 0; i < c.relayed; ++i) {
      ASSERT_EQ(feed_all(reader, {status, c.field, "\r\n"}), Event::Informational) << i;
      EXPECT_EQ(reader.take_head().status, 103);
    }
    EXPECT_EQ(feed_all(reader, {status, c.field, "\r\n"}), Event::Garbage);
    EXPECT_EQ(reader.error(), c.error);
  }
}

TEST(AnswerReader, NamesTheLimitOfAHead) {
  // Shows that a head may have as many bytes as allowed and not one more, however its lines come,
  // and that each head counts by itself.
  const std::string_view interim = "HTTP/1.1 102 Wait\r\n\r\n";
  const std::string start = "HTTP/1.1 200 OK\r\nX: ";
  for (const std::size_t size : {std::size_t{2048}, std::size_t{2049}}) {
    const std::string head = start + std::string(size - start.size() - 4, 'a') + "\r\n\r\n";
    for (const std::size_t step : {std::size_t{1}, std::size_t{100}, size}) {
      AnswerReader reader(2048);
      reader.reset(false, false);
      std::string_view first = interim;
      ASSERT_EQ(reader.feed_head(first), Event::Informational);
      Event event = Event::None;
      for (std::size_t at = 0; at < head.size() && event == Event::None; at += step) {
        std::string_view piece = std::string_view(head).substr(at, step);
        event = reader.feed_head(piece);
      }
      EXPECT_EQ(event, size == 2048 ? Event::Head : Event::Garbage) << step;
      EXPECT_EQ(reader.error(),
                size == 2048 ? "" : "response head: longer than limits.response_headers (2KiB)");
    }
  }
}

TEST(AnswerReader, TakesA101OnlyWhenAsked) {
  // Shows that a switch of protocols needs somebody who asked and a protocol's name.
  AnswerReader reader;
  reader.reset(false, true);
  EXPECT_EQ(feed_all(reader, {"HTTP/1.1 101 Go\r\n", "Upgrade: websocket\r\n", "\r\n"}),
            Event::Head);
  EXPECT_TRUE(reader.tunnel());
  EXPECT_FALSE(reader.complete());
  reader.reset(false, true);
  EXPECT_EQ(feed_all(reader, {"HTTP/1.1 101 Go\r\n", "Upgrade: tcp\r\n", "\r\n"}), Event::Head);
  reader.reset(false, true);
  EXPECT_EQ(feed_all(reader, {"HTTP/1.1 101 Go\r\n", "\r\n"}), Event::Garbage);
  for (const std::string_view upgrade : {"Upgrade: h2c\r\n", "Upgrade: websocket, h2c\r\n",
                                         "Upgrade: HTTP/2.0\r\n", "Upgrade:\r\n"}) {
    reader.reset(false, true);
    EXPECT_EQ(feed_all(reader, {"HTTP/1.1 101 Go\r\n", upgrade, "\r\n"}), Event::Garbage)
        << upgrade;
  }
  reader.reset(false, false);
  EXPECT_EQ(feed_all(reader, {"HTTP/1.1 101 Go\r\n", "Upgrade: websocket\r\n", "\r\n"}),
            Event::Garbage);
}

TEST(AnswerReader, TellsWhichConnectionsMayServeAgain) {
  // Shows that HTTP/1.0 and logins of connections are not kept, and which answers have no body,
  // behind which one might come all the same.
  struct Case {
    bool to_head;
    std::string_view status;
    std::string_view field;
    bool reusable;
    bool bodiless = false;
  };
  const Case cases[] = {
      {false, "HTTP/1.1 200 OK\r\n", "Content-Length: 1\r\n", true},
      {false, "HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n", true},
      {false, "HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n", true, true},
      {false, "HTTP/1.1 302 Found\r\n", "Content-Length: 0\r\n", true, true},
      {false, "HTTP/1.1 204 No Content\r\n", "ETag: \"a\"\r\n", true, true},
      {false, "HTTP/1.1 304 Not Modified\r\n", "Content-Length: 9\r\n", true, true},
      {true, "HTTP/1.1 200 OK\r\n", "Content-Length: 1\r\n", true, true},
      {true, "HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n", true, true},
      {false, "HTTP/1.1 204 No Content\r\n", "Connection: close\r\n", false, true},
      {false, "HTTP/1.0 200 OK\r\n", "Content-Length: 1\r\n", false},
      {false, "HTTP/1.1 401 No\r\n", "WWW-Authenticate: Basic realm=x, NTLM\r\n", false},
      {false, "HTTP/1.1 401 No\r\n", "WWW-Authenticate: Negotiate\r\n", false},
      {false, "HTTP/1.1 401 No\r\n", "WWW-Authenticate: Basic realm=x\r\n", true},
  };
  for (const Case& c : cases) {
    AnswerReader reader;
    reader.reset(c.to_head, false);
    ASSERT_EQ(feed_all(reader, {c.status, c.field, "\r\n"}), Event::Head) << c.field;
    EXPECT_EQ(reader.reusable(), c.reusable) << c.status << c.field;
    EXPECT_EQ(reader.bodiless(), c.bodiless) << c.status << c.field;
  }
}

}  // namespace
}  // namespace weir::upstream

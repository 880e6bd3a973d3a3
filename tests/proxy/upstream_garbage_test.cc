// Answers that break HTTP, byte for byte: each must end as Garbage, and its connection must never
// serve another request.

#include <gtest/gtest.h>

#include "tests/proxy/upstream_client.h"
#include "tests/proxy/upstream_origin.h"

namespace weir::upstream::test {
namespace {

struct Case {
  const char* name;
  std::string answer;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

std::string with_field(const std::string& lines) {
  return "HTTP/1.1 200 OK\r\n" + lines + "\r\nhello";
}

std::string with_chunks(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

std::vector<Case> heads() {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  std::string interim;
  for (int i = 0; i < 101; ++i) interim += "HTTP/1.1 102 Wait\r\n\r\n";
  return {
      {"two_lengths", with_field("Content-Length: 5\r\nContent-Length: 5\r\n")},
      {"two_different_lengths", with_field("Content-Length: 5\r\nContent-Length: 6\r\n")},
      {"length_list", with_field("Content-Length: 5, 5\r\n")},
      {"length_list_differing", with_field("Content-Length: 5, 7\r\n")},
      {"length_with_letters", with_field("Content-Length: 5abc\r\n")},
      {"length_with_plus", with_field("Content-Length: +5\r\n")},
      {"length_negative", with_field("Content-Length: -5\r\n")},
      {"length_hex", with_field("Content-Length: 0x5\r\n")},
      {"length_empty", with_field("Content-Length:\r\n")},
      {"length_overflow", with_field("Content-Length: 18446744073709551621\r\n")},
      {"length_past_63_bits", with_field("Content-Length: 9223372036854775808\r\n")},
      {"length_with_space_before_colon", with_field("Content-Length : 5\r\n")},
      {"length_and_chunked",
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"coding_with_space_before_colon", with_field("Transfer-Encoding : chunked\r\n")},
      {"coding_unknown", with_field("Transfer-Encoding: blegh\r\n")},
      {"coding_gzip", with_field("Transfer-Encoding: gzip, chunked\r\n")},
      {"coding_identity", with_field("Transfer-Encoding: identity\r\n")},
      {"coding_not_last", with_field("Transfer-Encoding: chunked, identity\r\n")},
      {"coding_twice", with_field("Transfer-Encoding: chunked, chunked\r\n")},
      {"coding_in_two_lines",
       with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {"coding_prefixed", with_field("Transfer-Encoding: xchunked\r\n")},
      {"coding_in_http_1_0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"no_colon", with_field("Nonsense\r\nContent-Length: 5\r\n")},
      {"no_name", with_field(": x\r\nContent-Length: 5\r\n")},
      {"bad_name", with_field("X[1]: x\r\nContent-Length: 5\r\n")},
      {"space_in_name", with_field("X Y: x\r\nContent-Length: 5\r\n")},
      {"folded", with_field("X: a\r\n b\r\nContent-Length: 5\r\n")},
      {"folded_first", with_field(" X: a\r\nContent-Length: 5\r\n")},
      {"bare_cr", with_field("X: a\rY: b\r\nContent-Length: 5\r\n")},
      {"bare_lf_but_one", "HTTP/1.1 200 OK\nContent-Length: 5\r\n\nhello"},
      {"bare_lf_but_the_end", "HTTP/1.1 200 OK\nContent-Length: 5\n\r\nhello"},
      {"bare_lf_at_the_end", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello"},
      {"one_bare_lf", with_field("X: a\nContent-Length: 5\r\n")},
      {"nul", with_field(std::string("X: a\0b\r\nContent-Length: 5\r\n", 27))},
      {"control_byte", with_field("X: a\x01\r\nContent-Length: 5\r\n")},
      {"version_2", "HTTP/2 200\r\nContent-Length: 5\r\n\r\nhello"},
      {"version_2_0", "HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"version_1_10", "HTTP/1.10 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"version_small", "http/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"http_0_9", "<html>hello</html>"},
      {"http_0_9_long", std::string(5000, 'x') + "\r\n\r\n"},
      {"status_short", "HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"status_long", "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"status_zero", "HTTP/1.1 000 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"leading_blank_line", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
      {"switch_unasked",
       "HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello"},
      {"too_many_interim", interim + ok("x")},
      {"head_too_long", head + "X: " + std::string(140'000, 'a') + "\r\n\r\n"},
      {"status_line_too_long", "HTTP/1.1 200 " + std::string(70'000, 'a') + "\r\n\r\n"},
      {"line_without_end", head + "X: " + std::string(300'000, 'a')},
      {"too_many_lines",
       [&] {
         std::string lines = head;
         for (int i = 0; i < 4000; ++i) lines += "X-Field: some value of some length\r\n";
         return lines + "\r\n";
       }()},
  };
}

std::vector<Case> bodies() {
  return {
      {"size_0x", with_chunks("0x5\r\nhello\r\n0\r\n\r\n")},
      {"size_plus", with_chunks("+5\r\nhello\r\n0\r\n\r\n")},
      {"size_minus", with_chunks("-5\r\nhello\r\n0\r\n\r\n")},
      {"size_letters", with_chunks("5xyz\r\nhello\r\n0\r\n\r\n")},
      {"size_space_before", with_chunks(" 5\r\nhello\r\n0\r\n\r\n")},
      {"size_empty", with_chunks("\r\nhello\r\n0\r\n\r\n")},
      {"size_overflow", with_chunks("10000000000000005\r\nhello\r\n0\r\n\r\n")},
      {"size_huge", with_chunks("ffffffffffffffff\r\nhello\r\n0\r\n\r\n")},
      {"bare_lf_after_size", with_chunks("5\nhello\r\n0\r\n\r\n")},
      {"bare_lf_after_data", with_chunks("5\r\nhello\n0\r\n\r\n")},
      {"crs_after_data", with_chunks("5\r\nhello\r\r\n0\r\n\r\n")},
      {"no_crlf_after_data", with_chunks("5\r\nhello0\r\n\r\n")},
      {"extension_with_lf", with_chunks("5;a\nb\r\nhello\r\n0\r\n\r\n")},
      {"extension_with_cr", with_chunks("5;a=\rb\r\nhello\r\n0\r\n\r\n")},
      {"extension_too_long",
       with_chunks("5;a=" + std::string(70'000, 'b') + "\r\nhello\r\n0\r\n\r\n")},
      {"bare_lf_at_end", with_chunks("5\r\nhello\r\n0\n\n")},
      {"bad_trailer", with_chunks("5\r\nhello\r\n0\r\nno colon\r\n\r\n")},
      {"bytes_after_end", with_chunks("5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")},
  };
}

class Garbage : public testing::TestWithParam<Case> {};

TEST_P(Garbage, IsRefusedAndItsConnectionDropped) {
  // Shows that the answer ends as Garbage and that the next request goes over a new connection.
  App app([](AppConnection& connection) {
    while (!connection.read_head().empty()) {
      connection.send(connection.number() == 0 ? GetParam().answer : ok("clean"));
    }
  });
  Client client(upstream_of({app.url()}));
  Recorder first;
  const FetchEnd& end = client.fetch(first, get());
  EXPECT_EQ(end.result, FetchResult::Garbage) << end.message;
  EXPECT_TRUE(end.app_sent_bytes);
  EXPECT_FALSE(end.message.empty());
  Recorder second;
  EXPECT_EQ(client.fetch(second, get()).result, FetchResult::Complete);
  EXPECT_EQ(second.body, "clean");
  EXPECT_EQ(app.connections(), 2);
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Head, Garbage, testing::ValuesIn(heads()), name_of);
INSTANTIATE_TEST_SUITE_P(Body, Garbage, testing::ValuesIn(bodies()), name_of);

TEST(GarbageByBytes, IsRefusedHoweverItArrives) {
  // Shows that chunk framing is checked just as well when each byte comes alone.
  App app([](AppConnection& connection) {
    connection.read_head();
    for (const char c : with_chunks("5\r\nhello\n0\r\n\r\n")) connection.send({&c, 1});
    connection.read_to_end();
  });
  Client client(upstream_of({app.url()}));
  Recorder recorder;
  EXPECT_EQ(client.fetch(recorder, get()).result, FetchResult::Garbage);
}

}  // namespace
}  // namespace weir::upstream::test

// Requests whose end two readers could see at two places: all are refused.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/base/http/parse_support.h"

namespace weir::http {
namespace {

using test::expect_refused;
using test::get;
using test::post;
using test::raw;
using test::Refusal;

TEST(FramingRefusals, LengthBesideTransferEncoding) {
  // A request with both framing fields is refused, in either order.
  expect_refused({
      {post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\nG", 400,
       "length-and-transfer-encoding"},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n") + "0\r\n\r\nG", 400,
       "length-and-transfer-encoding"},
      {post("Transfer-Encoding: chunked\r\nContent-Length: zz\r\n"), 400,
       "length-and-transfer-encoding"},
  });
}

TEST(FramingRefusals, HiddenContentLength) {
  // No spelling hides a length from this parser while another reader would see it.
  expect_refused({
      {post(" Content-Length: 7\r\n"), 400, "folded-line"},
      {get(" Content-Length: 7\r\nHost: a\r\n"), 400, "folded-line"},
      {get("\tContent-Length: 1\r\nHost: a\r\n"), 400, "folded-line"},
      {post("Content-Length : 7\r\n"), 400, "space-in-header-name"},
      {post("Content-Length\t: 7\r\n"), 400, "space-in-header-name"},
      {post("Foo: x\nContent-Length: 7\r\n"), 400, "bare-lf"},
      {post("Foo: x\rContent-Length: 7\r\n"), 400, "bare-cr"},
      {post("Content_Length: 7\r\n"), 400, "framing-alias"},
      {post("content_LENGTH: 7\r\n"), 400, "framing-alias"},
      {post("Content-Length:\r\n 7\r\n"), 400, "bad-content-length"},
      {post("Connection: Content-Length\r\nContent-Length: 7\r\n"), 400,
       "connection-names-protected-field"},
  });
}

TEST(FramingRefusals, RepeatedContentLength) {
  // Two lengths are refused, equal or not.
  expect_refused({
      {post("Content-Length: 0\r\nContent-Length: 31\r\n"), 400, "duplicate-content-length"},
      {post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400, "duplicate-content-length"},
      {post("Content-Length: 5\r\ncontent-length: 5\r\n"), 400, "duplicate-content-length"},
      {post("Content-Length: \r\nContent-Length: 59\r\n"), 400, "bad-content-length"},
  });
}

TEST(FramingRefusals, ContentLengthThatIsNoNumber) {
  // Only 1*DIGIT of at most 18 digits is a length.
  std::vector<Refusal> rows;
  for (const std::string& value : {raw("5, 5"),
                                   raw("5, 0"),
                                   raw("5,5"),
                                   raw("+5"),
                                   raw("-5"),
                                   raw("0x5"),
                                   raw("0_5"),
                                   raw("5.0"),
                                   raw("5e0"),
                                   raw("5Z"),
                                   raw("\"5\""),
                                   raw("\xa0"
                                       "5"),
                                   raw("5\xa0"),
                                   raw("\xef\xbc\x95"),
                                   raw(""),
                                   raw(" "),
                                   raw("5 5"),
                                   raw("18446744073709551621"),
                                   raw("9223372036854775808"),
                                   raw("1000000000000000000"),
                                   raw("0000000000000000005")}) {
    rows.push_back({post("Content-Length: " + value + "\r\n"), 400, "bad-content-length"});
  }
  rows.push_back({post("Content-Length: \x0b"
                       "5\r\n"),
                  400, "bad-header-value"});
  rows.push_back({post("Content-Length: 5\x0c\r\n"), 400, "bad-header-value"});
  expect_refused(rows);
}

TEST(FramingRefusals, TransferEncodingValues) {
  // Exactly one `chunked` is understood; ambiguous lists are 400, other codings 501.
  std::vector<Refusal> rows;
  for (const std::string& value :
       {raw("chunked, chunked"), raw("chunked, identity"), raw("chunked, gzip"), raw("\"chunked\""),
        raw("chunked;q=1"), raw(",chunked"), raw("chunked,"), raw("chunked,,"), raw(""), raw(","),
        raw("\xa0"
            "chunked"),
        raw("chunked\x85"),
        raw("\xff"
            "chunked\xff"),
        raw("chunked gzip"), raw("gzip;q=1, chunked")}) {
    rows.push_back({post("Transfer-Encoding: " + value + "\r\n"), 400, "bad-transfer-encoding"});
  }
  for (const std::string& value : {raw("identity"), raw("xchunked"), raw("chunk"), raw("blegh"),
                                   raw("gzip"), raw("gzip, chunked"), raw("chunked_")}) {
    rows.push_back({post("Transfer-Encoding: " + value + "\r\n"), 501, "unknown-transfer-coding"});
  }
  for (const std::string& value : {raw("\x0b"
                                       "chunked"),
                                   raw("chunked\x0c"), raw("chunked\0"), raw("chun\x7fked")}) {
    rows.push_back({post("Transfer-Encoding: " + value + "\r\n"), 400, "bad-header-value"});
  }
  rows.push_back({post("Transfer-Encoding: chunked\r\r\n"), 400, "bare-cr"});
  rows.push_back({post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400,
                  "duplicate-transfer-encoding"});
  rows.push_back({post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400,
                  "duplicate-transfer-encoding"});
  rows.push_back({post("Transfer-Encoding:\r\n chunked\r\n"), 400, "bad-transfer-encoding"});
  expect_refused(rows);
}

TEST(FramingRefusals, TransferEncodingNames) {
  // A name that another reader might take for Transfer-Encoding is refused.
  expect_refused({
      {post("Transfer-Encoding : chunked\r\n"), 400, "space-in-header-name"},
      {post("Transfer-Encoding\t: chunked\r\n"), 400, "space-in-header-name"},
      {post(raw("Transfer-Encoding\0: chunked\r\n")), 400, "bad-header-name"},
      {post("Transfer-Encoding\x85: chunked\r\n"), 400, "bad-header-name"},
      {post("Transfer Encoding: chunked\r\n"), 400, "space-in-header-name"},
      {post("Transfer\\Encoding: chunked\r\n"), 400, "bad-header-name"},
      {post("Transfer-\r\nEncoding: chunked\r\n"), 400, "bad-header-name"},
      {post("Transfer_Encoding: chunked\r\n"), 400, "framing-alias"},
      {post("Foo: bar\r\n Transfer-Encoding: chunked\r\n"), 400, "folded-line"},
  });
}

TEST(FramingRefusals, TransferEncodingInHttp10) {
  // HTTP/1.0 knows no transfer codings: such framing is faulty.
  expect_refused({
      {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "transfer-encoding-in-http10"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: identity\r\n\r\n", 400,
       "transfer-encoding-in-http10"},
  });
}

}  // namespace
}  // namespace weir::http

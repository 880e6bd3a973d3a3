// Feeding the parsers in pieces, and heads as text, so that two ways of reading the same bytes can
// be compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/http/h1_parser.h"

namespace weir::http::test {

// What came of parsing one request head.
struct Parsed {
  ParseStatus status = ParseStatus::NeedMore;
  ParseError error;
  std::size_t consumed = 0;
  std::string head;  // describe() of it, when Done
};

std::string describe(const RequestHead& head);
bool operator==(const Parsed& a, const Parsed& b);
std::ostream& operator<<(std::ostream& out, const Parsed& parsed);

// Feeds the prefixes of `bytes` that end at `cuts`, each at another address, then all of them,
// until the parser has an answer.
Parsed parse_request(std::string_view bytes, const std::vector<std::size_t>& cuts = {},
                     const HeadLimits& limits = {});
// A cut behind every byte.
std::vector<std::size_t> every_byte(std::string_view bytes);
// Checks that every single cut, and all at once, give what the whole gave.
void expect_same_in_pieces(std::string_view bytes, const HeadLimits& limits = {});

// A malformed request and the answer that it gets.
struct Refusal {
  std::string bytes;
  int status;
  std::string_view detail;
};
// Checks each row whole and in pieces.
void expect_refused(const std::vector<Refusal>& rows);

// A POST with a Host and these field lines, and a GET with these alone.
std::string post(std::string_view lines);
std::string get(std::string_view lines);

// The literal with its NUL bytes.
template <std::size_t N>
std::string raw(const char (&text)[N]) {
  return std::string(text, N - 1);
}

}  // namespace weir::http::test

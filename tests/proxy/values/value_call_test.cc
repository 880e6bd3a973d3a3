// What is asked of the low-level cache: read strictly, or refused with the field that is at fault.
#include "proxy/values/value_call.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::values {
namespace {

using http::Method;
using Kind = ValueCall::Kind;

TEST(ValueCallTest, ReadsWhatIsAskedFor) {
  struct Row {
    Method method;
    std::string path;
    const char* query;
    Kind kind;
    std::string name;
  };
  const Row rows[] = {
      {Method::Get, "/v1/keys/a", "", Kind::Get, "a"},
      {Method::Head, "/v1/keys/a", "", Kind::Get, "a"},
      {Method::Get, "/v1/keys/a", "lease=10s&wait=30s", Kind::GetOrLease, "a"},
      {Method::Put, "/v1/keys/a", "duration=30&backend=disk", Kind::Set, "a"},
      {Method::Post, "/v1/keys/a", "", Kind::GetOrSet, "a"},
      {Method::Delete, "/v1/keys/a", "", Kind::Clear, "a"},
      {Method::Delete, "/v1/keys/a", "lease=0123", Kind::EndLease, "a"},
      {Method::Delete, "/v1/keys/a*", "", Kind::ClearPattern, ""},
      {Method::Delete, "/v1/keys", "", Kind::ClearAll, ""},
      {Method::Get, "/v1/keys", "match=a*&limit=7", Kind::List, ""},
      // Names are bytes.
      {Method::Get, "/v1/keys/..", "", Kind::Get, ".."},
      {Method::Get, "/v1/keys/a/b//", "", Kind::Get, "a/b//"},
      {Method::Get, "/v1/keys/%2F%2f", "", Kind::Get, "//"},
      {Method::Get, "/v1/keys/%2A", "", Kind::Get, "*"},
      {Method::Get, "/v1/keys/%00%0d%0A", "", Kind::Get, std::string("\0\r\n", 3)},
      {Method::Get, "/v1/keys/%C3%A9", "", Kind::Get, "\xC3\xA9"},
      {Method::Get, "/v1/keys/a+b", "", Kind::Get, "a+b"},
      {Method::Get, "/v1/keys/%2541", "", Kind::Get, "%41"},
      {Method::Get, "/v1/keys/" + std::string(kMostNameBytes, 'k'), "", Kind::Get,
       std::string(kMostNameBytes, 'k')},
  };
  for (const Row& row : rows) {
    const auto call = read_value_call(row.method, row.path, row.query);
    ASSERT_TRUE(call) << row.path << "?" << row.query << ": " << call.error().message;
    EXPECT_EQ(call->kind, row.kind) << row.path << "?" << row.query;
    EXPECT_EQ(call->name, row.name);
  }
}

TEST(ValueCallTest, ReadsTheParameters) {
  const auto set = read_value_call(Method::Put, "/v1/keys/a", "backend=my%20disk&duration=5m");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->backend, "my disk");
  EXPECT_EQ(set->duration_s, 300);
  const auto lease = read_value_call(Method::Get, "/v1/keys/a", "lease=250ms");
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->lease_ms, 250);
  EXPECT_EQ(lease->wait_ms, 30'000);
  const auto list = read_value_call(Method::Get, "/v1/keys", "match=a+b%2A*&cursor=x%2Fy");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->limit, 100U);
  EXPECT_EQ(list->cursor, "x/y");
  EXPECT_TRUE(list->pattern.matches("a b*c"));
  EXPECT_FALSE(list->pattern.matches("a bc"));
}

TEST(ValueCallTest, RefusesWhatItDoesNotUnderstand) {
  struct Row {
    Method method;
    std::string path;
    const char* query;
    int status;
    const char* field;
  };
  const Row rows[] = {
      {Method::Get, "/v1/keys/", "", 400, "key"},
      {Method::Get, "/v1/keys/" + std::string(kMostNameBytes + 1, 'k'), "", 400, "key"},
      {Method::Get, "/v1/keys/a*", "", 400, "key"},
      {Method::Put, "/v1/keys/*", "", 400, "key"},
      {Method::Post, "/v1/keys/a*b", "", 400, "key"},
      {Method::Get, "/v1/keys/%", "", 400, "key"},
      {Method::Get, "/v1/keys/%4", "", 400, "key"},
      {Method::Get, "/v1/keys/%4g", "", 400, "key"},
      {Method::Put, "/v1/keys/a", "duration=soon", 400, "duration"},
      {Method::Put, "/v1/keys/a", "duration=", 400, "duration"},
      {Method::Put, "/v1/keys/a", "duration=-1", 400, "duration"},
      {Method::Put, "/v1/keys/a", "duration=0", 400, "duration"},
      {Method::Put, "/v1/keys/a", "duration=999ms", 400, "duration"},
      {Method::Put, "/v1/keys/a", "duration=1&duration=2", 400, "duration"},
      {Method::Put, "/v1/keys/a", "Duration=1", 400, "Duration"},
      {Method::Get, "/v1/keys/a", "duration=1", 400, "duration"},
      {Method::Get, "/v1/keys/a", "backend=%zz", 400, "backend"},
      {Method::Get, "/v1/keys/a", "wait=1s", 400, "wait"},
      {Method::Get, "/v1/keys/a", "lease=0", 400, "lease"},
      {Method::Get, "/v1/keys/a", "lease=2h", 400, "lease"},
      {Method::Get, "/v1/keys/a", "lease=1s&wait=1h", 400, "wait"},
      {Method::Delete, "/v1/keys/a*", "lease=x", 400, "lease"},
      {Method::Get, "/v1/keys", "limit=0", 400, "limit"},
      {Method::Get, "/v1/keys", "limit=1001", 400, "limit"},
      {Method::Get, "/v1/keys", "limit=7x", 400, "limit"},
      {Method::Get, "/v1/keys", "match=%", 400, "match"},
      {Method::Put, "/v1/keys", "", 405, "method"},
      {Method::Patch, "/v1/keys/a", "", 405, "method"},
  };
  for (const Row& row : rows) {
    const auto call = read_value_call(row.method, row.path, row.query);
    ASSERT_FALSE(call) << row.path << "?" << row.query;
    EXPECT_EQ(call.error().status, row.status) << row.path << "?" << row.query;
    EXPECT_EQ(call.error().field, row.field);
    EXPECT_FALSE(call.error().message.empty());
  }
}

TEST(ValuePatternTest, AStarIsAnyBytes) {
  struct Row {
    const char* pattern;
    const char* name;
    bool matches;
  };
  const Row rows[] = {
      {"user*", "user", true},     {"user*", "user:7", true},
      {"user*", "a user", false},  {"*", "", true},
      {"*", "a/b", true},          {"*:7", "user:7", true},
      {"*:7", "user:77", false},   {"a*b", "ab", true},
      {"a*b", "a", false},         {"a*a", "a", false},
      {"a*a", "aa", true},         {"a*b*c", "axbxc", true},
      {"a*b*c", "axcxb", false},   {"a**c", "abc", true},
      {"*b*", "abc", true},        {"*bb*b*", "abbb", true},
      {"*bb*bb*", "abbb", false},  {"user%2A", "user*", true},
      {"user%2A", "user7", false}, {"%2A*", "*7", true},
      {"plain", "plain", true},    {"plain", "plain2", false},
  };
  for (const Row& row : rows) {
    const auto pattern = ValuePattern::parse(row.pattern, false);
    ASSERT_TRUE(pattern) << row.pattern;
    EXPECT_EQ(pattern->matches(row.name), row.matches) << row.pattern << " " << row.name;
  }
}

TEST(ValuePatternTest, EveryByteSurvivesItsEscape) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(decode_percent(encode_percent(all), false), all);
  EXPECT_EQ(decode_percent(encode_percent(all), true), all);
}

}  // namespace
}  // namespace weir::values

// Field names, header blocks, hop-by-hop fields, and the writer.
#include "base/http/message.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/http/h1_writer.h"
#include "base/http/hop_by_hop.h"
#include "base/text.h"

namespace weir::http {
namespace {

std::string dump(const HeaderBlock& fields) {
  std::string out;
  append_fields(out, fields);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

TEST(FieldId, KnowsEveryNameInAnyCase) {
  // Each name is found by its own id, in any case, and not with a byte changed, added or missing.
  for (std::size_t i = 1; i < kFieldIdCount; ++i) {
    const auto id = static_cast<FieldId>(i);
    const std::string name(field_name(id));
    EXPECT_EQ(field_id(name), id);
    EXPECT_EQ(field_id(to_lower(name)), id);
    EXPECT_EQ(field_id(to_upper(name)), id);
    EXPECT_NE(field_id(name + "x"), id);
    EXPECT_NE(field_id(std::string_view(name).substr(1)), id);
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string other = name;
        other[at] = static_cast<char>(c);
        EXPECT_EQ(field_id(other) == id, equals_ignore_case(other, name)) << name << at << ' ' << c;
      }
    }
  }
  EXPECT_EQ(field_id(""), FieldId::Other);
  EXPECT_EQ(field_id("x"), FieldId::Other);
  EXPECT_EQ(field_name(FieldId::Other), "");
  EXPECT_EQ(field_name(FieldId::CdnCacheControl), "CDN-Cache-Control");
}

TEST(HeaderBlock, KeepsOrderAndRepetitions) {
  // What was added is found, by id and by name, in the order of adding.
  HeaderBlock fields;
  EXPECT_TRUE(fields.empty());
  fields.add("Set-Cookie", "a");
  fields.add("X-Own", "b");
  fields.add(FieldId::SetCookie, "c");
  fields.add("x-empty", "");
  EXPECT_EQ(dump(fields), "Set-Cookie: a\r\nX-Own: b\r\nSet-Cookie: c\r\nx-empty: \r\n");
  EXPECT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields.value(FieldId::SetCookie), "a");
  EXPECT_EQ(fields.joined(FieldId::SetCookie), "a, c");
  EXPECT_EQ(fields.joined(FieldId::Vary), "");
  EXPECT_EQ(fields.find("x-OWN")->value, "b");
  EXPECT_EQ(fields.find("set-cookie")->value, "a");
  EXPECT_FALSE(fields.find("x-none"));
  EXPECT_FALSE(fields.has(FieldId::Vary));
  EXPECT_EQ(fields[2].id, FieldId::SetCookie);
}

TEST(HeaderBlock, SetAndRemove) {
  // set() leaves one field at the first one's place, shorter or longer; remove() leaves none.
  HeaderBlock fields;
  fields.add("Age", "10");
  fields.add("X", "y");
  fields.add("Age", "20");
  fields.set(FieldId::Age, "7");
  EXPECT_EQ(dump(fields), "Age: 7\r\nX: y\r\n");
  fields.set(FieldId::Age, "123456");
  EXPECT_EQ(dump(fields), "Age: 123456\r\nX: y\r\n");
  fields.set(FieldId::Age, "");
  EXPECT_EQ(dump(fields), "Age: \r\nX: y\r\n");
  fields.set(FieldId::Via, "1.1 weir");
  EXPECT_EQ(dump(fields), "Age: \r\nX: y\r\nVia: 1.1 weir\r\n");
  fields.remove(FieldId::Age);
  fields.remove_if([](const FieldView& field) { return field.name == "X"; });
  EXPECT_EQ(dump(fields), "Via: 1.1 weir\r\n");
}

TEST(HeaderBlock, ValuesOfItsOwn) {
  // A block may be given views into itself, even when that makes it grow.
  HeaderBlock fields;
  fields.add("First", "some value that is longer than a small string");
  for (int i = 0; i < 40; ++i) fields.add(fields[0].name, fields[0].value);
  fields.add("Age", "1");
  fields.set(FieldId::Age, fields[0].value);
  for (std::size_t i = 0; i < 41; ++i) {
    EXPECT_EQ(fields[i].name, "First");
    EXPECT_EQ(fields[i].value, "some value that is longer than a small string");
  }
  EXPECT_EQ(fields.value(FieldId::Age), fields[0].value);
  EXPECT_GE(fields.charge(), 41U * 50);
}

TEST(HopByHop, KnownFields) {
  // What belongs to one connection, and what does not.
  for (std::string_view name :
       {"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
        "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings"}) {
    EXPECT_TRUE(is_hop_by_hop(field_id(name))) << name;
  }
  for (std::string_view name : {"Content-Length", "Via", "Cache-Control", "X-Own", "Set-Cookie"}) {
    EXPECT_FALSE(is_hop_by_hop(field_id(name))) << name;
  }
}

TEST(HopByHop, ConnectionOfARequest) {
  // Connection's options are found over several lines, without case, as whole words.
  RequestHead head;
  EXPECT_FALSE(named_by_connection(head, "X-Foo"));
  head.add({FieldId::Connection, "Connection", "close, X-Foo"});
  head.add({FieldId::Connection, "connection", " x-bar ,"});
  EXPECT_TRUE(named_by_connection(head, "x-foo"));
  EXPECT_TRUE(named_by_connection(head, "X-BAR"));
  EXPECT_FALSE(named_by_connection(head, "X-Fo"));
}

TEST(HopByHop, NoPeerMayHaveThoseDroppedByWhichAnAnswerIsChosen) {
  for (std::string_view name :
       {"Host", "content-length", "Transfer-Encoding", "Cache-Control", "Authorization", "Cookie",
        "Forwarded", "X-Forwarded-For", "x-forwarded-port", "X-Forwarded-Prefix", "x-forwarded-by",
        "X-Real-IP", "Range", "Accept"}) {
    EXPECT_TRUE(is_protected_from_connection(name)) << name;
  }
  EXPECT_FALSE(is_protected_from_connection("X-Foo"));
}

TEST(HopByHop, RemovalFromAResponse) {
  // Hop-by-hop, named and framing fields go; what restricts sharing stays though it is named.
  HeaderBlock fields;
  fields.add("Connection", "close, X-Foo, Cache-Control, vary");
  fields.add("x-foo", "1");
  fields.add("X-Food", "2");
  fields.add("Cache-Control", "private");
  fields.add("Vary", "Cookie");
  fields.add("Content-Length", "5");
  fields.add("Transfer-Encoding", "chunked");
  fields.add("Keep-Alive", "timeout=5");
  EXPECT_TRUE(named_by_connection(fields, "X-FOO"));
  EXPECT_FALSE(named_by_connection(fields, "X-Food"));
  remove_hop_by_hop(fields);
  EXPECT_EQ(dump(fields), "X-Food: 2\r\nCache-Control: private\r\nVary: Cookie\r\n");
}

TEST(Writer, Heads) {
  // Status lines, fields and chunk sizes as they go over the wire, appended.
  std::string out = "x";
  append_status_line(out, 200);
  append_status_line(out, 404, "Gone Fishing");
  append_status_line(out, 799);
  append_field(out, "A", "b");
  append_chunk_size(out, 0x1a2b);
  append_chunk_size(out, UINT64_MAX);
  EXPECT_EQ(out,
            "xHTTP/1.1 200 OK\r\nHTTP/1.1 404 Gone Fishing\r\nHTTP/1.1 799 Unknown\r\nA: b\r\n"
            "1a2b\r\nffffffffffffffff\r\n");
}

}  // namespace
}  // namespace weir::http

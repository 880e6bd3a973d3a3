#include "backends/redis/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cachekeys/key.h"
#include "tests/support/redis_server.h"

namespace weir::backends::redis {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

// As cachekeys/key_builder.cc writes one, without languages, headers and cookies.
std::string page_key(std::string_view authority, std::string_view path, std::string_view query) {
  keys::KeyBuffer out;
  out.raw() += keys::kBaseKeyVersion;
  out.raw().append(8, 'f');
  for (const std::string_view field : {std::string_view("https"), authority, path, query}) {
    out.append(field);
  }
  return out.raw();
}

std::string value_key(std::string_view name) {
  return std::string(1, keys::kValueKeyVersion).append(name);
}

TEST(RedisNames, SayWhatItIsAbout) {
  EXPECT_THAT(object_name("cache:", page_key("a.test", "/blog", "page=2")),
              MatchesRegex("cache:r:\\{[0-9a-f]{32}\\}:a.test/blog\\?page=2"));
  EXPECT_EQ(object_name("cache:", value_key("user:7")), "cache:v:user:7");
  EXPECT_EQ(object_name("", value_key("")), "v:");
  EXPECT_THAT(object_name("x", "no key that we know"), MatchesRegex("xr:\\{[0-9a-f]{32}\\}:"));
}

TEST(RedisNames, HoldNothingThatATerminalOrAPatternWouldTakeAmiss) {
  const std::string name =
      object_name("", page_key("a.test", std::string("/\x1b[31m\n\"{x}*\xc3\xa9\0", 15), ""));
  for (const char c : name.substr(name.find("}:"))) {
    EXPECT_TRUE(c > ' ' && c < 0x7f) << name;
  }
  EXPECT_EQ(name.find('*'), std::string::npos);
  EXPECT_LT(object_name("", page_key("a.test", "/" + std::string(8'000, 'p'), "")).size(), 300U);
}

TEST(RedisNames, AreDifferentForDifferentKeys) {
  std::set<std::string> names;
  const std::string long_path = "/" + std::string(1'000, 'p');
  for (const std::string& key :
       {page_key("a.test", "/b", ""), page_key("a.test", "/", "b"), page_key("a.testb", "/", ""),
        page_key("a.test", long_path + "1", ""), page_key("a.test", long_path + "2", ""),
        value_key("a"), value_key("b"), std::string("a"), std::string()}) {
    names.insert(object_name("p:", key));
    names.insert(piece_name("p:", key, 1, 0));
    names.insert(piece_name("p:", key, 1, 1));
    names.insert(piece_name("p:", key, 2, 0));
  }
  EXPECT_EQ(names.size(), 9U * 4);
}

// What Redis Cluster hashes of a name, by its specification.
std::string hash_tag(const std::string& name) {
  const std::size_t open = name.find('{');
  const std::size_t close = open == std::string::npos ? open : name.find('}', open + 1);
  if (close == std::string::npos || close == open + 1) return name;
  return name.substr(open + 1, close - open - 1);
}

TEST(RedisNames, PiecesOfABodyHaveOneHashTag) {
  for (const std::string& key :
       {page_key("a.test", "/{x}", ""), value_key("plain"), value_key(""), value_key("}"),
        value_key("{}"), value_key("{a}b"), value_key("a{b"), value_key("a}b")}) {
    const std::string tag = hash_tag(piece_name("p:", key, 7, 0));
    EXPECT_FALSE(tag.empty());
    EXPECT_LT(tag.size(), 33U) << "no whole name";
    EXPECT_EQ(hash_tag(piece_name("p:", key, 7, 12)), tag);
    EXPECT_EQ(hash_tag(piece_name("p:", key, 8, 0)), tag);
  }
  const std::string page = page_key("a.test", "/{x}", "");
  EXPECT_EQ(hash_tag(object_name("p:", page)), hash_tag(piece_name("p:", page, 7, 0)));
}

TEST(RedisNames, PatternsAreTakenLiterallyByTheServer) {
  // Another prefix that a pattern's own characters would match as well.
  const test::RedisServer server;
  test::RedisClient client = server.client();
  const std::string prefix = "a*[b]?\\^-:";
  client.must({"SET", object_name(prefix, value_key("ours")), "x"});
  client.must({"SET", object_name("a-b?\\^-:", value_key("other's")), "x"});
  client.must({"SET", object_name("axbx\\^-:", value_key("other's")), "x"});
  EXPECT_THAT(client.must({"KEYS", objects_pattern(prefix, keys::kValueKeyVersion)}).texts(),
              ElementsAre(prefix + "v:ours"));
  EXPECT_THAT(client.must({"KEYS", all_pattern(prefix)}).texts(), ElementsAre(prefix + "v:ours"));
  EXPECT_THAT(client.must({"KEYS", objects_pattern(prefix, keys::kBaseKeyVersion)}).texts(),
              ElementsAre());
}

}  // namespace
}  // namespace weir::backends::redis

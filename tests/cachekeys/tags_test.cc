// By which names a response can be purged.
#include "cachekeys/tags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace weir::keys {
namespace {

using Fields = std::vector<std::pair<const char*, const char*>>;

std::vector<std::uint64_t> hashes(const std::vector<std::string>& tags) {
  std::vector<std::uint64_t> out;
  for (const std::string& tag : tags) out.push_back(tag_hash(tag));
  std::ranges::sort(out);
  return out;
}

std::vector<std::uint64_t> tags_of(const Fields& fields,
                                   const std::vector<std::string>& of_route = {}) {
  http::HeaderBlock block;
  for (const auto& [name, value] : fields) block.add(name, value);
  return response_tags(block, "https", "a.test", of_route);
}

TEST(TagsTest, ReadsWhatAppsSay) {
  struct Row {
    Fields fields;
    std::vector<std::string> of_route;
    std::vector<std::string> tags;
  };
  const Row rows[] = {
      {{}, {}, {}},
      {{}, {"shop"}, {"shop"}},
      {{{"Cache-Tag", "a, b ,c d,,"}}, {}, {"a", "b", "c d"}},
      {{{"Surrogate-Key", "a  b\tc,d"}}, {}, {"a", "b", "c,d"}},
      {{{"xkey", "a, b c"}}, {}, {"a", "b", "c"}},
      {{{"Cache-Tag", "a"}, {"cache-tag", "b"}}, {"c"}, {"a", "b", "c"}},
      {{{"Cache-Tag", "a,a"}, {"Surrogate-Key", "a"}}, {"a"}, {"a"}},
      {{{"Surrogate-Control", "a"}}, {}, {}},
  };
  for (const Row& row : rows) EXPECT_EQ(tags_of(row.fields, row.of_route), hashes(row.tags));
}

TEST(TagsTest, AGroupIsATagAndItsOriginsOwn) {
  const auto tags = tags_of({{"Cache-Groups", R"("a", "b\"c";x=1, token)"}});
  EXPECT_EQ(tags.size(), 4U);
  for (const std::uint64_t wanted :
       {tag_hash("a"), tag_hash("b\"c"), group_hash("https", "a.test", "a"),
        group_hash("https", "A.test", "b\"c")}) {
    EXPECT_EQ(std::ranges::count(tags, wanted), 1);
  }
  EXPECT_NE(group_hash("https", "a.test", "a"), group_hash("https", "b.test", "a"));
  EXPECT_NE(group_hash("https", "a.test", "a"), group_hash("http", "a.test", "a"));
}

TEST(TagsTest, ClientsSeeGroupsAlone) {
  http::HeaderBlock block;
  for (const char* name : {"Cache-Tag", "Surrogate-Key", "xkey", "Cache-Groups", "ETag"}) {
    block.add(name, "\"a\"");
  }
  remove_tag_fields(block);
  EXPECT_EQ(block.size(), 2U);
  EXPECT_TRUE(block.has(http::FieldId::CacheGroups));
}

}  // namespace
}  // namespace weir::keys

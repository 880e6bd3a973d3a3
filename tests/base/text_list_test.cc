#include "base/text_list.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::string_view_literals;

TEST(TextListTest, GivesBackWhatWasAppended) {
  // Any bytes, empty texts too, in order; without them nothing.
  const std::vector<std::string> texts = {"a", "", std::string("\0\r\n", 3), std::string(300, 'x')};
  std::string bytes;
  for (const std::string& text : texts) TextList::append(bytes, text);
  const TextList list(bytes);
  EXPECT_TRUE(TextList::is_valid(bytes));
  EXPECT_EQ(list.to_vector(), texts);
  EXPECT_TRUE(list == texts);
  EXPECT_FALSE(list == (std::vector<std::string>{"a", ""}));
  EXPECT_FALSE(TextList() == texts);
  EXPECT_TRUE(TextList().empty());
  EXPECT_TRUE(TextList() == std::vector<std::string>{});
}

TEST(TextListTest, KnowsWhatIsNoList) {
  // Texts that are cut and lengths that do not end.
  EXPECT_TRUE(TextList::is_valid(""));
  EXPECT_TRUE(TextList::is_valid("\1a\0"sv));
  EXPECT_FALSE(TextList::is_valid("\2a"sv));
  EXPECT_FALSE(TextList::is_valid("\x80"sv));
  EXPECT_FALSE(TextList::is_valid("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"sv));
}

TEST(TextListTest, CountsComeBack) {
  for (const std::uint64_t count : {0ULL, 1ULL, 127ULL, 128ULL, 300ULL, 1ULL << 40}) {
    std::string bytes;
    append_count(bytes, count);
    std::string_view rest = bytes;
    EXPECT_EQ(take_count(rest), count);
    EXPECT_TRUE(rest.empty());
  }
}

}  // namespace
}  // namespace weir

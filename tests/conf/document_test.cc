#include "conf/document.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::conf {
namespace {

TEST(Document, KeepsPlacesAndDuplicates) {
  // Every value and key knows where it stood, and nothing that was written is lost.
  const auto root = parse_document("a: 1\nb:\n  - x\n  - {c: ~}\na: 2\n");
  ASSERT_TRUE(root);
  const DocumentNode& map = **root;
  ASSERT_EQ(map.entries.size(), 3U);
  EXPECT_EQ(map.entries[2].key, "a");
  EXPECT_EQ(map.entries[2].key_place, (Place{5, 1}));
  EXPECT_EQ(map.entries[0].value->place, (Place{1, 4}));
  const DocumentNode& list = *map.entries[1].value;
  EXPECT_EQ(list.kind, DocumentNode::Kind::List);
  EXPECT_EQ(list.items[0]->text, "x");
  EXPECT_EQ(list.items[1]->entries[0].value->kind, DocumentNode::Kind::Null);
}

TEST(Document, AliasesAndMergeKeysAreResolved) {
  // An alias is what it names; a merge key fills in only what the map lacks.
  const auto root = parse_document("a: &x {k: 1, l: 2}\nb: *x\nc: {<<: *x, l: 3}\n");
  ASSERT_TRUE(root);
  EXPECT_EQ((*root)->entries[1].value, (*root)->entries[0].value);
  const DocumentNode& merged = *(*root)->entries[2].value;
  ASSERT_EQ(merged.entries.size(), 2U);
  EXPECT_EQ(merged.entries[0].key, "l");
  EXPECT_EQ(merged.entries[0].value->text, "3");
  EXPECT_EQ(merged.entries[1].key, "k");
}

TEST(Document, NothingIsNull) {
  // Empty files and files of comments have a root of no value.
  for (const char* text : {"", "# only a comment\n", "---\n", "\n\n"}) {
    const auto root = parse_document(text);
    ASSERT_TRUE(root) << text;
    EXPECT_EQ((*root)->kind, DocumentNode::Kind::Null);
  }
}

std::string alias_bomb() {
  std::string text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string name = "a" + std::to_string(i);
    const std::string below = "*a" + std::to_string(i - 1);
    text += name + ": &" + name + " [" + below;
    for (int j = 0; j < 9; ++j) text += "," + below;
    text += "]\n";
  }
  return text;
}

TEST(Document, HostileAndBrokenTextsAreErrors) {
  // Bounds on size, depth and aliases hold, and no fault leaves as an exception.
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "- ";
  const struct {
    std::string text;
    Place place;
    const char* message;
  } rows[] = {
      {std::string(kMaxDocumentBytes + 1, '#'), {0, 0}, "larger than 1MiB: not a configuration"},
      {std::string("a\0b", 3), {1, 2}, "a NUL byte: not a text in UTF-8"},
      {std::string("a: 1\nb: \0", 9), {2, 4}, "a NUL byte: not a text in UTF-8"},
      {deep, {1, 129}, "not valid YAML: nested deeper than 64 levels"},
      {alias_bomb(), {5, 26}, "not valid YAML: more than 50000 values, aliases counted"},
      {"a: *a\n", {1, 4}, "not valid YAML: the referenced anchor is not defined"},
      {"a: &a [*a]\n", {1, 8}, "not valid YAML: an alias within what it names"},
      {"a: !thing 1\n", {1, 4}, "not valid YAML: a tag of an unknown kind"},
      {"? [a]\n: b\n", {1, 3}, "not valid YAML: a key that is not a word"},
      {"<<: 1\n", {1, 1}, "not valid YAML: \"<<\" names something that is no map"},
      {"a: 1\n---\nb: 2\n", {2, 1}, "not valid YAML: a second document in one file"},
      {"a: b: c\n", {1, 5}, "not valid YAML: illegal map value"},
  };
  for (const auto& row : rows) {
    const auto root = parse_document(row.text);
    ASSERT_FALSE(root) << row.message;
    EXPECT_EQ(root.error().message, row.message);
    EXPECT_EQ(root.error().place, row.place) << row.message;
  }
}

TEST(Document, AnyPrefixOfATextIsReadOrRefused) {
  // A file cut anywhere neither crashes nor throws.
  const std::string text =
      "a: &x {k: \"v\\n\", l: [1, 'two', >-\n folded]}\nb: |\n  text\nc: {<<: *x}\n? d\n: e\n";
  std::size_t read = 0;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    if (parse_document(text.substr(0, size))) ++read;
  }
  EXPECT_GT(read, 0U);
  EXPECT_LT(read, text.size());
}

}  // namespace
}  // namespace weir::conf

#include "conf/environment.h"

#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(Environment, ReferencesAreReplaced) {
  // Names and defaults are put in once, in any place of a value.
  const Environment environment =
      environment_of({{"HOST", "app"}, {"EMPTY", ""}, {"TRICK", "${HOST}"}});
  const struct {
    const char* text;
    const char* expanded;
  } rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"${HOST}", "app"},
      {"http://${HOST}:${PORT:-80}/", "http://app:80/"},
      {"${EMPTY}", ""},
      {"${EMPTY:-x}", "x"},
      {"${HOST:-x}", "app"},
      {"${NONE:-}", ""},
      {"${NONE:-a:-b}", "a:-b"},
      {"${TRICK}", "${HOST}"},
      {"$${HOST}", "${HOST}"},
      {"$HOST $", "$HOST $"},
      {"\\.php$", "\\.php$"},
  };
  for (const auto& row : rows) {
    const auto expanded = expand(row.text, environment);
    ASSERT_TRUE(expanded) << row.text;
    EXPECT_EQ(*expanded, row.expanded) << row.text;
  }
}

TEST(Environment, WhatCannotBeReplacedIsAnError) {
  // A variable that is missing without a default never becomes an empty text.
  const Environment environment = environment_of({});
  const struct {
    const char* text;
    const char* message;
  } rows[] = {
      {"${NONE}", "the variable NONE is not set (a default is written ${NONE:-default})"},
      {"${NONE", "\"${\" without \"}\" (write ${NAME} or ${NAME:-default}; $${ is a plain ${)"},
      {"${}",
       "\"\" is not the name of a variable (write ${NAME} or ${NAME:-default}; $${ is a plain ${)"},
      {"${1X}",
       "\"1X\" is not the name of a variable (write ${NAME} or ${NAME:-default}; $${ is a plain "
       "${)"},
      {"${A-b}",
       "\"A-b\" is not the name of a variable (write ${NAME} or ${NAME:-default}; $${ is a plain "
       "${)"},
  };
  for (const auto& row : rows) {
    const auto expanded = expand(row.text, environment);
    ASSERT_FALSE(expanded) << row.text;
    EXPECT_EQ(expanded.error().message, row.message);
  }
}

}  // namespace
}  // namespace weir::conf

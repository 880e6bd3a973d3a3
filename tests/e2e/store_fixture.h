// Asks for a path twice and says whether it was stored. For the tests of what is stored.
#pragma once

#include "tests/e2e/fixture.h"

namespace weir::test {

class Store : public E2e {
 protected:
  // Asks twice; both answers must be whole and the app's.
  std::pair<CacheStatus, CacheStatus> ask_twice(const std::string& path,
                                                const Fields& fields = {}) {
    const Response first = get(path, fields);
    const Response second = get(path, fields);
    EXPECT_TRUE(first.complete && second.complete) << path;
    EXPECT_EQ(first.body, second.body) << path;
    return {cache_status(first), cache_status(second)};
  }
  void expect_stored(const std::string& path, int ttl) {
    SCOPED_TRACE(path);
    const auto [first, second] = ask_twice(path);
    EXPECT_TRUE(first.stored) << first.text;
    EXPECT_EQ(first.detail, "") << first.text;
    ASSERT_TRUE(first.ttl) << first.text;
    EXPECT_LE(*first.ttl, ttl);
    EXPECT_GE(*first.ttl, ttl - 2);
    EXPECT_TRUE(second.hit) << second.text;
    EXPECT_EQ(origin_.hits(path), 1);
  }
  void expect_refused(const std::string& path, const std::string& detail) {
    SCOPED_TRACE(path);
    const auto [first, second] = ask_twice(path);
    EXPECT_EQ(first.detail, detail) << first.text;
    EXPECT_EQ(second.detail, detail) << second.text;
    EXPECT_FALSE(first.hit || first.stored || second.hit || second.stored) << first.text << "\n"
                                                                           << second.text;
    EXPECT_NE(first.fwd, "") << first.text;
    EXPECT_EQ(origin_.hits(path), 2);
  }
};

}  // namespace weir::test

#include <gtest/gtest.h>

#include "cachekeys/sent_request.h"

namespace weir::keys {
namespace {

TEST(RestoreQuery, PutsRemovedParametersBackOnRedirectsOfTheSameSite) {
  // A visitor's campaign survives the app's redirect, and never leaves the site.
  const struct {
    const char* location;
    const char* restored;
  } cases[] = {
      {"/en/", "/en/?utm_source=x&b=2"},
      {"/en/?a=1", "/en/?a=1&utm_source=x&b=2"},
      {"/en/?", "/en/?utm_source=x&b=2"},
      {"/en/#top", "/en/?utm_source=x&b=2#top"},
      {"/en/?a=1#top?", "/en/?a=1&utm_source=x&b=2#top?"},
      {"/en/?b=3", "/en/?b=3&utm_source=x"},
      {"/en/?utm_source=x&b=2", ""},
      {"en/", "en/?utm_source=x&b=2"},
      {"?a=1", "?a=1&utm_source=x&b=2"},
      {"http://a.test/en/", "http://a.test/en/?utm_source=x&b=2"},
      {"https://A.test:443/en/", "https://A.test:443/en/?utm_source=x&b=2"},
      {"//a.test", "//a.test?utm_source=x&b=2"},
      {"/a:b", "/a:b?utm_source=x&b=2"},
      {"http://a.test:8080/", ""},
      {"http://b.test/", ""},
      {"//b.test/", ""},
      {"http://a.test@b.test/", ""},
      // What a browser makes of a backslash differs from what the grammar makes of it.
      {"http://a.test\\@b.test/", ""},
      {"/\\b.test/", ""},
      {"http:en", ""},
      {"mailto:a.test", ""},
      {"ftp://a.test/", ""},
      {"#top", ""},
      {"", ""},
  };
  SentRequest sent;
  sent.host = "a.test";
  sent.removed_query = "utm_source=x&b=2";
  for (const auto& c : cases) {
    EXPECT_EQ(restore_query(c.location, "a.test", sent), c.restored) << c.location;
  }
  sent.removed_query.clear();
  EXPECT_EQ(restore_query("/en/", "a.test", sent), "");
}

}  // namespace
}  // namespace weir::keys

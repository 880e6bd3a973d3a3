#include "proxy/route/router.h"

#include <gtest/gtest.h>

#include "proxy/route/glob.h"
#include "proxy/route/path_reading.h"

namespace weir::route {
namespace {

struct GlobCase {
  const char* pattern;
  const char* path;
  bool matches;
};

TEST(Glob, StarsWithinAndAcrossSegments) {
  // The grammar of `match:`: `*` stops at "/", `**` does not, `/a/**` takes `/a`.
  const GlobCase cases[] = {
      {"/a", "/a", true},
      {"/a", "/a/", false},
      {"/a", "/ab", false},
      {"/a", "/", false},
      {"/**", "/", true},
      {"/**", "/a/b/c", true},
      {"/**", "*", false},
      {"**", "*", true},
      {"/blog/**", "/blog", true},
      {"/blog/**", "/blog/", true},
      {"/blog/**", "/blog/a/b", true},
      {"/blog/**", "/blogs", false},
      {"/blog/**", "/blo", false},
      {"/blog/**/**", "/blog", true},
      {"/blog/*", "/blog/a", true},
      {"/blog/*", "/blog/", true},
      {"/blog/*", "/blog", false},
      {"/blog/*", "/blog/a/b", false},
      {"/blog/*/rss", "/blog/a/rss", true},
      {"/blog/*/rss", "/blog/a/b/rss", false},
      {"/blog/*/rss", "/blog/rss", false},
      {"/blog/**/rss", "/blog/a/b/rss", true},
      {"/blog/**/rss", "/blog/rss", true},
      {"/blog/**/rss", "/blog/xrss", false},
      {"/**/feed", "/feed", true},
      {"/**/feed", "/a/feed", true},
      {"/**/feed", "/afeed", false},
      {"/*/admin/**", "/en/admin", true},
      {"/*/admin/**", "/en/admin/", true},
      {"/*/admin/**", "/en/admin/x/y", true},
      {"/*/admin/**", "/en/administrator", false},
      {"/*/admin/**", "/admin", false},
      {"/wp-content/**.php", "/wp-content/a/b.php", true},
      {"/wp-content/**.php", "/wp-content/b.php", true},
      {"/wp-content/**.php", "/wp-content/b.php7", false},
      {"**.php", "/a/b.php", true},
      {"/**/*.php", "/b.php", true},
      {"/**/*.php", "/a/b.php", true},
      {"/**/*.php", "/a/b.php/c", false},
      {"/a*c*e", "/abcde", true},
      {"/a*c*e", "/ace", true},
      {"/a*c*e", "/ab/cde", false},
      {"/a**c*e", "/ab/cde", true},
      {"/x*y", "/xy", true},
      {"/x*xy", "/xy", false},
      {"/a/**/b/*/c", "/a/x/b/y/b/z/c", true},
      {"/a/**/b/*/c", "/a/b/z/c", true},
      {"/a/**/b/*/c", "/a/b/c", false},
      {"/%7Euser/*", "/~user/x", true},
      {"/caf%c3%a9", "/caf%C3%A9", true},
      {"/a%2Ab", "/a*b", true},
      {"/a%2Ab", "/axb", false},
      {"/", "/", true},
      {"", "", true},
  };
  for (const GlobCase& c : cases) {
    EXPECT_EQ(Glob(c.pattern).match(c.path), c.matches) << c.pattern << " on " << c.path;
  }
}

TEST(Glob, LongPatternsCrossWords) {
  // States beyond one machine word, and beyond what fits on the stack, move as the first ones do.
  for (const std::size_t length : {62U, 63U, 64U, 65U, 130U, 256U, 600U}) {
    const std::string middle(length, 'x');
    const Glob glob("/*a" + middle + "b*/**");
    EXPECT_TRUE(glob.match("/aa" + middle + "bb")) << length;
    EXPECT_TRUE(glob.match("/a" + middle + "b/c")) << length;
    EXPECT_FALSE(glob.match("/a" + middle + "/b/c")) << length;
    EXPECT_FALSE(glob.match("/a" + middle.substr(1) + "b/c")) << length;
  }
}

// Takes a pattern apart the slow way, to compare with.
bool naive(std::string_view pattern, std::string_view path) {
  if (pattern == "/**" && path.empty()) return true;
  if (pattern.empty()) return path.empty();
  if (pattern.starts_with("/**/") && path.starts_with('/') && naive(pattern.substr(3), path)) {
    return true;
  }
  if (pattern.front() != '*') {
    return !path.empty() && path.front() == pattern.front() &&
           naive(pattern.substr(1), path.substr(1));
  }
  const bool across = pattern.starts_with("**");
  const std::string_view rest = pattern.substr(across ? 2 : 1);
  for (std::size_t taken = 0;; ++taken) {
    if (naive(rest, path.substr(taken))) return true;
    if (taken == path.size() || (!across && path[taken] == '/')) return false;
  }
}

TEST(Glob, AgreesWithABacktrackingMatcher) {
  // Every pattern and path over a small alphabet, up to a length.
  const auto spell = [](std::size_t number, std::string_view alphabet) {
    std::string out = "/";
    for (; number > 0; number /= alphabet.size()) out += alphabet[number % alphabet.size()];
    return out;
  };
  std::size_t compared = 0;
  for (std::size_t p = 0; p < 3 * 3 * 3 * 3 * 3 * 3; ++p) {
    const std::string pattern = spell(p, "a/*");
    // No pattern, and one that the matcher simplifies first.
    if (pattern.find("***") != std::string::npos) continue;
    if (pattern.find("/**/**") != std::string::npos) continue;
    const Glob glob(pattern);
    for (std::size_t t = 0; t < 3 * 3 * 3 * 3 * 3; ++t) {
      const std::string path = spell(t, "b/a");
      EXPECT_EQ(glob.match(path), naive(pattern, path)) << pattern << " on " << path;
      ++compared;
    }
  }
  EXPECT_GT(compared, 100'000U);
}

TEST(PathReading, PlainPathsNeedNoCare) {
  // Only what may be read in two ways costs a copy.
  for (const char* plain : {"/", "/a/b.c", "/a-b_c~d/@x:y,z=1", "*"}) {
    EXPECT_TRUE(is_plain_path(plain)) << plain;
  }
  for (const char* other : {"/%61", "//a", "/a//b", "/./a", "/a/../b", "/.x", "/a;b", "/a\\b"}) {
    EXPECT_FALSE(is_plain_path(other)) << other;
  }
}

TEST(PathReading, CanonicalAndResolved) {
  // RFC 3986 6.2.2 for the first; the second is what the most eager app would make of it.
  struct Case {
    const char* path;
    const char* canonical;
    const char* resolved;
  };
  const Case cases[] = {
      {"/%61dmin", "/admin", "/admin"},
      {"/a%2fb%3B%c3%a9%20", "/a%2Fb%3B%C3%A9%20", "/a/b%3B%C3%A9%20"},
      {"/%2525", "/%2525", "/%2525"},
      {"/%zz%4", "/%zz%4", "/%zz%4"},
      {"/a\\b", "/a%5Cb", "/a/b"},
      {"//a///b/", "//a///b/", "/a/b/"},
      {"/x/../admin", "/x/../admin", "/admin"},
      {"/x/%2e%2E/admin", "/x/../admin", "/admin"},
      {"/x/..%2fadmin", "/x/..%2Fadmin", "/admin"},
      {"/../../a/.", "/../../a/.", "/a/"},
      {"/admin;x=1/y;z", "/admin;x=1/y;z", "/admin/y"},
      {"/x/..;/admin", "/x/..;/admin", "/admin"},
      {"/admin%3fx", "/admin%3Fx", "/admin"},
      {"/admin%23/y", "/admin%23/y", "/admin"},
      {"/admin%00/y", "/admin%00/y", "/admin"},
      {"/..", "/..", "/"},
  };
  for (const Case& c : cases) {
    std::string canonical;
    append_canonical(c.path, canonical);
    EXPECT_EQ(canonical, c.canonical);
    EXPECT_EQ(resolved_reading(canonical), c.resolved) << c.path;
  }
}

conf::Route route(std::vector<conf::Matcher> alternatives, bool cached = true) {
  conf::Route out;
  out.all_of.push_back(std::move(alternatives));
  if (cached) out.cache.emplace();
  return out;
}

conf::Route path_route(std::string path, bool cached = true) {
  return route({{.path = std::move(path), .regex = {}, .host = {}, .methods = {}}}, cached);
}

int match(const Router& router, std::string_view path, std::string_view method = "GET",
          std::string_view host = "example.org") {
  return router.match(method, host, path);
}

TEST(Router, FirstMatchWins) {
  // In the order of the file; nothing is -1.
  const std::vector<conf::Route> routes = {path_route("/a/b"), path_route("/a/**"),
                                           path_route("/a/**")};
  const Router router(routes);
  EXPECT_EQ(match(router, "/a/b"), 0);
  EXPECT_EQ(match(router, "/a/c"), 1);
  EXPECT_EQ(match(router, "/b"), -1);
}

TEST(Router, AFirstRouteForEverythingTakesEveryReadingOfAPath) {
  // Only where it really is for everything: a condition on the host or the method counts.
  const std::vector<conf::Route> everything = {path_route("/**"), path_route("/admin/**", false)};
  const std::vector<conf::Route> elsewhere = {
      route({{.path = "/**", .regex = {}, .host = "other.org", .methods = {}}}),
      route({{.path = "/**", .regex = {}, .host = {}, .methods = {"POST"}}}),
      path_route("/admin/**", false), path_route("/**")};
  const Router first(everything);
  const Router last(elsewhere);
  for (const char* path : {"/", "/admin/x", "/x/../admin", "//", "/a;b", "/%41", "/x/"}) {
    EXPECT_EQ(match(first, path), 0) << path;
  }
  EXPECT_EQ(match(first, "*"), -1) << "of OPTIONS";
  EXPECT_EQ(match(last, "/a"), 3);
  EXPECT_EQ(match(last, "/x/../admin"), 2);
  EXPECT_EQ(match(last, "/a", "POST"), 1);
}

TEST(Router, MatchesHostsMethodsAndRegexes) {
  // Each given part must match; hosts without case, port and final dot; GET takes HEAD.
  const std::vector<conf::Route> routes = {
      route({{.path = {}, .regex = {}, .host = "*.example.org", .methods = {}}}),
      route({{.path = {}, .regex = "\\.php$", .host = {}, .methods = {}}}),
      route({{.path = "/only/get", .regex = {}, .host = {}, .methods = {"GET"}}}),
      route({{.path = {}, .regex = {}, .host = "[::1]", .methods = {}}}),
      route({{.path = "/either", .regex = {}, .host = {}, .methods = {}},
             {.path = "/or", .regex = {}, .host = {}, .methods = {}}}),
  };
  const Router router(routes);
  EXPECT_EQ(match(router, "/", "GET", "A.Example.ORG"), 0);
  EXPECT_EQ(match(router, "/", "GET", "a.example.org.:8080"), 0);
  EXPECT_EQ(match(router, "/", "GET", "example.org"), -1);
  EXPECT_EQ(match(router, "/x.php"), 1);
  EXPECT_EQ(match(router, "/x.%70hp"), 1);
  EXPECT_EQ(match(router, "/x.php/y"), -1);
  EXPECT_EQ(match(router, "/only/get"), 2);
  EXPECT_EQ(match(router, "/only/get", "HEAD"), 2);
  EXPECT_EQ(match(router, "/only/get", "POST"), -1);
  EXPECT_EQ(match(router, "/", "GET", "[::1]:80"), 3);
  EXPECT_EQ(match(router, "/", "GET", "[::1]"), 3);
  EXPECT_EQ(match(router, "/or"), 4);
}

TEST(Router, EveryGroupMustMatch) {
  // A module's child lies within its module; a route without groups takes all.
  conf::Route child = path_route("/shop/**");
  child.all_of.push_back({{.path = "/**/cart", .regex = {}, .host = {}, .methods = {}}});
  const std::vector<conf::Route> routes = {child, path_route("/shop/**"), conf::Route{}};
  const Router router(routes);
  EXPECT_EQ(match(router, "/shop/x/cart"), 0);
  EXPECT_EQ(match(router, "/shop/x"), 1);
  EXPECT_EQ(match(router, "/x/cart"), 2);
}

TEST(Router, NoSpellingDodgesAnUncachedRoute) {
  // Whatever an app may take for /admin is not cached under the rule of everything else.
  const std::vector<conf::Route> routes = {path_route("/public/**"), path_route("/admin/**", false),
                                           path_route("/login", false), path_route("/**")};
  const Router router(routes);
  for (const char* path : {"/admin",           "/admin/",
                           "/admin/x",         "/%61dmin",
                           "/%61%64min/x",     "//admin",
                           "/./admin",         "/x/../admin",
                           "/x/%2e%2e/admin",  "/x/..%2Fadmin",
                           "/x%2f..%2fadmin",  "/admin%2fx",
                           "/admin;x",         "/admin;x/y",
                           "/x/..;/admin",     "/\\admin",
                           "/%5cadmin",        "/admin%00",
                           "/admin%3Fx",       "/admin%23",
                           "/public/../admin", "/public/..%2fadmin",
                           "/admin/../x"}) {
    EXPECT_EQ(match(router, path), 1) << path;
  }
  for (const char* path : {"/login", "/login/", "//login", "/login%2f", "/login;a=b"}) {
    EXPECT_EQ(match(router, path), 2) << path;
  }
  EXPECT_EQ(match(router, "/public/x%2Fy"), 0);
  EXPECT_EQ(match(router, "/public/../x"), 0) << "both readings cached: the earlier route";
  EXPECT_EQ(match(router, "/x%20y;z"), 3);
}

TEST(Router, NoSpellingEntersACachedRoute) {
  // A path that only one reading puts on a cached route is passed through.
  const std::vector<conf::Route> routes = {path_route("/static/**")};
  const Router router(routes);
  EXPECT_EQ(match(router, "/static/a%20b.css"), 0);
  EXPECT_EQ(match(router, "/static/.well/x"), 0);
  EXPECT_EQ(match(router, "/static/../account"), -1);
  EXPECT_EQ(match(router, "/static/..%2faccount"), -1);
  EXPECT_EQ(match(router, "/account/%2e%2e/static/x"), -1);
}

TEST(Router, ASlashAtTheEndFallsUnderEarlierUncachedRoutesOnly) {
  // /blog/ is the list of a cached blog, not a way around a later rule.
  const std::vector<conf::Route> routes = {path_route("/blog/*"), path_route("/blog", false),
                                           path_route("/**")};
  const Router router(routes);
  EXPECT_EQ(match(router, "/blog/"), 0);
  EXPECT_EQ(match(router, "/blog"), 1);
}

}  // namespace
}  // namespace weir::route

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

TEST(LoadWarnings, ServersThatAppsShare) {
  // Only where keys lack what tells two apps apart, and once for many routes alike.
  const LoadResult result = load(R"(upstream: http://a
backends:
  ram: { type: ram }
  shared: { type: redis }
  own: { type: redis, prefix: "shop:" }
default: [ram, shared]
routes:
  - { match: /a, cache: { hostname: false } }
  - { match: /b, cache: { hostname: false } }
  - { match: /c, cache: true }
  - { match: /d, cache: { hostname: false, backend: own } }
  - { match: /e, cache: { hostname: false, backend: ram } }
  - { match: /f, cache: { coalesce: fleet } }
  - { match: /g, cache: { coalesce: fleet, backend: ram } }
)");
  EXPECT_EQ(warnings_of(result),
            "weir.yaml:8:5: routes[0]: hostname is false, and backend shared has the usual prefix "
            "\"cache:\": another app on that server with both would share its pages (give each app "
            "a prefix of its own)\n"
            "weir.yaml:14:5: routes[6]: coalesce is fleet, and none of ram is a Redis backend: "
            "instances do not hear of each other, and it is as instance\n");
}

TEST(LoadWarnings, RoutesThatNeverMatch) {
  // Only where an earlier route certainly takes everything, with both places.
  const LoadResult result = load(R"(upstream: http://a
routes:
  - {name: blog, match: /blog/**, cache: true}
  - {match: /blog, cache: false}
  - {match: [/blog/a, /blog/b/*]}
  - {match: [/blog/a, /news]}
  - {match: {path: /blog/x, method: GET}}
  - match: /shop/**
    routes:
      - {match: /blog/cart}
      - {match: /**}
  - {name: get, match: {path: /api/**, method: GET}}
  - {match: /api/v1}
  - {match: {path: /api/v2, method: [GET]}}
  - {match: /**}
  - {match: {host: example.org}}
  - {match: {regex: x}}
)");
  EXPECT_EQ(warnings_of(result),
            "weir.yaml:4:5: routes[1]: can never match: routes[0] (\"blog\", line 3) comes first "
            "and takes all of it\n"
            "weir.yaml:5:5: routes[2]: can never match: routes[0] (\"blog\", line 3) comes first "
            "and takes all of it\n"
            "weir.yaml:7:5: routes[4]: can never match: routes[0] (\"blog\", line 3) comes first "
            "and takes all of it\n"
            "weir.yaml:8:5: routes[5]: can never match: routes[5].routes[1] (\"/**\", line 11) "
            "comes first and takes all of it\n"
            "weir.yaml:10:9: routes[5].routes[0]: can never match: it lies outside its module's "
            "\"/shop/**\"\n"
            "weir.yaml:14:5: routes[8]: can never match: routes[6] (\"get\", line 12) comes first "
            "and takes all of it\n");
}

TEST(LoadWarnings, ChildrenAreJudgedWithinTheirModule) {
  // What a child takes is no more than its module's share.
  const LoadResult result = load(R"(upstream: http://a
routes:
  - match: {host: a.example.org}
    routes: [{match: /x}]
  - {match: /x}
  - match: {host: "*.example.org"}
    routes: [{match: /x}, {match: /y}]
)");
  EXPECT_EQ(
      warnings_of(result),
      "weir.yaml:7:14: routes[2].routes[0]: can never match: routes[1] (\"/x\", line 5) comes "
      "first and takes all of it\n");
}

TEST(LoadWarnings, DangerousRules) {
  // What is allowed but seldom meant is said at start.
  const LoadResult result = load(R"(upstream: http://a
routes:
  - match: /**
    cache: {headers: [Cookie, authorization], set_cookie: store}
)");
  EXPECT_EQ(warnings_of(result),
            "weir.yaml:4:22: routes[0].cache.headers: with Cookie in the key nearly every visitor "
            "has a copy of their own; name the cookies that matter in \"cookies:\"\n"
            "weir.yaml:4:22: routes[0].cache.headers: with Authorization in the key each user's "
            "answers are stored under that user's credentials; make sure that the app never "
            "answers one user with another's\n"
            "weir.yaml:4:59: routes[0].cache.set_cookie: dangerous: a stored Set-Cookie gives one "
            "visitor's cookie to all others\n");
}

struct Stripping {
  const char* match;
  const char* cache;
  const char* word;  // in the only warning; empty: there is none
};

TEST(LoadWarnings, StrippedCookiesThatVisitorsNeed) {
  // A session that is stripped logs nobody in, and a form without its token's cookie is refused; of
  // what has neither, nothing is said.
  const Stripping cases[] = {
      {"/**", "set_cookie: {strip: [sid]}, cookies: {session: [sid]}", "\"sid\" is a session"},
      {"/**", "set_cookie: {strip: [\"_*_session\"]}, cookies: {session: [\"_app*\"]}",
       "\"_app*\" is a session"},
      {"/**", "set_cookie: {strip: [\"a*c\"]}, cookies: {session: [\"*b\"]}", ""},
      {"/static/**", "set_cookie: strip, cookies: {session: [sid]}", "is a session"},
      {"/**", "set_cookie: strip", "strips every cookie: the forms"},
      {"/blog/**", "set_cookie: {strip: [csrftoken]}", "strips \"csrftoken\": the forms"},
      {"/blog/**", "set_cookie: {strip: [XSRF-TOKEN]}", "the forms"},
      {"/blog/**", "set_cookie: {strip: [\"*\"]}", "the forms"},
      {"/blog/**", "set_cookie: {strip: [\"connect.*\"]}", "the forms"},
      {"/blog/**", "set_cookie: {strip: [PHPSESSID]}", "the forms"},
      {"/a/*.php", "set_cookie: strip", "the forms"},
      {"{regex: ^/a}", "set_cookie: strip", "the forms"},
      {"/blog/**", "set_cookie: {strip: [seen_banner, ab_test]}", ""},
      {"/blog/**", "set_cookie: refuse, cookies: {session: [sid]}", ""},
      {"/**.css", "set_cookie: strip", ""},
      {"[/img/**, /x/favicon.ico]", "set_cookie: strip", ""},
      {"[/img/**, /x]", "set_cookie: strip", "the forms"},
      {"{regex: '\\.(css|js)$'}", "set_cookie: strip", ""},
  };
  for (const Stripping& c : cases) {
    const std::string yaml = std::string("upstream: http://a\nroutes:\n  - match: ") + c.match +
                             "\n    cache: {" + c.cache + "}\n";
    const std::string said = warnings_of(load(yaml));
    if (*c.word == '\0') {
      EXPECT_EQ(said, "") << yaml;
    } else {
      EXPECT_EQ(std::ranges::count(said, '\n'), 1) << yaml << said;
      EXPECT_TRUE(said.contains(c.word)) << yaml << said;
      EXPECT_TRUE(said.starts_with("weir.yaml:3:5: routes[0]: set_cookie strips ")) << said;
    }
  }
}

TEST(LoadWarnings, StrippingByDefaultIsSaidOnce) {
  // A hundred routes that inherit one rule make one warning; a route with another rule its own.
  const std::string said = warnings_of(load(R"(upstream: http://a
defaults: {set_cookie: strip}
routes:
  - {match: /a/**, cache: true}
  - {match: /b/**, cache: true}
  - {match: /c/**, cache: {cookies: {session: [sid]}}}
  - {match: /d/**, cache: false}
)"));
  EXPECT_EQ(std::ranges::count(said, '\n'), 2) << said;
  EXPECT_TRUE(said.contains("weir.yaml:4:5: routes[0]: set_cookie strips every cookie: the forms"));
  EXPECT_TRUE(said.contains("weir.yaml:6:5: routes[2]: set_cookie strips every cookie, and"));
}

TEST(LoadWarnings, KeysWithoutEffectYet) {
  // What a later version will act on is taken, checked, and said to do nothing, once a key.
  const std::string text = R"(upstream: http://a
admin: 127.0.0.1:9000
admin_token: secret
admin_hosts: [weir.internal]
purge_allow: [loopback]
defaults: {tags: [site]}
routes:
  - {match: /a, cache: {tags: [x]}}
  - {match: /b, cache: {tags: [y]}}
)";
  EXPECT_EQ(warnings_of(load(text)), "");
}

TEST(LoadWarnings, Placeholders) {
  // The spelling of many frameworks' routers is a plain path here.
  EXPECT_EQ(warnings_of(load(std::string(kUpstream) + "routes:\n"
                                                      "  - {match: '/posts/:id'}\n"
                                                      "  - {match: {path: '/u/:user/p/:page'}}\n"
                                                      "  - {match: [/a:b, '/x/:', '/:/y']}\n")),
            "weir.yaml:3:13: routes[0].match: `:id` is taken literally; `*` is any one segment, "
            "and a regular expression stands under `regex:`\n"
            "weir.yaml:4:20: routes[1].match.path: `:user` is taken literally; `*` is any one "
            "segment, and a regular expression stands under `regex:`\n"
            "weir.yaml:4:20: routes[1].match.path: `:page` is taken literally; `*` is any one "
            "segment, and a regular expression stands under `regex:`\n");
  for (const char* segment : {"<int:id>", "<id>", "$id", "(.*)", ".*", "a.+", "posts(.:format)"}) {
    const std::string yaml =
        std::string(kUpstream) + "routes:\n  - {match: '/posts/" + segment + "', cache: true}\n";
    EXPECT_TRUE(warnings_of(load(yaml)).contains("`" + std::string(segment) + "` is taken"))
        << segment;
  }
  for (const char* path : {"/a.b", "/a$b", "/a<b", "/$"}) {
    const std::string yaml =
        std::string(kUpstream) + "routes:\n  - {match: '" + path + "', cache: true}\n";
    EXPECT_EQ(warnings_of(load(yaml)), "") << path;
  }
}

TEST(LoadWarnings, AListOfStatusesWithout200) {
  const auto warned = [](const std::string& statuses) {
    return warnings_of(load(std::string(kUpstream) +
                            "routes:\n  - {match: /a, cache: {statuses: " + statuses + "}}\n"));
  };
  EXPECT_EQ(warned("[404]"),
            "weir.yaml:3:35: routes[0].cache.statuses: a list is the whole list: no 200 is stored "
            "(a map such as {404: 10s} adds to 200)\n");
  EXPECT_EQ(warned("[200, 404]"), "");
  EXPECT_EQ(warned("{404: 10s}"), "");
}

TEST(LoadWarnings, ADurationOfNothing) {
  const auto warned = [](const std::string& cache) {
    return warnings_of(
        load(std::string(kUpstream) + "routes:\n  - {match: /a, cache: {" + cache + "}}\n"));
  };
  EXPECT_EQ(warned("duration: 0"),
            "weir.yaml:3:35: routes[0].cache.duration: what it lets in is to be validated at every "
            "use, which is not in this version: nothing is stored but what the app itself marks as "
            "fresh\n");
  EXPECT_EQ(warned("duration: 0, stale_if_error: 60"), "");
  EXPECT_EQ(warned("duration: 1"), "");
}

TEST(LoadWarnings, NothingIsCached) {
  // A file without routes does nothing but pass through, which is said.
  EXPECT_EQ(warnings_of(load(kUpstream)),
            "weir.yaml: routes: none: every request is passed through, nothing is cached\n");
}

TEST(LoadWarnings, MoreMemoryThanThereIs) {
  // The budgets are added up and held against what the process may use.
  const Resources small = {1, 512 * kMiB, 512 * kMiB};
  const std::string text = std::string(kUpstream) +
                           "routes: [{match: /**}]\n"
                           "default: a\n"
                           "backends: {a: {type: ram, max_size: 256MiB}, b: {type: ram, max_size: "
                           "256MiB}}\n";
  EXPECT_EQ(
      warnings_of(load(text, {}, {}, small)),
      "weir.yaml: the RAM backends and limits.fill_memory may take 640MiB together, but there "
      "is 512MiB of memory\n");
  EXPECT_EQ(warnings_of(load(text)), "");
}

}  // namespace
}  // namespace weir::conf

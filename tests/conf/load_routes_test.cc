#include <gtest/gtest.h>

#include "tests/conf/load_support.h"

namespace weir::conf {
namespace {

std::shared_ptr<const Config> load_routes(const std::string& text) {
  const LoadResult result = load(std::string(kUpstream) + text);
  EXPECT_TRUE(result.config) << errors_of(result);
  return result.config;
}

TEST(LoadRoutes, MatchHasThreeForms) {
  // A pattern, a map, or a list of both.
  const auto config = load_routes(R"(
routes:
  - match: /blog/**
  - match: { path: /api/*, host: "*.Example.org", method: GET, regex: "x+" }
  - match: ["**", { methods: [GET, HEAD] }]
)");
  ASSERT_TRUE(config);
  ASSERT_EQ(config->routes.size(), 3U);
  EXPECT_EQ(config->routes[0].name, "/blog/**");
  EXPECT_EQ(config->routes[0].source.line, 4);
  EXPECT_EQ(config->routes[0].source.column, 5);
  EXPECT_EQ(config->routes[0].source.file, "weir.yaml");
  EXPECT_FALSE(config->routes[0].cache);
  const Matcher& map = config->routes[1].all_of[0][0];
  EXPECT_EQ(map.path, "/api/*");
  EXPECT_EQ(map.host, "*.example.org");
  EXPECT_EQ(map.regex, "x+");
  EXPECT_EQ(map.methods, std::vector<std::string>{"GET"});
  ASSERT_EQ(config->routes[2].all_of[0].size(), 2U);
  EXPECT_EQ(config->routes[2].all_of[0][1].methods, (std::vector<std::string>{"GET", "HEAD"}));
}

TEST(LoadRoutes, ChildrenStandBeforeTheirModule) {
  // Modules of any depth become a flat list in matching order, outer conditions first.
  const auto config = load_routes(R"(
routes:
  - name: shop
    match: /shop/**
    routes:
      - name: sale
        match: /shop/sale/**
        routes: [{name: today, match: /shop/sale/today}]
      - {name: cart, match: /shop/cart}
  - {name: rest, match: /**}
)");
  ASSERT_TRUE(config);
  std::vector<std::string> names;
  for (const Route& route : config->routes) names.push_back(route.name);
  EXPECT_EQ(names, (std::vector<std::string>{"today", "sale", "cart", "shop", "rest"}));
  const auto& today = config->routes[0].all_of;
  ASSERT_EQ(today.size(), 3U);
  EXPECT_EQ(today[0][0].path, "/shop/**");
  EXPECT_EQ(today[1][0].path, "/shop/sale/**");
  EXPECT_EQ(today[2][0].path, "/shop/sale/today");
  EXPECT_EQ(config->routes[3].all_of.size(), 1U);
}

// "name=seconds", "name=default" or "name=off" for each route.
std::string durations(const Config& config) {
  std::string out;
  for (const Route& route : config.routes) {
    out += route.name + "=";
    if (!route.cache) {
      out += "off ";
    } else if (route.cache->duration.kind == Duration::Kind::Seconds) {
      out += std::to_string(route.cache->duration.seconds) + " ";
    } else {
      out += "default ";
    }
  }
  return out;
}

TEST(LoadRoutes, InheritanceOfCache) {
  // Built-in, defaults, parent, child: each adds to the one before; false switches off, true on.
  const auto config = load_routes(R"(
defaults: { duration: 10, tags: [site] }
routes:
  - {name: silent, match: /s}
  - {name: on, match: /on, cache: true}
  - name: module
    match: /m/**
    cache: { duration: 20 }
    routes:
      - {name: m1, match: /m/1}
      - {name: m2, match: /m/2, cache: true}
      - {name: m3, match: /m/3, cache: {duration: 30}}
      - name: m4
        match: /m/4/**
        cache: false
        routes:
          - {name: m41, match: /m/4/1}
          - {name: m42, match: /m/4/2, cache: true}
          - {name: m43, match: /m/4/3, cache: {tags: [x]}}
  - name: plain
    match: /p/**
    routes:
      - {name: p1, match: /p/1}
      - {name: p2, match: /p/2, cache: true}
)");
  ASSERT_TRUE(config);
  EXPECT_EQ(durations(*config),
            "silent=off on=10 m1=20 m2=20 m3=30 m41=off m42=20 m43=20 m4=off module=20 p1=off "
            "p2=10 plain=off ");
  EXPECT_EQ(config->routes[4].cache->tags, std::vector<std::string>{"site"});
  EXPECT_EQ(config->routes[7].cache->tags, std::vector<std::string>{"x"});
}

TEST(LoadRoutes, TiersAreInherited) {
  // `default:`, then `defaults: {backend}`, then the route's own.
  const auto config = load_routes(R"(
backends: {a: {type: ram}, b: {type: ram}, c: {type: ram}}
default: [a, b]
routes:
  - {match: /1, cache: true}
  - {match: /2, cache: {backend: c}}
  - {match: /3/**, cache: {backend: [b, c]}, routes: [{match: /3/x, cache: {duration: 1}}]}
)");
  ASSERT_TRUE(config);
  using Names = std::vector<std::string>;
  EXPECT_EQ(config->routes[0].cache->tiers, (Names{"a", "b"}));
  EXPECT_EQ(config->routes[1].cache->tiers, Names{"c"});
  EXPECT_EQ(config->routes[2].cache->tiers, (Names{"b", "c"}));
}

TEST(LoadRoutes, AliasesAndTheEnvironmentWork) {
  // Shared blocks and variables do what they do elsewhere in YAML.
  const LoadResult result = load(R"(
upstream: http://${APP}:8000
routes:
  - {match: "/${PREFIX:-blog}/**", cache: &page {duration: "${TTL}", cookies: ignore}}
  - {match: /shop/**, cache: {<<: *page, duration: 7}}
  - {match: /news/**, cache: *page}
)",
                                 {}, {{"APP", "10.0.0.9"}, {"TTL", "5m"}});
  ASSERT_TRUE(result.config) << errors_of(result);
  EXPECT_EQ(result.config->upstream.urls[0].host, "10.0.0.9");
  EXPECT_EQ(durations(*result.config), "/blog/**=300 /shop/**=7 /news/**=300 ");
  EXPECT_EQ(result.config->routes[1].cache->cookies.other, CookieRule::Other::Ignore);
}

}  // namespace
}  // namespace weir::conf

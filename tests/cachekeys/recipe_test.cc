#include "cachekeys/recipe.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

TEST(Recipe, SortsHeadersAndLeavesOutTheBuiltInOnes) {
  // What is always in the key is not named twice; Cookie and Host become their own rules.
  const Recipe recipe = recipe_of(
      {.hostname = false, .headers = {"X-Tenant", "RSC", "Accept", "x-tenant", "Cookie", "Host"}});
  EXPECT_EQ(recipe.headers, (std::vector<std::string>{"accept", "x-tenant"}));
  EXPECT_EQ(recipe.header_ids,
            (std::vector<http::FieldId>{http::FieldId::Accept, http::FieldId::Other}));
  EXPECT_EQ(recipe.cookies.key, (std::vector<std::string>{"*"}));
  EXPECT_TRUE(recipe.hostname);
  EXPECT_TRUE(recipe.keys(http::FieldId::Accept));
  EXPECT_FALSE(recipe.keys(http::FieldId::Origin));
}

TEST(Recipe, FingerprintsEveryKeyPartAndNoDuration) {
  // Any change of what the key holds is another fingerprint; durations and the like are not.
  using Mutation = std::function<void(conf::CacheRule&)>;
  const Mutation key_parts[] = {
      [](auto& r) { r.query_params.mode = conf::QueryRule::Mode::None; },
      [](auto& r) { r.query_params = {conf::QueryRule::Mode::Only, {"a"}, {}, false}; },
      [](auto& r) { r.query_params.ignore = {"a"}; },
      [](auto& r) { r.query_params.keep_tracking = true; },
      [](auto& r) { r.language = {conf::LanguageRule::Mode::None, {}}; },
      [](auto& r) { r.language = {conf::LanguageRule::Mode::List, {"en", "it"}}; },
      [](auto& r) { r.language = {conf::LanguageRule::Mode::List, {"it", "en"}}; },
      [](auto& r) { r.hostname = false; },
      [](auto& r) { r.headers = {"a"}; },
      [](auto& r) { r.headers = {"a", "b"}; },
      [](auto& r) { r.headers = {"ab"}; },
      [](auto& r) { r.cookies.key = {"a"}; },
      [](auto& r) { r.cookies.session = {"a"}; },
      [](auto& r) { r.cookies.ignore = {"a"}; },
      [](auto& r) { r.cookies.other = conf::CookieRule::Other::Ignore; },
      [](auto& r) { r.sealed = true; },
  };
  std::set<std::uint64_t> seen{compile_recipe({}, "h").fingerprint};
  for (const Mutation& mutate : key_parts) {
    conf::CacheRule rule;
    mutate(rule);
    EXPECT_TRUE(seen.insert(compile_recipe(rule, "h").fingerprint).second) << seen.size();
  }
  const Mutation others[] = {
      [](auto& r) { r.duration = {conf::Duration::Kind::Seconds, 7}; },
      [](auto& r) { r.tags = {"a"}; },
      [](auto& r) { r.tiers = {"disk"}; },
      [](auto& r) { r.stale_if_error_s = 9; },
      [](auto& r) { r.headers = {"RSC"}; },
  };
  for (const Mutation& mutate : others) {
    conf::CacheRule rule;
    mutate(rule);
    EXPECT_EQ(compile_recipe(rule, "h").fingerprint, compile_recipe({}, "h").fingerprint);
  }
}

TEST(Recipe, FingerprintsTheFixedHostOnlyWhereItIsSent) {
  // Another fixed Host is another app's answer; where the client's Host is sent it means nothing.
  conf::CacheRule shared;
  shared.hostname = false;
  EXPECT_NE(compile_recipe(shared, "a").fingerprint, compile_recipe(shared, "b").fingerprint);
  EXPECT_EQ(compile_recipe({}, "a").fingerprint, compile_recipe({}, "b").fingerprint);
}

TEST(Recipe, KnowsCredentialsUnlessTheyAreKeyed) {
  // Built-in and listed fields count as Authorization, keyed ones do not.
  const Recipe recipe = recipe_of(
      {.headers = {"X-Auth-Tenant", "X-Api-Key"}, .credentials = {"X-Shop-*", "Referer"}});
  const struct {
    const char* line;
    Personal personal;
  } cases[] = {
      {"Authorization: Bearer x", Personal::Credential},
      {"authorization:", Personal::Credential},
      {"X-Auth-Token: x", Personal::Credential},
      {"x-access-token: x", Personal::Credential},
      {"X-Forwarded-User: x", Personal::Credential},
      {"X-Remote-User: x", Personal::Credential},
      {"X-Amzn-Oidc-Data: x", Personal::Credential},
      {"X-SSL-Client-Verify: x", Personal::Credential},
      {"X-Shop-Customer: x", Personal::Credential},
      {"Referer: /", Personal::Credential},
      {"X-Auth-Tenant: x", Personal::No},
      {"X-Api-Key: x", Personal::No},
      {"Proxy-Authorization: Basic x", Personal::No},
      {"X-Authority: x", Personal::No},
      {"User-Agent: x", Personal::No},
  };
  for (const auto& c : cases) {
    const TestRequest request(get("/", c.line));
    EXPECT_EQ(verdict_of(request, recipe).personal, c.personal) << c.line;
  }
  const TestRequest keyed(get("/", "X-Api-Key: x"));
  EXPECT_EQ(verdict_of(keyed, recipe_of({})).subject, "X-Api-Key");
  const Recipe authorized = recipe_of({.headers = {"Authorization"}});
  const TestRequest with_authorization(get("/", "Authorization: x"));
  EXPECT_EQ(verdict_of(with_authorization, authorized).personal, Personal::No);
}

}  // namespace
}  // namespace weir::keys

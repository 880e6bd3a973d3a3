#include "cachekeys/credentials.h"

#include <gtest/gtest.h>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

constexpr const char* kCredentialNames[] = {
    "Authorization",
    "X-Session-Id",
    "X-Vault-Token",
    "PRIVATE-TOKEN",
    "apikey",
    "api_key",
    "X-Redmine-API-Key",
    "X-Hasura-Admin-Secret",
    "X-Parse-Session-Token",
    "X-Api-Key",
    "Ocp-Apim-Subscription-Key",
    "x-functions-key",
    "X-Auth-Token",
    "X-Auth-Request-User",
    "X-Access-Token",
    "access_token",
    "Auth-Token",
    "X-JWT-Assertion",
    "jwt",
    "X-My-Password",
    "X-Credential-Identifier",
    "CF-Access-Client-Secret",
    "Cf-Access-Jwt-Assertion",
    "X-Goog-IAP-JWT-Assertion",
    "X-Goog-Authenticated-User-Email",
    "X-Amz-Security-Token",
    "Sec-Session-Response",
    "DPoP",
    "X-Forwarded-User",
    "X-Forwarded-Access-Token",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Endpoint-API-UserInfo",
    "X-Apigateway-Api-Userinfo",
    "X-OIDC-CLAIM-sub",
    "eppn",
    "X-Remote-User",
    "Remote-User",
    "Remote-Groups",
    "Tailscale-User-Login",
    "X-WebAuth-User",
    "X-WEBAUTH-EMAIL",
    "X-Amzn-Oidc-Data",
    "X-SSL-Client-Verify",
    "SSL-Client-Cert",
    "Client-Cert",
    "X-MS-Client-Principal-Id",
    "X-MS-CLIENT-PRINCIPAL",
    "X-MS-Token-AAD-Id-Token",
    "X-Authentik-Username",
    "X-Pomerium-Claim-Email",
    "X-Consumer-Username",
    "X-Authenticated-Userid",
    "X-User-Id",
    "X-UserInfo",
    "Signature",
    "X-Auth",
    "X-Authorization",
    "X-Emby-Authorization",
    "X-Serverless-Authorization",
    "X-Forwarded-Authorization",
    "X-Access-Key",
    "X-Appwrite-Key",
    "X-Parse-Master-Key",
};
// What browsers, proxies and tracers send, and what only looks like one of the others.
constexpr const char* kOtherNames[] = {
    "Proxy-Authorization",
    "User-Agent",
    "Referer",
    "Origin",
    "Accept",
    "X-Authority",
    "Sec-Fetch-Site",
    "Sec-Fetch-Dest",
    "Sec-CH-UA-Platform",
    "Sec-GPC",
    "Sec-WebSocket-Key",
    "Idempotency-Key",
    "Upgrade-Insecure-Requests",
    "DNT",
    "Priority",
    "Save-Data",
    "Purpose",
    "X-Real-IP",
    "X-Request-Id",
    "X-Forwarded-Proto",
    "X-Forwarded-Uses",
    "X-User-Agent",
    "X-Users",
    "X-Requested-With",
    "Traceparent",
    "Tracestate",
    "Baggage",
    "Sentry-Trace",
    "X-B3-TraceId",
    "X-Amzn-Trace-Id",
    "CF-Ray",
    "CF-Connecting-IP",
    "CDN-Loop",
    "True-Client-IP",
    "X-Press",
    "X-Compress",
    "X-Task",
    "Tok-en",
    "X-Jw",
    "X-Across",
    "Remote-Addr",
    "Keep-Alive",
    "X",
    "",
};
constexpr const char* kForgeryTokens[] = {
    "X-CSRF-Token", "X-XSRF-TOKEN", "x-csrftoken",
    "CSRF-Token",   "XSRF-Token",   "RequestVerificationToken",
};

TEST(Credentials, AreKnownByNameAndByTheWordsInIt) {
  // In any case, and '_' as good as '-' within a word.
  for (const char* name : kCredentialNames) EXPECT_TRUE(is_known_credential(name)) << name;
  for (const char* name : kOtherNames) EXPECT_FALSE(is_known_credential(name)) << name;
}

TEST(Credentials, EachMakesARequestPersonalAndReachesTheApp) {
  // Whatever letter it begins with: the scan of every request's fields passes none over.
  const Recipe recipe = recipe_of({});
  for (const char* name : kCredentialNames) {
    const TestRequest request(get("/", std::string(name) + ": a1"));
    const KeyVerdict verdict = verdict_of(request, recipe);
    EXPECT_EQ(verdict.personal, Personal::Credential) << name;
    EXPECT_EQ(verdict.subject, name);
    const SentRequest sent = personal_request(request.head, recipe, {.authority = "a.test"});
    EXPECT_EQ(sent_field(sent, name), "a1");
  }
  for (const char* name : kOtherNames) {
    if (*name == '\0') continue;
    const TestRequest request(get("/", std::string(name) + ": a1"));
    EXPECT_EQ(verdict_of(request, recipe).personal, Personal::No) << name;
  }
}

TEST(Credentials, TokensAgainstForgeryAreNone) {
  // They make no request personal, and what may be shared is made without them; a visitor's own
  // request keeps them.
  const Recipe recipe = recipe_of({});
  for (const char* name : kForgeryTokens) {
    EXPECT_TRUE(is_forgery_token(name)) << name;
    const std::string text = get("/", std::string(name) + ": t");
    const TestRequest request(text);
    EXPECT_EQ(verdict_of(request, recipe).personal, Personal::No) << name;
    EXPECT_EQ(key_of(text, recipe), key_of(get("/"), recipe)) << name;
    EXPECT_EQ(sent_field(shared_of(text, recipe), name), "(absent)");
    EXPECT_EQ(sent_field(personal_request(request.head, recipe, {.authority = "a.test"}), name),
              "t");
  }
  for (const char* name : {"X-Token", "X-CSRF", "csrf", "Token"}) {
    EXPECT_FALSE(is_forgery_token(name)) << name;
  }
}

TEST(Credentials, ARuleMayKeyThemOrAddSome) {
  // A keyed field reaches the app on a shared request; one that is listed is a credential.
  const std::string text = get("/", "X-CSRF-Token: t\nX-Session-Id: s");
  const TestRequest request(text);
  const Recipe keyed = recipe_of({.headers = {"X-CSRF-Token", "X-Session-Id"}});
  EXPECT_EQ(verdict_of(request, keyed).personal, Personal::No);
  EXPECT_EQ(sent_field(shared_of(text, keyed), "x-csrf-token"), "t");
  EXPECT_NE(key_of(text, keyed), key_of(get("/", "X-CSRF-Token: u\nX-Session-Id: s"), keyed));
  const Recipe browsers = recipe_of({.credentials = {"Sec-Visitor"}});
  EXPECT_EQ(verdict_of(TestRequest(get("/", "Sec-Visitor: t")), browsers).personal,
            Personal::Credential);
  const Recipe listed = recipe_of({.credentials = {"X-CSRF-*"}});
  EXPECT_EQ(verdict_of(TestRequest(get("/", "X-CSRF-Token: t")), listed).personal,
            Personal::Credential);
}

}  // namespace
}  // namespace weir::keys

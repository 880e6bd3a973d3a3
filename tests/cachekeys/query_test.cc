#include "cachekeys/query.h"

#include <gtest/gtest.h>

#include "cachekeys/normalize.h"

namespace weir::keys {
namespace {

using Mode = conf::QueryRule::Mode;

std::string key_query(std::string_view query, const conf::QueryRule& rule = {}) {
  std::string out;
  append_key_query(query, rule, out);
  return out;
}

struct Sent {
  std::string kept;
  std::string removed;
};
Sent sent_query(std::string_view query, const conf::QueryRule& rule = {}) {
  Sent sent;
  append_sent_query(query, rule, sent.kept, sent.removed);
  return sent;
}

TEST(KeyQuery, SortsByNameAndKeepsTheOrderOfEqualNames) {
  // The key does not depend on the order of different names, and does on that of equal ones.
  const struct {
    const char* query;
    const char* key;
  } cases[] = {
      {"", ""},
      {"a", "a"},
      {"a=", "a="},
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&a=1", "a=2&a=1"},
      {"b=1&a=2&b=0&a=1", "a=2&a=1&b=1&b=0"},
      {"&&a=1&", "a=1"},
      {"=1&a=2", "=1&a=2"},
      {"a=1=2", "a=1=2"},
      {"a;b=1", "a;b=1"},
      {"a?b=1", "a?b=1"},
  };
  for (const auto& c : cases) EXPECT_EQ(key_query(c.query), c.key) << c.query;
}

TEST(KeyQuery, DecodesOnlyEscapesOfUnreservedCharacters) {
  // Spellings that every recipient must treat alike share a key; no others do.
  const struct {
    const char* query;
    const char* key;
  } cases[] = {
      {"%61=%7e", "a=~"},           {"a=%26b=1", "a=%26b=1"}, {"a=%2526", "a=%2526"},
      {"a=%2561", "a=%2561"},       {"a=%2B+", "a=%2B+"},     {"a=%%361", "a=%%361"},
      {"a=%6%31", "a=%6%31"},       {"a=%6", "a=%6"},         {"a=%", "a=%"},
      {"a=%zz&b=%31", "a=%zz&b=1"}, {"a=%2f", "a=%2f"},       {"a=%C3%A9", "a=%C3%A9"},
  };
  for (const auto& c : cases) EXPECT_EQ(key_query(c.query), c.key) << c.query;
}

TEST(KeyQuery, KeepsTheOrderOfNamesThatSomeFrameworkTakesForOne) {
  // Where an app may read two spellings as one name, swapping them is another request.
  const char* pairs[][2] = {
      {"a[]=1&a%5B%5D=2", "a%5B%5D=2&a[]=1"}, {"a=1&A=2", "A=2&a=1"},
      {"a.b=1&a_b=2", "a_b=2&a.b=1"},         {"a[0]=1&a[]=2", "a[]=2&a[0]=1"},
      {"a+b=1&a%20b=2", "a%20b=2&a+b=1"},     {"+a=1&a=2", "a=2&+a=1"},
  };
  for (const auto& pair : pairs) EXPECT_NE(key_query(pair[0]), key_query(pair[1])) << pair[0];
  EXPECT_EQ(compare_families("a[x]=1", "A=2"), 0);
  EXPECT_LT(compare_families("a=1", "b=1"), 0);
  EXPECT_GT(compare_families("ab", "a"), 0);
}

TEST(QueryRule, DecidesWhatIsKeyedAndWhatIsSent) {
  // Each form of `query_params` keeps the same parameters for the key and for the app.
  const conf::QueryRule all;
  const conf::QueryRule none{Mode::None, {}, {}, false};
  const conf::QueryRule only{Mode::Only, {"page", "f[*]"}, {}, false};
  const conf::QueryRule ignore{Mode::All, {}, {"x", "y_*"}, false};
  const conf::QueryRule keep{Mode::All, {}, {}, true};
  const struct {
    const conf::QueryRule& rule;
    const char* query;
    const char* key;
    const char* kept;
    const char* removed;
  } cases[] = {
      {all, "b=2&utm_source=x&a=1&fbclid=y", "a=1&b=2", "b=2&a=1", "utm_source=x&fbclid=y"},
      {all, "%75tm_source=x&a=1", "a=1", "a=1", "%75tm_source=x"},
      {all, "utm_source", "", "", "utm_source"},
      {all, "a&&b", "a&b", "a&b", ""},
      {none, "a=1&b=2", "", "", "a=1&b=2"},
      {only, "page=2&x=1&f%5Bc%5D=3", "f%5Bc%5D=3&page=2", "page=2&f%5Bc%5D=3", "x=1"},
      {only, "%70age=2", "page=2", "%70age=2", ""},
      {only, "page=2;utm_source=x", "page=2;utm_source=x", "page=2;utm_source=x", ""},
      {only, "Page=2", "", "", "Page=2"},
      {ignore, "x=1&y_z=2&y=3&gclid=4", "y=3", "y=3", "x=1&y_z=2&gclid=4"},
      {keep, "utm_source=x&a=1", "a=1&utm_source=x", "utm_source=x&a=1", ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(key_query(c.query, c.rule), c.key) << c.query;
    EXPECT_EQ(sent_query(c.query, c.rule).kept, c.kept) << c.query;
    EXPECT_EQ(sent_query(c.query, c.rule).removed, c.removed) << c.query;
  }
}

TEST(QueryRule, LeavesASignedUrlAlone) {
  // A signature covers the URL's exact bytes, so no rule may touch them.
  const conf::QueryRule none{Mode::None, {}, {}, false};
  const char* queries[] = {
      "b=2&utm_source=x&signature=1&a=%7e",
      "sig=1&&b",
      "a=1&hmac",
      "X-Amz-Signature=1&b=1",
      "x-goog-date=1&a=1",
      "%73ig=1&a=1",
      "Signature=1&Policy=2",
  };
  for (const char* query : queries) {
    EXPECT_EQ(key_query(query, none), query);
    EXPECT_EQ(sent_query(query, none).kept, query);
    EXPECT_EQ(sent_query(query, none).removed, "");
  }
  EXPECT_EQ(key_query("signatures=1&design=2", none), "");
}

TEST(Query, KnowsWhatIsUsedOnce) {
  // Log-ins that come back and mailed links, in every spelling; not what is asked for at will.
  for (const char* query : {
           "code=1&state=2",
           "state=2&x=1&code=1",
           "error=access_denied&state=2",
           "token=1",
           "a=1&TOKEN=",
           "ticket=ST-1",
           "otp=123456",
           "SAMLResponse=x",
           "samlresponse=x",
           "SAMLRequest=x",
           "SAMLart=x",
           "confirmation_token=1",
           "confirmationToken=1",
           "reset-password-token=1",
           "reset_password_token=1",
           "invitation_token=1",
           "unlock_token=1",
           "oauth_token=1&oauth_verifier=2",
           "oobCode=1",
           "id_token=1",
           "magic_token",
           "one_time_token=1",
           "_wpnonce=1",
           "openid.response_nonce=1",
           "__clerk_ticket=1",
           "%74oken=1",
           "verification_token=1",
           "token_hash=1",
       }) {
    EXPECT_TRUE(is_used_once(query)) << query;
  }
  for (const char* query : {
           "",
           "code=SUMMER24",
           "state=ca",
           "error=1",
           "codes=1&state=2",
           "page_token=1",
           "pageToken=1",
           "continuation_token=1",
           "next_token=1",
           "tokens=1",
           "tickets=1",
           "q=token",
           "t=1&oken=2",
           "resetpasswordtokenresetpasswordtoken=1",
           "=token",
           "x=code&y=state",
       }) {
    EXPECT_FALSE(is_used_once(query)) << query;
  }
}

}  // namespace
}  // namespace weir::keys

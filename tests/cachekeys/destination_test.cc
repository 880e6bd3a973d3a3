#include "cachekeys/destination.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

using conf::TrustedField;
using conf::TrustedFields;

constexpr TrustedFields kDefault{TrustedField::For, TrustedField::Proto};
constexpr TrustedFields kHost{TrustedField::Proto, TrustedField::Host};
constexpr TrustedFields kForwarded{TrustedField::Proto, TrustedField::Host,
                                   TrustedField::Forwarded};

std::string repeated(std::size_t bytes) {
  return std::string(bytes, 'x');
}

TEST(Destination, TakesTheSchemeOfAListsFirstElement) {
  // http, https and a WebSocket's two; whatever else is said counts as nothing said.
  const std::pair<std::string, const char*> rows[] = {
      {"X-Forwarded-Proto: https", "https"},
      {"X-Forwarded-Proto: HTTPS", "https"},
      {"X-Forwarded-Proto: wss", "https"},
      {"X-Forwarded-Proto: ws", "http"},
      {"X-Forwarded-Proto: http", "http"},
      {"X-Forwarded-Proto: https, https", "https"},
      {"X-Forwarded-Proto: https,http", "https"},
      {"X-Forwarded-Proto: http, https", "http"},
      {"X-Forwarded-Proto: wss , http", "https"},
      {"X-Forwarded-Proto: https\nX-Forwarded-Proto: http", "https"},
      {"X-Forwarded-Proto: http\nX-Forwarded-Proto: https", "http"},
      {"X-Forwarded-Proto: , ,https", "https"},
      {"X-Forwarded-Proto:\nX-Forwarded-Proto: https", "https"},
      {"X-Forwarded-Proto: ,", "http"},
      {"X-Forwarded-Proto:", "http"},
      {"X-Forwarded-Proto: ftp", "http"},
      {"X-Forwarded-Proto: ftp, https", "http"},
      {"X-Forwarded-Proto: \"https\"", "http"},
      {"X-Forwarded-Proto: https\"x", "http"},
      {"X-Forwarded-Proto: https:", "http"},
      {"X-Forwarded-Proto: httpss", "http"},
      {"X-Forwarded-Proto: " + repeated(8192), "http"},
      {"X-Forwarded-Proto: https," + repeated(8192), "https"},
      {"Forwarded: proto=https", "http"},
      {"", "http"},
  };
  for (const auto& [lines, scheme] : rows) {
    const TestRequest request(get("/", lines));
    EXPECT_EQ(destination_of(request.head, kDefault).scheme, scheme) << lines;
    EXPECT_EQ(destination_of(request.head, {}).scheme, "http") << lines;
  }
}

TEST(Destination, TakesTheHostOfAListsFirstElement) {
  // What is no host is said to be none; nothing said leaves the request's own.
  const struct {
    std::string lines;
    std::string authority;
    bool is_host;
  } rows[] = {
      {"X-Forwarded-Host: b.test", "b.test", true},
      {"X-Forwarded-Host: b.test:8443", "b.test:8443", true},
      {"X-Forwarded-Host: b.test, c.test", "b.test", true},
      {"X-Forwarded-Host: b.test\nX-Forwarded-Host: c.test", "b.test", true},
      {"X-Forwarded-Host: , b.test", "b.test", true},
      {"X-Forwarded-Host: 192.0.2.1:80", "192.0.2.1:80", true},
      {"X-Forwarded-Host: [2001:db8::1]", "[2001:db8::1]", true},
      {"X-Forwarded-Host: [2001:db8::1]:8443, b.test", "[2001:db8::1]:8443", true},
      {"X-Forwarded-Host:", "a.test", true},
      {"X-Forwarded-Host: ,,", "a.test", true},
      {"X-Forwarded-Host: " + repeated(253) + ":65535", repeated(253) + ":65535", true},
      {"X-Forwarded-Host: \"b.test\"", "", false},
      {"X-Forwarded-Host: \"b.test, c.test", "", false},
      {"X-Forwarded-Host: b.test/x", "", false},
      {"X-Forwarded-Host: http://b.test", "", false},
      {"X-Forwarded-Host: me@b.test", "", false},
      {"X-Forwarded-Host: b.test:", "", false},
      {"X-Forwarded-Host: b.test:x", "", false},
      {"X-Forwarded-Host: b.test:65536", "", false},
      {"X-Forwarded-Host: b.test?x", "", false},
      {"X-Forwarded-Host: b test", "", false},
      {"X-Forwarded-Host: 2001:db8::1", "", false},
      {"X-Forwarded-Host: [2001:db8::1", "", false},
      {"X-Forwarded-Host: [b.test]", "", false},
      {"X-Forwarded-Host: \xff", "", false},
      {"X-Forwarded-Host: " + repeated(8192), "", false},
      {"X-Forwarded-Host: b.test, " + repeated(8192), "b.test", true},
  };
  for (const auto& row : rows) {
    const TestRequest request(get("/", row.lines));
    const Destination told = destination_of(request.head, kHost);
    EXPECT_EQ(told.is_host, row.is_host) << row.lines;
    if (row.is_host) {
      EXPECT_EQ(told.authority, row.authority) << row.lines;
    }
    const Destination unheard = destination_of(request.head, kDefault);
    EXPECT_EQ(unheard.authority, "a.test") << row.lines;
    EXPECT_TRUE(unheard.is_host) << row.lines;
    EXPECT_FALSE(unheard.is_told) << row.lines;
  }
}

TEST(Destination, TakesFromForwardedWhatTheOtherFieldsDoNotSay) {
  // Of its first element; a field of which nothing can be taken says nothing.
  const struct {
    std::string lines;
    std::string scheme;
    std::string authority;
    bool is_host;
  } rows[] = {
      {"Forwarded: for=1.2.3.4;host=b.test;proto=https", "https", "b.test", true},
      {"Forwarded: Proto=\"wss\" ; HOST=\"b.test:8443\"", "https", "b.test:8443", true},
      {"Forwarded: for=x, host=c.test;proto=https", "http", "a.test", true},
      {"Forwarded: host=b.test, host=c.test", "http", "b.test", true},
      {"Forwarded: ,host=b.test", "http", "b.test", true},
      {"Forwarded: for=\"x;host=c.test\";host=b.test", "http", "b.test", true},
      {"Forwarded: host=\"[2001:db8::1]:80\"", "http", "[2001:db8::1]:80", true},
      {"Forwarded: host=;proto=", "http", "a.test", true},
      {"Forwarded: host", "http", "a.test", true},
      {"Forwarded: proto=ftp", "http", "a.test", true},
      {"Forwarded: host=\"b.test", "", "", false},
      {"Forwarded: host=b.test/x", "", "", false},
      {"Forwarded: " + repeated(8192), "http", "a.test", true},
      {"Forwarded: host=" + repeated(8192), "", "", false},
      {"Forwarded: host=b.test;proto=http\nX-Forwarded-Host: c.test\nX-Forwarded-Proto: https",
       "https", "c.test", true},
      {"Forwarded: host=b.test;proto=https\nX-Forwarded-Host: ,\nX-Forwarded-Proto: ftp", "https",
       "b.test", true},
  };
  for (const auto& row : rows) {
    const TestRequest request(get("/", row.lines));
    const Destination told = destination_of(request.head, kForwarded);
    EXPECT_EQ(told.is_host, row.is_host) << row.lines;
    if (!row.is_host) continue;
    EXPECT_EQ(told.scheme, row.scheme) << row.lines;
    EXPECT_EQ(told.authority, row.authority) << row.lines;
  }
}

TEST(Destination, LetsPortAndPrefixPassWhereTheyAreBelieved) {
  const TestRequest request(get("/", "X-Forwarded-Port: 8443\nX-Forwarded-Prefix: /x"));
  using http::FieldId;
  const auto passes = [&](const TrustedFields& believed, FieldId id) {
    return destination_of(request.head, believed).passes(id);
  };
  EXPECT_TRUE(passes({TrustedField::Port}, FieldId::XForwardedPort));
  EXPECT_FALSE(passes({TrustedField::Port}, FieldId::XForwardedPrefix));
  EXPECT_TRUE(passes({TrustedField::Prefix}, FieldId::XForwardedPrefix));
  EXPECT_FALSE(passes(kForwarded, FieldId::XForwardedPort));
  EXPECT_FALSE(passes({TrustedField::Port, TrustedField::Prefix}, FieldId::Accept));
}

// What is told is in the key, whatever of it the app is sent.

std::string key_told(std::string_view lines, const Recipe& recipe,
                     const TrustedFields& believed = {TrustedField::Proto, TrustedField::Host,
                                                      TrustedField::Port, TrustedField::Prefix}) {
  const TestRequest request(get("/p", lines));
  KeyBuffer key;
  build_key(request.head, recipe, destination_of(request.head, believed), key);
  return std::string(key.view().bytes);
}

TEST(Destination, IsInTheKey) {
  // No two of these may share an answer: the app is told different things.
  const std::string requests[] = {
      "",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: b.test",
      "X-Forwarded-Host: a.test:8080",
      "X-Forwarded-Port: 443",
      "X-Forwarded-Port:",
      "X-Forwarded-Port: 443\nX-Forwarded-Port: 443",
      "X-Forwarded-Prefix: 443",
      "X-Forwarded-Prefix: /x",
      "X-Forwarded-Prefix: /x, /y",
      "X-Forwarded-Prefix: /x\nX-Forwarded-Prefix: /y",
      "X-Forwarded-Port: 443\nX-Forwarded-Prefix: /x",
  };
  std::set<std::string> keys;
  for (const std::string& lines : requests) keys.insert(key_told(lines, recipe_of({})));
  EXPECT_EQ(keys.size(), std::size(requests));
}

TEST(Destination, IsInTheKeyBesideTheHostThatDiffers) {
  // One host told, two Hosts sent: the app sees both, and so both are in the key. Spellings of one
  // host are one.
  const Recipe recipe = recipe_of({});
  const auto key = [&](std::string_view host, std::string_view told) {
    const TestRequest request("GET / HTTP/1.1\nHost: " + std::string(host) +
                              "\nX-Forwarded-Host: " + std::string(told));
    KeyBuffer out;
    build_key(request.head, recipe, destination_of(request.head, kHost), out);
    return std::string(out.view().bytes);
  };
  EXPECT_NE(key("one.internal", "a.test"), key("two.internal", "a.test"));
  EXPECT_NE(key("one.internal", "a.test"), key("a.test", "a.test"));
  EXPECT_EQ(key("one.internal", "A.test:80"), key("ONE.internal:80", "a.test"));
  EXPECT_EQ(key("a.test", "A.TEST:80"), key_of("GET / HTTP/1.1\nHost: a.test", recipe));
}

TEST(Destination, WithoutHostnameInTheKeyIsToldToNobody) {
  // Any Host shares: what a proxy says of it is neither in the key nor sent.
  const Recipe recipe = recipe_of({.hostname = false});
  EXPECT_EQ(key_told("X-Forwarded-Host: b.test", recipe), key_told("", recipe));
  const TestRequest request(get("/", "X-Forwarded-Host: b.test"));
  const SentRequest sent =
      shared_request(request.head, recipe, destination_of(request.head, kHost));
  EXPECT_EQ(sent.host, "fixed.test");
  EXPECT_EQ(sent.told_host, "fixed.test");
}

TEST(Destination, SaysTheSameAsARoutesOwnKeyedHeaderOnce) {
  // `headers: [X-Forwarded-Prefix]` keys it for everybody: two lines of a stranger's are not one
  // of a trusted proxy's.
  const Recipe recipe = recipe_of({.headers = {"X-Forwarded-Prefix"}});
  const std::string one = "X-Forwarded-Prefix: /x";
  EXPECT_EQ(key_told(one, recipe), key_told(one, recipe, {}));
  EXPECT_NE(key_told(one, recipe), key_told(one + "\n" + one, recipe, {}));
}

TEST(Destination, SendsPortAndPrefixInEveryFormAlike) {
  // Believed they travel as they came, whatever the form; else in none.
  const std::string lines =
      "X-Forwarded-Port: 8443\nX-Forwarded-Prefix: /x\n"
      "X-Forwarded-Prefix: /y";
  const TestRequest request(get("/", lines));
  const Recipe sealed = recipe_of({.sealed = true});
  for (const bool believed : {true, false}) {
    const Destination destination = destination_of(
        request.head,
        believed ? TrustedFields{TrustedField::Port, TrustedField::Prefix} : kDefault);
    for (const SentRequest& sent : {shared_request(request.head, recipe_of({}), destination),
                                    personal_request(request.head, recipe_of({}), destination),
                                    shared_request(request.head, sealed, destination),
                                    verbatim_request(request.head, destination, true),
                                    verbatim_request(request.head, destination, false)}) {
      EXPECT_EQ(sent_field(sent, "x-forwarded-port"), believed ? "8443" : "(absent)");
      EXPECT_EQ(sent_field(sent, "x-forwarded-prefix"), believed ? "/x | /y" : "(absent)");
    }
  }
}

}  // namespace
}  // namespace weir::keys

// What a trusted proxy says of its visitor: which of it is believed, on every route and for every
// method alike, and that the key holds what the app is told.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kTwoRoutes =
    "routes:\n"
    "  - { name: cached, match: /cached/**, cache: { duration: 60 } }\n"
    "  - { name: sealed, match: /sealed/**, cache: { duration: 60, sealed: true } }\n";
constexpr std::string_view kBelieved =
    "trusted_fields: [for, proto, host, port, prefix, forwarded]\n";

const char* const kPaths[] = {"/cached/a", "/sealed/a", "/pass/a"};
const char* const kMethods[] = {"GET", "HEAD", "POST", "OPTIONS"};

class Trust : public E2e {
 protected:
  void SetUp() override {
    origin_.otherwise([](const Request& request) {
      std::string told;
      for (const char* name : {"Host", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix",
                               "X-Forwarded-Proto"}) {
        told += request.fields.joined(name) + "|";
      }
      return cacheable(told);
    });
  }
  // What the app got of it, its answer being no hit.
  Request sent(const char* method, const std::string& path, const Fields& fields) {
    const int before = origin_.hits(path);
    client().request(method, path, fields);
    EXPECT_EQ(origin_.hits(path), before + 1) << method << " " << path;
    return origin_.last(path);
  }
  std::size_t told_lines() {
    const std::string log = weir().log_text();
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = log.find(" of the trusted proxy ", at)) != log.npos; ++at)
      ++lines;
    return lines;
  }

  const Fields everything_ = {{"X-Forwarded-Host", "shop.test, inner.test"},
                              {"X-Forwarded-Port", "8443"},
                              {"X-Forwarded-Prefix", "/shop"},
                              {"X_Forwarded_Host", "evil.test"},
                              {"X_Forwarded_Prefix", "/evil"}};
};

TEST_F(Trust, IsByDefaultForAddressAndSchemeAlone) {
  // Whatever else there is is replaced or removed: load balancers hand a visitor's own through.
  start(kTwoRoutes);
  Fields fields = everything_;
  fields.add("Forwarded", "for=6.6.6.6;host=shop.test;proto=https");
  int n = 0;
  for (const char* path : kPaths) {
    for (const char* method : kMethods) {
      const Request got = sent(method, path + std::to_string(n++), fields);
      EXPECT_EQ(got.fields.joined("X-Forwarded-Host"), "app.test") << method << path;
      EXPECT_EQ(got.fields.joined("X-Forwarded-Proto"), "http") << method << path;
      EXPECT_EQ(got.fields.joined("Forwarded"), "for=127.0.0.1;host=app.test;proto=http");
      for (const char* name :
           {"X-Forwarded-Port", "X-Forwarded-Prefix", "X_Forwarded_Host", "X_Forwarded_Prefix"}) {
        EXPECT_FALSE(got.fields.has(name)) << name << " " << method << path;
      }
    }
  }
}

TEST_F(Trust, ReachesTheAppWhereTrustedFieldsNamesIt) {
  start(std::string(kTwoRoutes) + std::string(kBelieved));
  int n = 0;
  for (const char* path : kPaths) {
    for (const char* method : kMethods) {
      const Request got = sent(method, path + std::to_string(n++), everything_);
      EXPECT_EQ(got.fields.joined("Host"), "app.test") << method << path;
      EXPECT_EQ(got.fields.joined("X-Forwarded-Host"), "shop.test") << method << path;
      EXPECT_EQ(got.fields.joined("X-Forwarded-Port"), "8443") << method << path;
      EXPECT_EQ(got.fields.joined("X-Forwarded-Prefix"), "/shop") << method << path;
      EXPECT_THAT(got.fields.joined("Forwarded"), HasSubstr("host=shop.test")) << method << path;
      EXPECT_FALSE(got.fields.has("X_Forwarded_Host")) << method << path;
    }
  }
  EXPECT_EQ(told_lines(), 0U);
}

TEST_F(Trust, IsNeverForAStranger) {
  start(std::string(kTwoRoutes) + std::string(kBelieved) + "trusted_proxies: []\n");
  int n = 0;
  for (const char* path : kPaths) {
    for (const char* method : kMethods) {
      Fields fields = everything_;
      fields.add("Forwarded", "host=shop.test;proto=https");
      const Request got = sent(method, path + std::to_string(n++), fields);
      EXPECT_EQ(got.fields.joined("X-Forwarded-Host"), "app.test") << method << path;
      EXPECT_FALSE(got.fields.has("X-Forwarded-Port")) << method << path;
      EXPECT_FALSE(got.fields.has("X-Forwarded-Prefix")) << method << path;
      EXPECT_THAT(got.fields.joined("Forwarded"), Not(HasSubstr("shop.test"))) << method << path;
    }
  }
  EXPECT_EQ(told_lines(), 0U) << "strangers are not told about";
}

TEST_F(Trust, IsInTheKeyWithWhatTheAppIsTold) {
  // Each of these the app answers differently: each has a key of its own and is a hit after that.
  start(std::string(kTwoRoutes) + std::string(kBelieved));
  const Fields requests[] = {
      {},
      {{"X-Forwarded-Host", "shop.test"}},
      {{"Host", "other.internal"}, {"X-Forwarded-Host", "shop.test"}},
      {{"X-Forwarded-Host", "[2001:db8::1]:8443"}},
      {{"X-Forwarded-Port", "443"}},
      {{"X-Forwarded-Port", "444"}},
      {{"X-Forwarded-Prefix", "/shop"}},
      {{"X-Forwarded-Prefix", "443"}},
      {{"Forwarded", "host=blog.test"}},
      {{"Forwarded", "proto=wss"}},
  };
  for (const char* path : {"/cached/a", "/sealed/a"}) {
    std::vector<std::string> bodies;
    for (const Fields& fields : requests) {
      const Response first = get(path, fields);
      EXPECT_FALSE(cache_status(first).hit) << first.body;
      EXPECT_THAT(bodies, Not(testing::Contains(first.body)));
      bodies.push_back(first.body);
      const Response second = get(path, fields);
      EXPECT_TRUE(cache_status(second).hit) << first.body;
      EXPECT_EQ(second.body, first.body);
    }
  }
  EXPECT_TRUE(status_of("/cached/a", {{"X-Forwarded-Host", "SHOP.test:80, x"}}).hit);
  EXPECT_TRUE(status_of("/cached/a", {{"Forwarded", "host=shop.test"}}).hit);
}

TEST_F(Trust, RulesOnHostsAreAboutTheVisitors) {
  start(std::string(kBelieved) +
        "routes:\n"
        "  - { name: shop, match: { host: shop.test }, cache: { duration: 60 } }\n");
  EXPECT_EQ(status_of("/a").detail, "no-route");
  EXPECT_EQ(status_of("/a", {{"X-Forwarded-Host", "shop.test:8443"}}).detail, "");
  EXPECT_TRUE(status_of("/a", {{"X-Forwarded-Host", "shop.test:8443"}}).hit);
  EXPECT_THAT(weir().await_log(3).at(2), HasSubstr("\"host\":\"shop.test:8443\""));
}

TEST_F(Trust, EndsWhereTheHostIsNone) {
  // 400, whatever the route and the method; the app hears nothing of it.
  start(std::string(kTwoRoutes) + std::string(kBelieved));
  const Field broken[] = {{"X-Forwarded-Host", "shop.test/x"},
                          {"X-Forwarded-Host", "\"shop.test\""},
                          {"X-Forwarded-Host", "shop.test:99999"},
                          {"X-Forwarded-Host", std::string(8192, 'x')},
                          {"Forwarded", "host=\"shop.test/x\""}};
  for (const Field& field : broken) {
    for (const char* path : kPaths) {
      for (const char* method : kMethods) {
        const Response response = client().request(method, path, {field});
        EXPECT_EQ(response.status, 400) << field.value << method << path;
        if (std::string(method) != "HEAD") {
          EXPECT_THAT(response.body, HasSubstr("detail=bad-forwarded-host"));
        }
      }
    }
  }
  EXPECT_EQ(origin_.hits(), 0);
}

TEST_F(Trust, TellsOnceOfWhatItDoesNotBelieve) {
  start(kTwoRoutes);
  get("/cached/a", {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(told_lines(), 0U);
  for (int i = 0; i < 20; ++i) {
    get(i % 2 == 0 ? "/cached/a" : "/pass", {{"X-Forwarded-Host", "shop.test"}});
  }
  EXPECT_TRUE(eventually([&] { return told_lines() > 0; }));
  EXPECT_EQ(told_lines(), 1U);
  EXPECT_THAT(weir().log_text(),
              HasSubstr("X-Forwarded-Host of the trusted proxy 127.0.0.1 ignored"));
  EXPECT_THAT(weir().log_text(), HasSubstr("\"trusted_fields: [for, proto, host]\""));
}

TEST_F(Trust, SurvivesAnyRubbish) {
  // Lists, quotes, ports, IPv6, empty elements and 8 KiB of anything, in each field, believed or
  // not: an answer, and what the app gets is one clean line of each.
  const std::string values[] = {
      "",
      ",",
      ",,a",
      "\"",
      "\"a, b",
      "a\\",
      "a;b=c;;",
      "for=\";\\\"",
      "[::1]",
      "[::1]:80, x",
      "::1",
      "1.2.3.4:80",
      ":80",
      "for=\"[::1]:80\";host=\"[::1]:80\"",
      "\xff\xfe",
      "proto=\"",
      "=;=,=",
      std::string(8192, 'x'),
      std::string(8192, ','),
      std::string(8192, '"'),
      std::string(8192, ';'),
      std::string(4096, '[') + std::string(4096, '='),
  };
  for (const std::string_view more : {std::string_view{}, kBelieved}) {
    start(std::string(kTwoRoutes) + std::string(more));
    for (const char* name : {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host",
                             "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded"}) {
      for (const std::string& value : values) {
        for (const char* path : kPaths) {
          const Response response = get(path, {{name, value}, {name, value}});
          const bool no_host = response.status == 400 && !more.empty();
          EXPECT_TRUE(response.status == 200 || no_host) << name << ": " << value.substr(0, 80);
          if (response.status != 200 || cache_status(response).hit) continue;
          const Request got = origin_.last(path);
          EXPECT_THAT(got.fields.joined("X-Forwarded-Proto"), testing::AnyOf("http", "https"));
          EXPECT_THAT(got.fields.joined("X-Forwarded-For"), testing::EndsWith("127.0.0.1"));
          EXPECT_THAT(got.fields.joined("Forwarded"), HasSubstr("for=127.0.0.1;host="));
        }
      }
    }
    EXPECT_EQ(weir().stop(), 0);
  }
}

}  // namespace
}  // namespace weir::test

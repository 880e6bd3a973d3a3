// The dashboard as a client of the admin address gets it; in a browser it is tests/dashboard's.
#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Dashboard : public E2e {
 protected:
  Response ask(std::string_view method, std::string_view target,
               std::string_view host = "127.0.0.1") {
    Fields fields;
    fields.add("Host", std::string(host));
    return Client(weir().admin_port()).request(method, target, fields);
  }
};

constexpr std::string_view kAdmin = "admin: 127.0.0.1:0\n";

TEST_F(Dashboard, IsOnePageThatMayOnlyRunItsOwnScripts) {
  start(std::string(kAdmin) + std::string(kCacheAll));
  const Response page = ask("GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.fields.value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.body, AllOf(StartsWith("<!doctype html>"), HasSubstr("</html>")));
  EXPECT_THAT(page.body, AllOf(Not(HasSubstr("src=\"")), Not(HasSubstr("rel=\"stylesheet\""))));
  const std::string policy(page.fields.value("Content-Security-Policy"));
  EXPECT_THAT(policy, AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'sha256-"),
                            HasSubstr("style-src 'sha256-"), HasSubstr("connect-src 'self'"),
                            HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("unsafe"))));
  EXPECT_EQ(page.fields.value("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(page.fields.value("Referrer-Policy"), "no-referrer");
  EXPECT_EQ(page.fields.value("Cache-Control"), "no-store");
  EXPECT_EQ(page.fields.joined("Content-Length"), std::to_string(page.body.size()));
  const Response head = ask("HEAD", "/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.joined("Content-Length"), std::to_string(page.body.size()));
  EXPECT_EQ(ask("POST", "/").status, 405);
}

TEST_F(Dashboard, IsOpenWhereATokenIsSetForWhatItAsksAndOnlyUnderItsOwnNames) {
  start(std::string(kAdmin) + "admin_token: secret\n" + std::string(kCacheAll));
  EXPECT_EQ(ask("GET", "/").status, 200);
  EXPECT_THAT(ask("GET", "/").body, Not(HasSubstr("secret")));
  EXPECT_EQ(ask("POST", "/v1/purge").status, 401);
  EXPECT_EQ(ask("GET", "/", "evil.example").status, 421);
}

}  // namespace
}  // namespace weir::test

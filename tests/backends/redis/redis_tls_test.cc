// A backend that speaks TLS to a real server: whom it believes, and who it is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/backends/redis/redis_kit.h"
#include "tests/support/certificates.h"

namespace weir::backends::testing {
namespace {

using test::RedisServer;

redis::Topology at(const RedisServer& server, const TlsTerms& terms, std::string host) {
  redis::Topology out;
  out.place.host = std::move(host);
  out.place.port = server.tls_port();
  auto tls = TlsContext::client(terms);
  EXPECT_TRUE(tls) << tls.error().message;
  if (tls) out.place.tls = *tls;
  return out;
}

TEST(RedisTls, ObjectsOfAllSizesGoThere) {
  const RedisServer server({.tls = true});
  for (const char* const host : {"localhost", "127.0.0.1"}) {
    RedisKit kit(at(server, {.ca_file = server.ca_file()}, host));
    const std::string large(3'000'000, 'x');
    EXPECT_EQ(kit.put("a", "body"), StoreResult::Stored) << host;
    EXPECT_EQ(kit.put("b", large), StoreResult::Stored);
    EXPECT_EQ(kit.body_at("a"), "body");
    EXPECT_EQ(kit.body_at("b"), large);
  }
}

TEST(RedisTls, AServerThatCannotProveWhoItIsIsNotUsed) {
  const RedisServer server({.tls = true});
  const test::Certificates others;
  const struct {
    const char* what;
    redis::Topology servers;
    const char* said;
  } rows[] = {
      {"of an authority that is not ours", at(server, {.ca_file = others.ca_file()}, "localhost"),
       "certificate"},
      {"of none that the system knows", at(server, {}, "localhost"), "certificate"},
      {"of another name",
       [&] {
         redis::Topology out = at(server, {.ca_file = server.ca_file()}, "127.0.0.1");
         out.place.tls_name = "redis.example";
         return out;
       }(),
       "redis.example"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    ::testing::internal::CaptureStdout();
    RedisKit kit(row.servers);
    EXPECT_EQ(kit.put("a", "body"), StoreResult::Failed);
    EXPECT_EQ(kit.body_at("a"), std::nullopt);
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), ::testing::HasSubstr(row.said));
  }
}

TEST(RedisTls, WhoIsAskedForACertificateShowsIt) {
  const RedisServer server({.tls = true, .tls_clients = true});
  const auto pair = server.certificates().issue("client", "DNS:client");
  RedisKit with(at(
      server, {.ca_file = server.ca_file(), .cert_file = pair.cert_file, .key_file = pair.key_file},
      "localhost"));
  EXPECT_EQ(with.put("a", "body"), StoreResult::Stored);
  EXPECT_EQ(with.body_at("a"), "body");
  ::testing::internal::CaptureStdout();
  RedisKit without(at(server, {.ca_file = server.ca_file()}, "localhost"));
  EXPECT_EQ(without.put("a", "body"), StoreResult::Failed);
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), ::testing::HasSubstr("client certificate"));
}

}  // namespace
}  // namespace weir::backends::testing

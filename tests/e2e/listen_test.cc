// Where Weir listens: TCP, IPv6, unix sockets, several at once.
#include <filesystem>

#include "tests/e2e/fixture.h"

namespace weir::test {
namespace {

class Listen : public E2e {
 protected:
  void SetUp() override { origin_.on("/a", cacheable("a")); }
  TempDir folder_;
};

TEST_F(Listen, OnAUnixSocket) {
  // A socket file serves like a port, and is gone after a clean end.
  const std::string path = folder_.file("weir.sock");
  start(std::string(kCacheAll) + "listen: unix:" + path + "\n");
  EXPECT_EQ(weir().addresses().at(0), "unix:" + path);
  for (const bool hit : {false, true}) {
    Client one(Socket::connect_unix(path));
    EXPECT_EQ(cache_status(one.get("/a")).hit, hit);
  }
  EXPECT_EQ(weir().stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Listen, AStaleSocketFileIsReplaced) {
  // What a killed process left behind does not keep the next one from starting.
  const std::string path = folder_.file("weir.sock");
  Socket::listen_unix(path).close();
  start(std::string(kCacheAll) + "listen: unix:" + path + "\n");
  Client one(Socket::connect_unix(path));
  EXPECT_EQ(one.get("/a").status, 200);
}

TEST_F(Listen, OnSeveralAddresses) {
  // Each address of the list serves from the same cache.
  const std::string path = folder_.file("weir.sock");
  start(std::string(kCacheAll) + "listen: [127.0.0.1:0, 127.0.0.1:0, \"unix:" + path + "\"]\n",
        {.yaml = "", .listeners = 3});
  EXPECT_NE(weir().port(0), weir().port(1));
  EXPECT_FALSE(cache_status(Client(weir().port(0)).get("/a")).hit);
  EXPECT_TRUE(cache_status(Client(weir().port(1)).get("/a")).hit);
  EXPECT_TRUE(cache_status(Client(Socket::connect_unix(path)).get("/a")).hit);
}

TEST_F(Listen, OnIPv6) {
  // Brackets in the configuration and in the log.
  try {
    Socket::connect_tcp6(1);
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::address_not_available ||
        error.code() == std::errc::address_family_not_supported)
      GTEST_SKIP() << "this machine has no ::1";
  }
  start(std::string(kCacheAll) + "listen: \"[::1]:0\"\ntrusted_proxies: []\n");
  EXPECT_THAT(weir().addresses().at(0), testing::StartsWith("[::1]:"));
  Client one(Socket::connect_tcp6(weir().port()));
  EXPECT_EQ(one.get("/a").status, 200);
  EXPECT_EQ(origin_.last("/a").fields.value("X-Forwarded-For"), "::1");
  EXPECT_THAT(origin_.last("/a").fields.value("Forwarded"), testing::HasSubstr("\"[::1]"));
}

}  // namespace
}  // namespace weir::test

#include "base/net/listener.h"

#include <gtest/gtest.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/net/address.h"

namespace weir {
namespace {

SocketAddress any_port() {
  return *SocketAddress::tcp("127.0.0.1", 0);
}

TEST(ListenOn, ResolvesPortZeroOnceForAllSockets) {
  const auto listening = listen_on(any_port(), 3);
  ASSERT_TRUE(listening.has_value());
  EXPECT_NE(listening->address.port(), 0);
  EXPECT_EQ(listening->sockets.size(), 3U);
}

TEST(ListenOn, RefusesAnAddressThatSomebodyElseListensOn) {
  // SO_REUSEPORT alone would share it without a word.
  const auto first = listen_on(any_port(), 2);
  ASSERT_TRUE(first.has_value());
  const auto second = listen_on(first->address, 2);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().message,
            "cannot bind " + first->address.text() +
                ": Address already in use (another program has it: choose another with --listen "
                "or listen:)");
}

TEST(ListenOn, ReplacesTheSocketFileOfADeadProcess) {
  const std::string path = testing::TempDir() + "/weir." + std::to_string(getpid()) + ".sock";
  const SocketAddress address = *SocketAddress::unix_path(path);
  {
    ASSERT_TRUE(listen_on(address, 1).has_value());
  }
  EXPECT_EQ(access(path.c_str(), F_OK), 0) << "nobody removed it";
  const auto again = listen_on(address, 2);
  EXPECT_TRUE(again.has_value());
  const auto third = listen_on(address, 1);
  EXPECT_FALSE(third.has_value()) << "that one is alive";
  unlink(path.c_str());
}

TEST(SocketAddress, ReadsAndWritesNumericAddresses) {
  EXPECT_EQ(SocketAddress::tcp("127.0.0.1", 80)->text(), "127.0.0.1:80");
  EXPECT_EQ(SocketAddress::tcp("::1", 8080)->text(), "[::1]:8080");
  EXPECT_EQ(SocketAddress::tcp("::ffff:192.0.2.1", 1)->host_text(), "192.0.2.1");
  EXPECT_EQ(SocketAddress::unix_path("/run/w.sock")->text(), "unix:/run/w.sock");
  EXPECT_EQ(SocketAddress::tcp("localhost", 80).error().message, "localhost is not an IP address");
  EXPECT_FALSE(SocketAddress::unix_path(std::string(200, 'x')).has_value());
}

}  // namespace
}  // namespace weir

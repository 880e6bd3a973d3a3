// TLS where the socket has room for just so many bytes.
#include <gtest/gtest.h>

#include "base/net/tls.h"
#include "tests/base/net/tls_peer.h"
#include "tests/support/scripted_connection.h"

namespace weir {
namespace {

// The socket is played.
class TlsFullSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto context = TlsContext::client({.ca_file = ours.ca_file()});
    auto connection = make_tls_connection(loop, wire.connection(), *context, "localhost");
    ASSERT_TRUE(connection.has_value());
    client.connection = std::move(*connection);
    client.connection->set_handler(client);
    client.connection->want(true, true);
    for (int i = 0; i < 5; ++i) carry();
    ASSERT_TRUE(peer.stands());
  }
  // What either end has for the other.
  void carry() {
    EXPECT_TRUE(wire.deliver());
    loop.turn();
    peer.takes(wire.received());
    wire.sends(peer.gives());
  }

  IoResult write(std::string_view bytes) const {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return client.connection->write(std::span(&part, 1));
  }

  EventLoop loop;
  const test::Certificates ours;
  test::TlsPeer peer{{.certificate = ours.issue("server"), .version = TLS1_3_VERSION}};
  test::ScriptedClient wire;
  test::TlsClient client;
};

TEST_F(TlsFullSocketTest, ADemandForNewKeysIsAnsweredOnceThereIsRoom) {
  // Before what is written next. Reading goes on meanwhile, and nothing spins.
  wire.takes(0);
  peer.renews_keys();
  peer.sends("read meanwhile");
  for (int i = 0; i < 3; ++i) carry();
  EXPECT_EQ(client.received, "read meanwhile");
  client.to_send = "with new keys";
  client.told = 0;
  client.connection->want(true, true);
  for (const std::size_t room : {0, 10, 0, 1, 0}) {
    wire.takes(room);
    for (int i = 0; i < 3; ++i) carry();
    EXPECT_FALSE(client.to_send.empty());
  }
  EXPECT_LE(client.told, 5);
  wire.takes_all();
  for (int i = 0; i < 3; ++i) carry();
  EXPECT_EQ(peer.received(), "with new keys");
  EXPECT_EQ(client.fault, "");
}

TEST_F(TlsFullSocketTest, AnEndThatFindsNoRoomIsSentOnceThereIsSome) {
  wire.takes(1);
  client.connection->want(false, false);
  client.connection->shutdown_write();
  carry();
  EXPECT_FALSE(peer.sees_end());
  wire.takes_all();
  carry();
  EXPECT_TRUE(peer.sees_end());
}

TEST_F(TlsFullSocketTest, ARecordThatWasTakenInPartIsTakenOnce) {
  const std::string bytes = test::bytes_of(20'000);
  std::size_t at = 0;
  for (int i = 0; i < 30; ++i) {
    wire.takes(1'000);
    at += write(std::string_view(bytes).substr(at)).bytes;
    carry();
  }
  EXPECT_EQ(at, bytes.size());
  EXPECT_TRUE(peer.received() == bytes);
}

}  // namespace
}  // namespace weir

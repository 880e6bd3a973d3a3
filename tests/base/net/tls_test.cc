// Bytes over TLS, and their end: the contract of a Connection where OpenSSL stands between it and
// the socket.
#include "base/net/tls.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tests/base/net/tls_peer.h"
#include "tests/support/wait.h"

namespace weir {
namespace {

using test::bytes_of;
using test::Certificates;
using test::eventually;
using test::TlsClient;
using test::TlsPeer;
using test::TlsPeerSetup;

// More than the system keeps for a peer that does not read.
constexpr std::size_t kMoreThanFits = std::size_t{12} << 20U;

class TlsTest : public testing::Test {
 protected:
  static const Certificates& ours() {
    static const Certificates made;
    return made;
  }
  // One that stands.
  void open(TlsPeerSetup setup = {}) {
    static const Certificates::Pair pair = ours().issue("server");
    setup.certificate = pair;
    peer.emplace(setup);
    const auto context = TlsContext::client({.ca_file = ours().ca_file()});
    auto connection = connect_tls(loop, peer->address(), *context, "localhost");
    ASSERT_TRUE(connection.has_value());
    client.connection = std::move(*connection);
    client.connection->set_handler(client);
    client.connection->want(false, true);
    ASSERT_TRUE(turns_until([&] { return client.told > 0 && peer->stands(); }));
    // What the server sends behind its handshake is taken.
    turns(5);
    client.receive();
    client.told = 0;
  }
  template <class Condition>
  bool turns_until(Condition&& condition) {
    const test::Deadline deadline;
    while (!condition() && !deadline.passed()) {
      loop.turn();
      peer->turn();
    }
    return condition();
  }
  void turns(int count) {
    turns_until([&] { return count-- == 0; });
  }
  IoResult write(std::string_view bytes) const {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return client.connection->write(std::span(&part, 1));
  }

  EventLoop loop;
  std::optional<TlsPeer> peer;
  TlsClient client;
};

TEST_F(TlsTest, CarriesMuchBothWaysAtOnce) {
  const std::string much = bytes_of(std::size_t{8} << 20U);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SCOPED_TRACE(version);
    open({.version = version, .slow = true});
    client.to_send = much;
    client.received.clear();
    peer->sends(much);
    client.connection->want(true, true);
    EXPECT_TRUE(turns_until([&] {
      return client.received.size() >= much.size() && peer->received().size() >= much.size();
    }));
    EXPECT_TRUE(client.received == much);
    EXPECT_TRUE(peer->received() == much);
    EXPECT_EQ(client.fault, "");
  }
}

TEST_F(TlsTest, TakesTheSameBytesAgainHoweverTheyAreCut) {
  // The socket is full most of the time: each attempt offers what was not taken, from another place
  // in memory, in other parts, and sometimes with more behind.
  open({.slow = true});
  const std::string much = bytes_of(kMoreThanFits);
  std::size_t at = 0;
  std::size_t least = 0;  // to be offered again
  std::size_t blocked = 0;
  std::uint32_t state = 7;
  const auto random = [&](std::uint32_t most) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8U) % most + 1;
  };
  const test::Deadline deadline;
  while (at < much.size() && !deadline.passed()) {
    const std::size_t offered = std::min(least + random(40'000), much.size() - at);
    std::vector<std::string> held;
    for (std::size_t from = at; from < at + offered;) {
      held.push_back(much.substr(from, std::min<std::size_t>(random(9'000), at + offered - from)));
      from += held.back().size();
    }
    std::vector<iovec> parts;
    for (std::string& part : held) parts.push_back({part.data(), part.size()});
    const IoResult sent = client.connection->write(parts);
    ASSERT_TRUE(sent.status == IoStatus::Ok || sent.status == IoStatus::WouldBlock)
        << client.connection->fault();
    at += sent.bytes;
    least = offered - sent.bytes;
    if (sent.status != IoStatus::WouldBlock) continue;
    ++blocked;
    peer->turn();
  }
  EXPECT_TRUE(turns_until([&] { return peer->received().size() >= much.size(); }));
  EXPECT_TRUE(peer->received() == much);
  EXPECT_GT(blocked, 10U);
}

TEST_F(TlsTest, BreaksWhereTheBytesOfABegunRecordAreNotOfferedAgain) {
  open({.slow = true});
  const std::string much = bytes_of(kMoreThanFits);
  while (write(much).status == IoStatus::Ok) {
  }
  EXPECT_EQ(write("less").status, IoStatus::Failed);
  EXPECT_EQ(client.connection->fault(), "what was begun to be sent is not there any more");
}

TEST_F(TlsTest, JoinsSmallPartsToOneRecord) {
  open();
  std::string words[] = {"one ", "", "two ", bytes_of(20'000), "three"};
  std::vector<iovec> parts;
  for (std::string& word : words) parts.push_back({word.data(), word.size()});
  EXPECT_EQ(client.connection->write(parts).bytes, 20'013U);
  EXPECT_TRUE(turns_until([&] { return peer->received().size() == 20'013; }));
  EXPECT_EQ(peer->records(), (std::vector<std::size_t>{16'384, 3'629}));
  EXPECT_TRUE(peer->received() == words[0] + words[2] + words[3] + words[4]);
}

// Reads a few bytes each time it is told of them.
class ReadsLittle final : public ConnectionHandler {
 public:
  explicit ReadsLittle(Connection& connection) : connection_(connection) {}
  void on_ready(bool readable, bool) override {
    ++told;
    std::array<char, 4> bytes;
    const IoResult got = connection_.read(std::span(bytes).first(readable ? most : 0));
    if (got.status == IoStatus::Ok) received.append(bytes.data(), got.bytes);
    last = got.status;
  }
  std::size_t most = 4;
  int told = 0;
  std::string received;
  IoStatus last = IoStatus::Ok;

 private:
  Connection& connection_;
};

TEST_F(TlsTest, TellsAgainOfBytesThatHaveLeftTheSocket) {
  // Once a turn, so that others get theirs, and no more once there are none.
  open();
  ReadsLittle reader(*client.connection);
  client.connection->set_handler(reader);
  client.connection->want(true, false);
  peer->sends("0123456789");
  peer->turn();
  for (const char* seen : {"0123", "01234567", "0123456789"}) {
    loop.turn();
    EXPECT_EQ(reader.received, seen);
  }
  EXPECT_EQ(reader.told, 3);
  turns(5);
  EXPECT_EQ(reader.told, 3);

  // Not while it is not wanted.
  peer->sends("abcdefgh");
  peer->turn();
  loop.turn();
  client.connection->want(false, false);
  turns(5);
  EXPECT_EQ(reader.received, "0123456789abcd");
  client.connection->want(true, false);
  turns(5);
  EXPECT_EQ(reader.received, "0123456789abcdefgh");
}

TEST_F(TlsTest, TellsOfTheEndUntilItIsNoLongerWanted) {
  // Also where the end has come together with bytes, and the socket stays open.
  open();
  ReadsLittle reader(*client.connection);
  client.connection->set_handler(reader);
  client.connection->want(true, false);
  peer->sends("last");
  peer->ends();
  turns(5);
  EXPECT_EQ(reader.received, "last");
  EXPECT_EQ(reader.last, IoStatus::Closed);
  const int told = std::exchange(reader.told, 0);
  EXPECT_GT(told, 2);
  EXPECT_EQ(client.connection->peer_state(), PeerState::Open);
  client.connection->want(false, false);
  turns(5);
  EXPECT_EQ(reader.told, 0);
}

TEST_F(TlsTest, TellsAnEndFromACut) {
  struct Row {
    bool alert;
    IoStatus end;
    const char* fault;
  };
  const Row rows[] = {
      {true, IoStatus::Closed, ""},
      {false, IoStatus::Failed, "it has cut the connection (unexpected eof while reading)"},
  };
  for (const Row& row : rows) {
    open();
    client.received.clear();
    client.read_end.reset();
    client.connection->want(true, false);
    peer->sends("last");
    if (row.alert) peer->ends();
    peer->turn();
    peer->closes();
    ASSERT_TRUE(eventually([&] {
      loop.turn();
      return client.read_end.has_value();
    }));
    EXPECT_EQ(client.received, "last");
    EXPECT_EQ(*client.read_end, row.end);
    EXPECT_EQ(client.fault, row.fault);
    EXPECT_NE(client.connection->peer_state(), PeerState::Open);
  }
}

TEST_F(TlsTest, ReadsOnWhereThePeerTakesNoMore) {
  // What it sent before it went is not lost with the write that found it gone.
  open();
  peer->sends("last");
  peer->turn();
  peer->closes();
  ASSERT_TRUE(eventually([&] { return write("x").status != IoStatus::Ok; }));
  EXPECT_EQ(write("x").status, IoStatus::Closed);
  EXPECT_EQ(client.connection->fault(), "Broken pipe");
  client.received.clear();
  client.receive();
  EXPECT_EQ(client.received, "last");
}

TEST_F(TlsTest, EndsWithTheAlertAndReadsOn) {
  open();
  write("last");
  client.connection->shutdown_write();
  EXPECT_EQ(write("more").status, IoStatus::Closed);
  ASSERT_TRUE(turns_until([&] { return peer->sees_end(); }));
  EXPECT_EQ(peer->received(), "last");
  EXPECT_FALSE(peer->sees_close());
  client.connection->want(true, false);
  peer->sends("answer");
  peer->ends();
  ASSERT_TRUE(turns_until([&] { return client.read_end.has_value(); }));
  EXPECT_EQ(client.received, "answer");
  EXPECT_EQ(*client.read_end, IoStatus::Closed);
}

TEST_F(TlsTest, GoesWithTheAlertOrAReset) {
  for (const bool resets : {false, true}) {
    open();
    if (resets) client.connection->reset_on_close();
    client.connection.reset();
    ASSERT_TRUE(turns_until([&] { return peer->sees_close(); }));
    EXPECT_EQ(peer->sees_end(), !resets);
    EXPECT_EQ(peer->sees_reset(), resets);
  }
}

TEST_F(TlsTest, GoesWithoutTheAlertBehindHalfARecord) {
  open({.slow = true});
  const std::string much = bytes_of(kMoreThanFits);
  while (write(much).status == IoStatus::Ok) {
  }
  client.connection.reset();
  ASSERT_TRUE(turns_until([&] { return peer->sees_close(); }));
  EXPECT_FALSE(peer->sees_end());
}

TEST_F(TlsTest, RenewsItsKeysWhileThePeerTakesNothing) {
  // Reading makes it answer, for which there is no room: it is told of bytes all the same, does not
  // spin, and nothing is lost once there is.
  open({.version = TLS1_3_VERSION, .slow = true});
  const std::string much = bytes_of(kMoreThanFits);
  client.to_send = much;
  client.flush();
  ASSERT_FALSE(client.to_send.empty());
  client.received.clear();
  client.connection->want(true, false);
  peer->renews_keys();
  peer->sends("new keys");
  peer->sends_only();
  EXPECT_TRUE(eventually([&] {
    loop.turn();
    return client.received == "new keys";
  }));
  client.told = 0;
  for (int i = 0; i < 10; ++i) loop.turn();
  EXPECT_LE(client.told, 10);
  client.connection->want(true, true);
  EXPECT_TRUE(turns_until([&] { return peer->received().size() >= much.size(); }));
  EXPECT_TRUE(peer->received() == much);
  EXPECT_EQ(client.fault, "");
}

TEST_F(TlsTest, MayBeDestroyedInsideTheCall) {
  class Drops final : public ConnectionHandler {
   public:
    void on_ready(bool, bool) override {
      ++told;
      connection.reset();
    }
    int told = 0;
    std::unique_ptr<Connection> connection;
  };
  open();
  Drops drops;
  drops.connection = std::move(client.connection);
  drops.connection->set_handler(drops);
  drops.connection->want(true, true);
  turns(5);
  EXPECT_EQ(drops.told, 1);
}

TEST_F(TlsTest, SendsWhatLiesInAFile) {
  const test::TempDir folder;
  const Fd file(::open(folder.write("f", "0123456789").c_str(), O_RDONLY | O_CLOEXEC));
  open();
  EXPECT_EQ(client.connection->write_with_file({}, {file.get(), 3, 4}).bytes, 4U);
  EXPECT_TRUE(turns_until([&] { return peer->received() == "3456"; }));
}

}  // namespace
}  // namespace weir

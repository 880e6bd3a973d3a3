#include "base/net/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/net/listener.h"
#include "tests/support/temp_dir.h"

namespace weir {
namespace {

// Counts what it is told, and reads or drops the connection when it is told so.
class Told final : public ConnectionHandler {
 public:
  void on_ready(bool readable, bool writable) override {
    reads += readable;
    writes += writable;
    if (drops) connection.reset();
  }
  std::unique_ptr<Connection> connection;
  int reads = 0;
  int writes = 0;
  bool drops = false;
};

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    told.connection = make_plain_connection(loop, ends[0]);
    told.connection->set_handler(told);
    peer = Fd(ends[1]);
  }
  void peer_sends(std::string_view bytes) const {
    ASSERT_EQ(send(peer.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }
  std::string reads() {
    std::array<char, 64> buffer;
    const IoResult got = told.connection->read(buffer);
    return {buffer.data(), got.bytes};
  }

  EventLoop loop;
  Told told;
  Fd peer;
};

TEST_F(ConnectionTest, TellsOnlyWhatIsWanted) {
  peer_sends("x");
  loop.turn();
  EXPECT_EQ(told.reads + told.writes, 0);
  told.connection->want(true, false);
  loop.turn();
  EXPECT_EQ(told.reads, 1);
  EXPECT_EQ(told.writes, 0);
  told.connection->want(false, true);
  loop.turn();
  EXPECT_EQ(told.reads, 1);
  EXPECT_EQ(told.writes, 1);
}

TEST_F(ConnectionTest, TellsAgainUntilItIsNoLongerSo) {
  told.connection->want(true, false);
  peer_sends("ab");
  loop.turn();
  loop.turn();
  EXPECT_EQ(told.reads, 2);
  EXPECT_EQ(reads(), "ab");
  loop.turn();
  EXPECT_EQ(told.reads, 2);
}

TEST_F(ConnectionTest, TellsOfAnEndAsOfBytes) {
  told.connection->want(true, false);
  shutdown(peer.get(), SHUT_WR);
  loop.turn();
  EXPECT_EQ(told.reads, 1);
  std::array<char, 8> buffer;
  EXPECT_EQ(told.connection->read(buffer).status, IoStatus::Closed);
}

TEST_F(ConnectionTest, MayBeDestroyedInsideTheCall) {
  told.drops = true;
  told.connection->want(true, true);
  peer_sends("x");
  loop.turn();
  loop.turn();
  EXPECT_EQ(told.connection, nullptr);
  EXPECT_EQ(told.reads + told.writes, 1);
}

TEST_F(ConnectionTest, SaysWhenNothingMoves) {
  std::array<char, 8> buffer;
  EXPECT_EQ(told.connection->read(buffer).status, IoStatus::WouldBlock);
  std::string much(std::size_t{64} * 1024, 'w');
  const iovec part{much.data(), much.size()};
  IoResult sent{IoStatus::Ok};
  while (sent.status == IoStatus::Ok) sent = told.connection->write({&part, 1});
  EXPECT_EQ(sent.status, IoStatus::WouldBlock);
}

TEST_F(ConnectionTest, SaysInWordsWhyItFailed) {
  // A peer that goes with bytes unread has reset the stream.
  const iovec part{const_cast<char*>("unread"), 6};
  told.connection->write(std::span(&part, 1));
  peer = Fd();
  std::array<char, 8> buffer;
  EXPECT_EQ(told.connection->read(buffer).status, IoStatus::Failed);
  EXPECT_EQ(told.connection->fault(), "Connection reset by peer");
}

TEST_F(ConnectionTest, LooksAtAPeerThatIsNotRead) {
  EXPECT_EQ(told.connection->peer_state(), PeerState::Open);
  peer_sends("unread");
  EXPECT_EQ(told.connection->peer_state(), PeerState::Open);
  shutdown(peer.get(), SHUT_WR);
  EXPECT_EQ(told.connection->peer_state(), PeerState::Ended);
  peer = Fd();
  EXPECT_EQ(told.connection->peer_state(), PeerState::Gone);
}

TEST_F(ConnectionTest, EndsInOrderOrByAReset) {
  // A peer that reads to the end can tell the one from the other.
  for (const bool reset : {false, true}) {
    Result<Listening> listening = listen_on(*SocketAddress::tcp("127.0.0.1", 0), 1);
    ASSERT_TRUE(listening.has_value());
    const Fd client(socket(AF_INET, SOCK_STREAM, 0));
    const SocketAddress& at = listening->address;
    ASSERT_EQ(connect(client.get(), at.get(), at.size()), 0);
    std::unique_ptr<Connection> connection =
        make_plain_connection(loop, accept(listening->sockets[0].get(), nullptr, nullptr));
    if (reset) connection->reset_on_close();
    connection.reset();
    char byte = 0;
    EXPECT_EQ(recv(client.get(), &byte, 1, 0), reset ? -1 : 0);
  }
}

TEST_F(ConnectionTest, WantsNothingWithoutAHandler) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const Fd other(ends[1]);
  const std::unique_ptr<Connection> connection = make_plain_connection(loop, ends[0]);
  EXPECT_DEATH(connection->want(true, false), "handler_");
}

// One that has to see the bytes that it sends.
class SeesBytes final : public Connection {
 public:
  void set_handler(ConnectionHandler&) override {}
  void want(bool, bool) override {}
  PeerState peer_state() const override { return PeerState::Open; }
  IoResult read(std::span<char>) override { return {IoStatus::WouldBlock}; }
  IoResult write(std::span<const iovec> parts) override {
    for (const iovec& part : parts) {
      sent.append(static_cast<const char*>(part.iov_base), part.iov_len);
    }
    return {IoStatus::Ok, sent.size()};
  }
  std::string fault() const override { return {}; }
  void shutdown_write() override {}
  void reset_on_close() override {}

  std::string sent;
};

TEST_F(ConnectionTest, SendsWhatLiesInAFile) {
  const test::TempDir folder;
  const Fd file(open(folder.write("f", "0123456789").c_str(), O_RDONLY | O_CLOEXEC));
  struct Row {
    std::string before;
    FileRange file;
    IoStatus status;
    std::string_view sent;  // the rest at later calls, or not at all
  };
  const Row rows[] = {
      {"", {file.get(), 0, 10}, IoStatus::Ok, "0123456789"},
      {"", {file.get(), 3, 4}, IoStatus::Ok, "3456"},
      {"", {file.get(), 8, 4}, IoStatus::Ok, "89"},
      {"", {file.get(), 10, 1}, IoStatus::Failed, ""},
      {"", {-1, 0, 1}, IoStatus::Failed, ""},
      {"head ", {file.get(), 3, 4}, IoStatus::Ok, "head 3456"},
      {"head ", {file.get(), 10, 1}, IoStatus::Ok, "head "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.before + std::to_string(row.file.at));
    const iovec part{const_cast<char*>(row.before.data()), row.before.size()};
    const std::span parts(&part, row.before.empty() ? 0 : 1);
    const IoResult sent = told.connection->write_with_file(parts, row.file);
    EXPECT_EQ(sent.status, row.status);
    EXPECT_EQ(sent.bytes, row.sent.size());
    std::array<char, 64> buffer;
    const ssize_t got = recv(peer.get(), buffer.data(), buffer.size(), 0);
    EXPECT_EQ(std::string_view(buffer.data(), std::max<ssize_t>(got, 0)), row.sent);
    SeesBytes other;
    EXPECT_EQ(other.write_with_file(parts, row.file).status, row.status);
    EXPECT_TRUE(row.before.empty() ? other.sent == row.sent : other.sent == row.before);
  }
}

TEST_F(ConnectionTest, SendsNoMoreOfAFileThanThePeerTakes) {
  const test::TempDir folder;
  const std::string bytes(4 * 1024 * 1024, 'x');
  const Fd file(open(folder.write("f", bytes).c_str(), O_RDONLY | O_CLOEXEC));
  std::uint64_t at = 0;
  IoResult sent{IoStatus::Ok};
  while (sent.status == IoStatus::Ok && at < bytes.size()) {
    sent = told.connection->write_with_file({}, {file.get(), at, bytes.size() - at});
    at += sent.bytes;
  }
  EXPECT_EQ(sent.status, IoStatus::WouldBlock);
}

}  // namespace
}  // namespace weir

// Tests against Redis trust these tools, so they are tested themselves, against the real programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <system_error>

#include "tests/support/redis_cluster.h"
#include "tests/support/redis_sentinels.h"
#include "tests/support/redis_server.h"

namespace weir::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// What redis-cli prints.
std::string ask_by_tls(const RedisServer& server, const std::string& host,
                       const std::string& ca_file) {
  Command command;
  command.arguments = {"/usr/bin/env", "redis-cli", "--tls",
                       "--cacert",     ca_file,     "-h",
                       host,           "-p",        std::to_string(server.tls_port()),
                       "PING"};
  ChildProcess cli(command);
  cli.wait();
  return cli.out().text() + cli.err().text();
}

TEST(RedisSupport, TheClientReadsEveryKindOfReply) {
  // Over TCP and over the Unix socket, with any bytes.
  const RedisServer server;
  const std::string bytes("a\0\r\n$5\r\n\xff", 9);
  RedisClient client(server.port());
  EXPECT_TRUE(client.command({"SET", bytes, bytes + bytes}).is_ok());
  EXPECT_EQ(RedisClient(server.unix_path()).command({"GET", bytes}).text, bytes + bytes);
  EXPECT_TRUE(client.command({"GET", "none"}).nil);
  EXPECT_EQ(client.command({"DEL", bytes, "none"}).number, 1);
  EXPECT_EQ(client.command({"LPUSH", bytes, "1"}).number, 1);
  EXPECT_EQ(client.command({"GET", bytes}).error_code(), "WRONGTYPE");
  EXPECT_THROW(client.must({"GET", bytes}), std::runtime_error);
  EXPECT_THAT(client.command({"MGET", "a", bytes}).texts(), ElementsAre("", ""));
  EXPECT_EQ(client.command({"INFO", "server"}).field("tcp_port"), std::to_string(server.port()));
  EXPECT_EQ(client.command({"CONFIG", "GET", "save"}).value("save"), "");
  client.send({"PING"});
  client.send({"ECHO", std::string(1 << 20, 'x')});
  EXPECT_EQ(client.read().text, "PONG");
  EXPECT_EQ(client.read().text.size(), 1U << 20);
}

TEST(RedisSupport, AServerComesBackOnItsPort) {
  // With what it persisted, which is nothing by itself; while it is down its port refuses.
  RedisServer forgetful;
  RedisServer lasting({.lines = {"appendonly yes", "appendfsync always"}});
  for (RedisServer* server : {&forgetful, &lasting}) {
    const std::uint16_t port = server->port();
    server->client().must({"SET", "k", "v"});
    EXPECT_EQ(server->stop(), 0);
    EXPECT_FALSE(server->is_up());
    EXPECT_THROW(RedisClient{port}, std::system_error);
    server->start_again();
    server->client().must({"SET", "l", "v"});
    server->kill();
    EXPECT_THROW(RedisClient{port}, std::system_error);
    server->start_again();
    EXPECT_EQ(server->port(), port);
  }
  EXPECT_EQ(forgetful.client().must({"DBSIZE"}).number, 0);
  EXPECT_EQ(lasting.client().must({"DBSIZE"}).number, 2);
  EXPECT_THAT(lasting.log_text(), HasSubstr("User requested shutdown"));
}

TEST(RedisSupport, AServerDoesWhatItsLinesSay) {
  // A password is asked for, memory has its end, and a line that is none ends it.
  const RedisServer server({.lines = {"requirepass secret", "maxmemory 1mb"}});
  RedisClient stranger(server.port());
  EXPECT_EQ(stranger.command({"GET", "k"}).error_code(), "NOAUTH");
  RedisClient client = server.client();
  EXPECT_TRUE(client.command({"SET", "k", "v"}).is_ok());
  RedisReply reply;
  for (int i = 0; i < 64 && !reply.is_error(); ++i)
    reply = client.command({"APPEND", "k", std::string(16 * 1024, 'v')});
  EXPECT_EQ(reply.error_code(), "OOM");
  try {
    const RedisServer none({.lines = {"no such line"}});
    FAIL() << "it runs";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no such line"));
  }
}

TEST(RedisSupport, APausedServerHangs) {
  // It takes connections and says nothing, and goes on with what came meanwhile; it can be killed.
  RedisServer server;
  RedisClient client(server.port(), milliseconds(50));
  server.pause();
  EXPECT_FALSE(server.is_up());
  client.send({"SET", "k", "v"});
  EXPECT_THROW(client.read(), TimedOut);
  EXPECT_THROW(RedisClient(server.port(), milliseconds(50)).command({"PING"}), TimedOut);
  server.go_on();
  EXPECT_TRUE(client.read().is_ok());
  EXPECT_EQ(server.client().command({"GET", "k"}).text, "v");
  server.pause();
  EXPECT_EQ(server.stop(), 0);
  EXPECT_THROW(client.read(), PeerGone);
  server.start_again();
  server.pause();
}

TEST(RedisSupport, AServerEndsWithItsObject) {
  // Nothing runs on, and no folder stays.
  auto server = std::make_unique<RedisServer>();
  const std::string folder = server->folder();
  const std::string process = "/proc/" + std::to_string(server->pid());
  EXPECT_TRUE(std::filesystem::exists(process));
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(process));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(RedisSupport, TlsIsCertifiedByTheServersOwnCa) {
  // By that alone; the plain port is there as well.
  const RedisServer server({.tls = true});
  const RedisServer other({.tls = true});
  EXPECT_EQ(ask_by_tls(server, "127.0.0.1", server.ca_file()), "PONG\n");
  EXPECT_EQ(ask_by_tls(server, "localhost", server.ca_file()), "PONG\n");
  EXPECT_THAT(ask_by_tls(server, "127.0.0.1", other.ca_file()),
              HasSubstr("certificate verify failed"));
  EXPECT_EQ(RedisClient(server.port()).command({"PING"}).text, "PONG");
}

TEST(RedisSupport, AClusterSendsOnAndMovesSlots) {
  // MOVED by who has not got the slot, ASK while it moves, and the keys come along.
  RedisCluster cluster({"requirepass secret", "masterauth secret"});
  EXPECT_EQ(cluster.master_of("foo"), 2U);  // whose slot is 12182
  EXPECT_EQ(cluster.master_of(0), 0U);
  EXPECT_THAT(cluster.replicas_of(2), ElementsAre(5U));
  const int slot = cluster.slot_of("{foo}1");
  EXPECT_EQ(slot, cluster.slot_of("foo"));
  const std::string place = " 127.0.0.1:" + std::to_string(cluster.ports()[2]);
  EXPECT_EQ(cluster.node(0).client().command({"GET", "foo"}).text,
            "MOVED " + std::to_string(slot) + place);
  for (const char* key : {"foo", "{foo}1", "{foo}2"})
    cluster.node(2).client().must({"SET", key, "v"});

  cluster.begin_migration(slot, 2, 0);
  EXPECT_THAT(cluster.keys_in(slot, 2), UnorderedElementsAre("foo", "{foo}1", "{foo}2"));
  cluster.move_keys({"foo"}, 2, 0);
  EXPECT_EQ(cluster.node(2).client().command({"GET", "foo"}).error_code(), "ASK");
  EXPECT_EQ(cluster.node(2).client().command({"GET", "{foo}1"}).text, "v");
  RedisClient asking = cluster.node(0).client();
  asking.must({"ASKING"});
  EXPECT_EQ(asking.command({"GET", "foo"}).text, "v");
  cluster.move_keys(cluster.keys_in(slot, 2), 2, 0);
  cluster.finish_migration(slot, 2, 0);
  cluster.await_ok();
  EXPECT_EQ(cluster.master_of(slot), 0U);
  EXPECT_EQ(cluster.node(2).client().command({"GET", "foo"}).error_code(), "MOVED");

  cluster.migrate_slot(slot, 0, 1);
  EXPECT_EQ(cluster.node(1).client().command({"GET", "{foo}2"}).text, "v");
}

TEST(RedisSupport, AClustersKilledMasterIsReplaced) {
  // By its replica, which has its data; back again it is that one's replica, at its old port.
  RedisCluster cluster;
  const std::vector<std::uint16_t> ports = cluster.ports();
  cluster.node(2).client().must({"SET", "foo", "v"});
  EXPECT_EQ(cluster.node(2).client().must({"WAIT", "1", "0"}).number, 1);
  cluster.kill(2);
  cluster.await_ok();
  EXPECT_EQ(cluster.master_of("foo"), 5U);
  EXPECT_EQ(cluster.node(5).client().command({"GET", "foo"}).text, "v");
  cluster.start_again(2);
  cluster.await_ok();
  EXPECT_THAT(cluster.replicas_of(5), ElementsAre(2U));
  EXPECT_EQ(cluster.ports(), ports);
}

TEST(RedisSupport, SentinelsReplaceALostMaster) {
  // All three name the new one, which has the data; the old one comes back as its replica. First it
  // is killed, then its heir hangs.
  RedisSentinels sentinels;
  EXPECT_THAT(sentinels.sentinel_ports(), testing::SizeIs(3));
  RedisClient client = sentinels.master().client();
  client.must({"SET", "k", "v"});
  EXPECT_EQ(client.must({"WAIT", "1", "0"}).number, 1);
  RedisServer& heir = sentinels.replica();
  const std::uint16_t old_port = sentinels.kill_master();
  EXPECT_EQ(sentinels.await_new_master(old_port), heir.port());
  EXPECT_EQ(sentinels.master_port(), heir.port());
  EXPECT_EQ(heir.client().command({"GET", "k"}).text, "v");
  sentinels.server_at(old_port).start_again();
  sentinels.await_ok();
  EXPECT_EQ(sentinels.replica().port(), old_port);

  EXPECT_EQ(sentinels.pause_master(), heir.port());
  EXPECT_EQ(sentinels.await_new_master(heir.port()), old_port);
  heir.go_on();
  sentinels.await_ok();
  EXPECT_EQ(sentinels.replica().port(), heir.port());
}

TEST(RedisSupport, SentinelsFailOverWhenTold) {
  // There and back, with a password, and with one sentinel gone.
  RedisSentinels sentinels("secret");
  const std::uint16_t first = sentinels.master_port();
  EXPECT_EQ(RedisClient(first).command({"GET", "k"}).error_code(), "NOAUTH");
  sentinels.fail_over();
  const std::uint16_t second = sentinels.await_new_master(first);
  sentinels.sentinel(0).kill();
  sentinels.fail_over();
  EXPECT_EQ(sentinels.await_new_master(second), first);
  sentinels.start_again(0);
  sentinels.await_ok();
  EXPECT_EQ(sentinels.master_port(), first);
  EXPECT_EQ(sentinels.replica().port(), second);
}

}  // namespace
}  // namespace weir::test

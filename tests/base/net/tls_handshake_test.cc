// Whom a client believes, what it tells of those whom it does not, and files that make no terms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <utility>

#include "base/net/tls.h"
#include "tests/base/net/tls_peer.h"
#include "tests/support/redis_server.h"
#include "tests/support/wait.h"

namespace weir {
namespace {

using test::Certificates;
using test::TlsClient;
using test::TlsPeer;
using testing::HasSubstr;
using testing::StartsWith;

class TlsHandshakeTest : public testing::Test {
 protected:
  // One authority for all tests: to make keys takes a moment.
  static const Certificates& ours() {
    static const Certificates made;
    return made;
  }
  static const Certificates& others() {
    static const Certificates made;
    return made;
  }
  void connect(const SocketAddress& address, const std::string& name, const TlsTerms& terms) {
    client.received.clear();
    client.fault.clear();
    client.read_end.reset();
    client.write_end.reset();
    client.told = 0;
    client.to_send = "hello";
    auto context = TlsContext::client(terms);
    ASSERT_TRUE(context.has_value()) << context.error().message;
    auto connection = connect_tls(loop, address, *context, name);
    ASSERT_TRUE(connection.has_value()) << connection.error().message;
    client.connection = std::move(*connection);
    client.connection->set_handler(client);
    client.connection->want(true, true);
  }
  // Until both have heard each other, or the client of a failure: what it is.
  std::string meets(TlsPeer& peer) {
    bool answered = false;
    const test::Deadline deadline;
    while (client.received != "welcome" && client.fault.empty()) {
      if (deadline.passed()) return "timed out";
      loop.turn();
      peer.turn();
      if (peer.received() == "hello" && !std::exchange(answered, true)) peer.sends("welcome");
    }
    return client.fault;
  }

  EventLoop loop;
  TlsClient client;
};

TEST_F(TlsHandshakeTest, BelievesACertificateOfItsAuthorityForTheServersName) {
  const std::string is_for_another = "its certificate is for another name than ";
  const auto usual = ours().issue("usual");
  const auto named = ours().issue("named", "DNS:redis.internal, DNS:*.wild.internal");
  const auto partly_wild = ours().issue("partly", "DNS:r*.some.internal");
  const auto six = ours().issue("six", "IP:::1");
  struct Row {
    Certificates::Pair certificate;
    std::string name;
    std::string fault;
    int version = 0;
  };
  const Row rows[] = {
      {usual, "localhost", ""},
      {usual, "LOCALHOST.", ""},
      {usual, "127.0.0.1", ""},
      {usual, "localhost", "", TLS1_2_VERSION},
      {usual, "127.0.0.2", is_for_another + "127.0.0.2"},
      {usual, "redis.internal", is_for_another + "redis.internal"},
      {six, "::1", ""},
      {six, "::2", is_for_another + "::2"},
      {named, "redis.internal", ""},
      {named, "a.wild.internal", ""},
      {named, "a.b.wild.internal", is_for_another + "a.b.wild.internal"},
      {named, "127.0.0.1", is_for_another + "127.0.0.1"},
      {partly_wild, "redis.some.internal", is_for_another + "redis.some.internal"},
      {ours().issue_expired("expired"), "localhost", "its certificate has expired"},
      {ours().self_signed("alone"), "localhost",
       "its certificate is not signed by a known authority (self-signed certificate)"},
      {others().issue("others"), "localhost",
       "its certificate is not signed by a known authority (unable to get local issuer "
       "certificate)"},
      {usual, "localhost", "it speaks no TLS 1.2 or later (tlsv1 alert protocol version)",
       TLS1_1_VERSION},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.certificate.cert_file + " " + row.name);
    TlsPeer peer({.certificate = row.certificate, .version = row.version});
    connect(peer.address(), row.name, {.ca_file = ours().ca_file()});
    EXPECT_EQ(meets(peer), row.fault);
    EXPECT_EQ(peer.received(), row.fault.empty() ? "hello" : "");
  }
}

TEST_F(TlsHandshakeTest, BelievesTheSystemsAuthoritiesWhereNoneIsGiven) {
  // Ours is not one of them.
  TlsPeer peer({.certificate = ours().issue("usual")});
  connect(peer.address(), "localhost", {});
  EXPECT_THAT(meets(peer), HasSubstr("is not signed by a known authority"));
}

TEST_F(TlsHandshakeTest, TellsTheServerTheHostsNameButNoAddress) {
  for (const char* name : {"localhost", "127.0.0.1"}) {
    TlsPeer peer({.certificate = ours().issue("usual")});
    connect(peer.address(), name, {.ca_file = ours().ca_file()});
    EXPECT_EQ(meets(peer), "");
    EXPECT_EQ(peer.server_name(), std::string_view(name) == "localhost" ? name : "");
  }
}

TEST_F(TlsHandshakeTest, ShowsItsCertificateToAServerThatWantsOne) {
  const auto server = ours().issue("usual");
  const auto client_pair = ours().issue("client", "DNS:client");
  const auto stranger = others().issue("client", "DNS:client");
  struct Row {
    Certificates::Pair shown;
    int version;
    std::string fault;
  };
  const Row rows[] = {
      {client_pair, TLS1_3_VERSION, ""},
      {client_pair, TLS1_2_VERSION, ""},
      {{}, TLS1_3_VERSION, "it wants a client certificate (tlsv13 alert certificate required)"},
      {{}, TLS1_2_VERSION, "it refuses the handshake (sslv3 alert handshake failure)"},
      {stranger, TLS1_3_VERSION,
       "it does not accept our client certificate (tlsv1 alert unknown ca)"},
      {stranger, TLS1_2_VERSION,
       "it does not accept our client certificate (tlsv1 alert unknown ca)"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.shown.cert_file + std::to_string(row.version));
    TlsPeer peer({.certificate = server, .client_ca = ours().ca_file(), .version = row.version});
    connect(peer.address(), "localhost",
            {.ca_file = ours().ca_file(),
             .cert_file = row.shown.cert_file,
             .key_file = row.shown.key_file});
    EXPECT_EQ(meets(peer), row.fault);
  }
}

TEST_F(TlsHandshakeTest, TellsWhyAServerRefusedAlsoWhereItIsGoneByThen) {
  // With TLS 1.3 the client's handshake is done before its certificate is looked at.
  TlsPeer peer({.certificate = ours().issue("usual"),
                .client_ca = ours().ca_file(),
                .version = TLS1_3_VERSION});
  connect(peer.address(), "localhost", {.ca_file = ours().ca_file()});
  client.to_send.clear();
  ASSERT_TRUE(test::eventually([&] {
    client.connection->want(false, client.told == 0);
    loop.turn();
    peer.turn();
    return client.told > 0 && !peer.stands();
  }));
  for (int i = 0; i < 10; ++i) peer.turn();
  peer.closes();
  ASSERT_TRUE(test::eventually([&] {
    client.to_send = "hello";
    client.flush();
    return client.write_end.has_value();
  }));
  EXPECT_EQ(client.fault, "it wants a client certificate (tlsv13 alert certificate required)");
}

TEST_F(TlsHandshakeTest, TellsOfAServerThatSpeaksNoTls) {
  TlsPeer peer({.certificate = ours().issue("usual")});
  connect(peer.address(), "localhost", {.ca_file = ours().ca_file()});
  peer.sends_raw("-ERR unknown command\r\n");
  EXPECT_EQ(meets(peer), "it speaks no TLS (wrong version number)");
}

TEST_F(TlsHandshakeTest, TellsOfAServerThatIsNotThereOrGoes) {
  const test::Socket refusing = test::Socket::refuse_tcp();
  connect(*SocketAddress::tcp("127.0.0.1", refusing.port()), "localhost",
          {.ca_file = ours().ca_file()});
  EXPECT_TRUE(test::eventually([&] {
    loop.turn();
    return !client.fault.empty();
  }));
  EXPECT_EQ(client.fault, "Connection refused");

  TlsPeer peer({.certificate = ours().issue("usual")});
  connect(peer.address(), "localhost", {.ca_file = ours().ca_file()});
  loop.turn();
  peer.turn(100);
  peer.closes();
  EXPECT_EQ(meets(peer), "it has cut the connection (unexpected eof while reading)");
}

TEST_F(TlsHandshakeTest, TellsNothingWhileTheHandshakeGoesOn) {
  // Which here comes byte by byte, and the first time stops short of its end.
  for (const bool stops : {true, false}) {
    TlsPeer peer({.certificate = ours().issue("usual")});
    connect(peer.address(), "localhost", {.ca_file = ours().ca_file()});
    const test::Deadline deadline;
    for (int bytes = 0; !peer.stands() && !deadline.passed(); ++bytes) {
      peer.turn(stops && bytes > 500 ? 0 : 1);
      if (stops && bytes > 1000) break;
      EXPECT_EQ(client.told, 0);
      EXPECT_EQ(client.connection->write({}).status, IoStatus::WouldBlock);
      loop.turn();
    }
    EXPECT_EQ(peer.stands(), !stops);
    if (stops) continue;
    EXPECT_EQ(meets(peer), "");
  }
}

TEST_F(TlsHandshakeTest, NeedsAServersName) {
  const auto context = TlsContext::client({.ca_file = ours().ca_file()});
  ASSERT_TRUE(context.has_value());
  const std::string names[] = {"", ".", ".internal", std::string("a\0b", 3), std::string(300, 'a')};
  for (const std::string& name : names) {
    const auto connection = connect_tls(loop, *SocketAddress::tcp("127.0.0.1", 1), *context, name);
    ASSERT_FALSE(connection.has_value());
    EXPECT_THAT(connection.error().message, HasSubstr("is no name of a server"));
  }
}

void write_locked_key(const std::string& path) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  BIO* const file = BIO_new_file(path.c_str(), "w");
  const unsigned char word[] = {'w', 'o', 'r', 'd'};
  EXPECT_EQ(
      PEM_write_bio_PrivateKey(file, key, EVP_aes_128_cbc(), word, sizeof word, nullptr, nullptr),
      1);
  BIO_free(file);
  EVP_PKEY_free(key);
}

TEST_F(TlsHandshakeTest, NamesTheFileThatIsWrong) {
  const test::TempDir folder;
  const std::string ca = ours().ca_file();
  const auto [cert, key] = ours().issue("client");
  const auto [other_cert, other_key] = ours().issue("other");
  const std::string text = folder.write("text", "no PEM\n");
  const std::string none = folder.file("none");
  const std::string locked = folder.file("locked");
  write_locked_key(locked);
  struct Row {
    TlsTerms terms;
    ErrorCode code;
    std::string message;
  };
  const Row rows[] = {
      {{none, "", ""}, ErrorCode::NotFound, "cannot read " + none + ": No such file or directory"},
      {{folder.path(), "", ""}, ErrorCode::Invalid, "cannot read " + folder.path() + ": it is"},
      {{text, "", ""}, ErrorCode::Invalid, text + " holds no certificate ("},
      {{key, "", ""}, ErrorCode::Invalid, key + " holds no certificate ("},
      {{ca, cert, ""}, ErrorCode::Invalid, cert + " is of no use without its key's file"},
      {{ca, "", key}, ErrorCode::Invalid, key + " is of no use without its certificate's file"},
      {{ca, none, key}, ErrorCode::NotFound, "cannot read " + none},
      {{ca, cert, none}, ErrorCode::NotFound, "cannot read " + none},
      {{ca, text, key}, ErrorCode::Invalid, text + " holds no certificate ("},
      {{ca, cert, text}, ErrorCode::Invalid, text + " holds no private key ("},
      {{ca, cert, locked}, ErrorCode::Invalid, locked + " holds a key with a passphrase ("},
      {{ca, cert, cert}, ErrorCode::Invalid, cert + " holds no private key ("},
      {{ca, cert, other_key},
       ErrorCode::Invalid,
       "the key in " + other_key + " does not belong to the certificate in " + cert},
  };
  for (const Row& row : rows) {
    const auto context = TlsContext::client(row.terms);
    ASSERT_FALSE(context.has_value()) << row.message;
    EXPECT_EQ(context.error().code, row.code);
    EXPECT_THAT(context.error().message, StartsWith(row.message));
  }
  EXPECT_TRUE(TlsContext::client({ca, other_cert, other_key}).has_value());
}

TEST_F(TlsHandshakeTest, SpeaksToRedis) {
  // With what a server of either kind wants of a client, and 8 MiB both ways.
  for (const bool wants_certificate : {false, true}) {
    const test::RedisServer server({.tls = true, .tls_clients = wants_certificate});
    const SocketAddress address = *SocketAddress::tcp("127.0.0.1", server.tls_port());
    TlsTerms terms{.ca_file = server.ca_file()};
    if (wants_certificate) {
      connect(address, "localhost", terms);
      ASSERT_TRUE(test::eventually([&] {
        loop.turn();
        return !client.fault.empty();
      }));
      EXPECT_THAT(client.fault, StartsWith("it wants a client certificate"));
      const auto pair = server.certificates().issue("client", "DNS:client");
      terms.cert_file = pair.cert_file;
      terms.key_file = pair.key_file;
    }
    connect(address, "127.0.0.1", terms);
    const std::string value(std::size_t{8} << 20U, 'v');
    const std::string bulk = "$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
    client.to_send = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n" + bulk + "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    const std::string answer = "+OK\r\n" + bulk;
    const test::Deadline deadline;
    while (client.received.size() < answer.size() && !deadline.passed()) loop.turn();
    EXPECT_TRUE(client.received == answer);
    EXPECT_EQ(client.fault, "");
  }
}

}  // namespace
}  // namespace weir

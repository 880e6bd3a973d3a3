#include "tests/base/net/tls_peer.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>

namespace weir::test {
namespace {

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

}  // namespace

TlsPeer::TlsPeer(const TlsPeerSetup& setup)
    : slow_(setup.slow), context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* const context = context_.get();
  // Old versions have to be allowed twice.
  if (setup.version != 0 && setup.version < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, setup.version);
  SSL_CTX_set_max_proto_version(context, setup.version);
  const auto& [cert, key] = setup.certificate;
  must(SSL_CTX_use_certificate_chain_file(context, cert.c_str()) == 1, "certificate");
  must(SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1, "key");
  if (!setup.client_ca.empty()) {
    must(SSL_CTX_load_verify_locations(context, setup.client_ca.c_str(), nullptr) == 1, "ca");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  ssl_.reset(SSL_new(context));
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_.get());

  Result<Listening> listening = listen_on(*SocketAddress::tcp("127.0.0.1", 0), 1);
  must(listening.has_value(), "listen");
  listening_ = std::move(*listening);
  if (!setup.slow) return;
  const int bytes = 32768;
  setsockopt(listening_.sockets[0].get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(listening_.sockets[0].get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

void TlsPeer::turn(std::size_t most_sent) {
  if (!socket_ && !closed_by_) {
    socket_ = Fd(accept4(listening_.sockets[0].get(), nullptr, nullptr, SOCK_NONBLOCK));
  }
  receive();
  sends_only(most_sent);
}

void TlsPeer::sends_only(std::size_t most_sent) {
  unsent_ += gives();
  const std::size_t most = std::min(unsent_.size(), most_sent);
  const ssize_t sent = send(socket_.get(), unsent_.data(), most, MSG_NOSIGNAL);
  if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
}

std::string TlsPeer::gives() {
  std::string all;
  std::array<char, 16384> out;
  for (int got = 0; (got = BIO_read(SSL_get_wbio(ssl_.get()), out.data(), out.size())) > 0;) {
    all.append(out.data(), static_cast<std::size_t>(got));
  }
  return all;
}

void TlsPeer::receive() {
  std::array<char, 65536> bytes;
  ssize_t got = 0;
  do {
    got = recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got > 0) takes({bytes.data(), static_cast<std::size_t>(got)});
  } while (got > 0 && !slow_);
  if (socket_ && (got == 0 || errno == ECONNRESET)) closed_by_ = got == 0 ? 0 : errno;
}

// The handshake goes on by reading.
void TlsPeer::takes(std::string_view taken) {
  BIO_write(SSL_get_rbio(ssl_.get()), taken.data(), static_cast<int>(taken.size()));
  std::array<char, 16384> bytes;
  ERR_clear_error();
  for (int got = 0; (got = SSL_read(ssl_.get(), bytes.data(), bytes.size())) > 0;) {
    received_.append(bytes.data(), static_cast<std::size_t>(got));
    records_.push_back(static_cast<std::size_t>(got));
  }
  const char* const name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  if (name) server_name_ = name;
}

void TlsPeer::sends(std::string_view bytes) {
  must(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0, "SSL_write");
}

void TlsPeer::renews_keys() {
  must(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1, "SSL_key_update");
}

void TlsPeer::ends() {
  must(SSL_shutdown(ssl_.get()) >= 0, "SSL_shutdown");
}

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  return bytes;
}

TlsClient::TlsClient() {
  std::signal(SIGPIPE, SIG_IGN);  // as the program does
}

void TlsClient::on_ready(bool readable, bool writable) {
  ++told;
  if (writable) flush();
  if (readable) receive();
  const bool over = read_end.has_value() || write_end.has_value();
  connection->want(!read_end, !over && !to_send.empty());
}

void TlsClient::flush() {
  while (!to_send.empty()) {
    const iovec part{to_send.data(), to_send.size()};
    const IoResult sent = connection->write(std::span(&part, 1));
    if (sent.status == IoStatus::WouldBlock) return;
    if (sent.status != IoStatus::Ok) {
      if (fault.empty()) fault = connection->fault();
      write_end = sent.status;
      return;
    }
    to_send.erase(0, sent.bytes);
  }
}

void TlsClient::receive() {
  std::array<char, 65536> bytes;
  while (true) {
    const IoResult got = connection->read(bytes);
    if (got.status == IoStatus::WouldBlock) return;
    if (got.status != IoStatus::Ok) {
      if (fault.empty() && got.status == IoStatus::Failed) fault = connection->fault();
      read_end = got.status;
      return;
    }
    received.append(bytes.data(), got.bytes);
  }
}

}  // namespace weir::test

// Both ends of a TLS connection in one thread: the program's, and a server that shares no code with
// it and does nothing by itself, so that a test says what has come and gone by when.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/net/listener.h"
#include "base/net/tls.h"
#include "tests/support/certificates.h"

namespace weir::test {

struct TlsPeerSetup {
  Certificates::Pair certificate = {};
  std::string client_ca = {};  // not empty: a client must have a certificate of it
  int version = 0;             // the only one; 0: any
  bool slow = false;           // takes little in a turn, and little fits into its socket
};

// Takes one connection.
class TlsPeer {
 public:
  explicit TlsPeer(const TlsPeerSetup& setup);
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  const SocketAddress& address() const { return listening_.address; }

  // Reads what has come, and sends what is to be sent: at most so many bytes.
  void turn(std::size_t most_sent = SIZE_MAX);
  // The same without reading.
  void sends_only(std::size_t most_sent = SIZE_MAX);
  // What turn() does, for a test that carries the bytes itself.
  void takes(std::string_view bytes);
  std::string gives();
  // In one turn or more: as TLS, or as it is.
  void sends(std::string_view bytes);
  void sends_raw(std::string_view bytes) { unsent_ += bytes; }
  // Asks for new keys, and for the same of the client.
  void renews_keys();
  // The closing alert. The socket stays.
  void ends();
  // Closes the socket, by itself without the alert.
  void closes() { socket_ = Fd(); }

  bool stands() const { return SSL_is_init_finished(ssl_.get()) == 1; }
  const std::string& server_name() const { return server_name_; }
  const std::string& received() const { return received_; }
  const std::vector<std::size_t>& records() const { return records_; }  // their sizes
  // The client's closing alert, and the end of its bytes, which may be a reset.
  bool sees_end() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  bool sees_close() const { return closed_by_.has_value(); }
  bool sees_reset() const { return closed_by_.value_or(0) != 0; }

 private:
  void receive();

  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  const bool slow_;
  Listening listening_;
  Fd socket_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string unsent_;
  std::string server_name_;
  std::string received_;
  std::vector<std::size_t> records_;
  std::optional<int> closed_by_;  // errno, 0 for a plain end
};

// So many bytes, none like its neighbours.
std::string bytes_of(std::size_t size);

// The program's end: reads all that comes, and writes `to_send`.
class TlsClient final : public ConnectionHandler {
 public:
  TlsClient();
  void on_ready(bool readable, bool writable) override;
  void flush();
  void receive();

  std::unique_ptr<Connection> connection;
  int told = 0;
  std::string received;
  std::string to_send;
  std::optional<IoStatus> read_end;   // what the last read said, once it is an end
  std::optional<IoStatus> write_end;  // the same of writing
  std::string fault;                  // of the first of them
};

}  // namespace weir::test
